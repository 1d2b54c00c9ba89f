//! A client from environment variables.

use reqwest::Url;

use crate::builder::UpvestBuilder;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::token::Scopes;

const ENVIRONMENT: &str = "UPVEST_ENVIRONMENT";
const CLIENT_ID: &str = "UPVEST_CLIENT_ID";
const CLIENT_SECRET: &str = "UPVEST_CLIENT_SECRET";
const SCOPES: &str = "UPVEST_SCOPES";

impl UpvestBuilder {
    /// Starts a builder with what the environment says:
    ///
    /// | variable | value |
    /// | --- | --- |
    /// | `UPVEST_ENVIRONMENT` | `sandbox`, `live`, or the base URL of another server |
    /// | `UPVEST_CLIENT_ID` | the client id |
    /// | `UPVEST_CLIENT_SECRET` | the client secret |
    /// | `UPVEST_SCOPES` | the scopes to ask for, with spaces between them; optional, all unless set |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], with every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// As [`UpvestBuilder::from_env`], from the variables that `lookup` finds.
    ///
    /// ```
    /// use upvest_ext::UpvestBuilder;
    ///
    /// let error = UpvestBuilder::from_vars(|_| None).unwrap_err();
    /// assert!(error.to_string().contains("UPVEST_CLIENT_ID"));
    /// assert!(error.to_string().contains("UPVEST_CLIENT_SECRET"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], with every variable that is missing or wrong.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut required = |name: &str| {
            let value = lookup(name).filter(|value| !value.trim().is_empty());
            if value.is_none() {
                problems.push(format!("{name} is not set"));
            }
            value.unwrap_or_default()
        };
        let (environment, id, secret) = (required(ENVIRONMENT), required(CLIENT_ID), required(CLIENT_SECRET));
        let environment =
            if environment.is_empty() { Some(Environment::Sandbox) } else { parse(&environment) };
        if environment.is_none() {
            problems.push(format!("{ENVIRONMENT} is none of `sandbox`, `live` and a URL"));
        }
        match environment {
            Some(environment) if problems.is_empty() => {
                let builder = Self::new(environment).credentials(id, secret);
                Ok(lookup(SCOPES)
                    .into_iter()
                    .fold(builder, |builder, scopes| builder.scopes(Scopes::new([scopes]))))
            }
            _ => Err(Error::new(ErrorKind::Configuration, problems.join("; "))),
        }
    }
}

fn parse(environment: &str) -> Option<Environment> {
    match environment.trim() {
        "sandbox" => Some(Environment::Sandbox),
        "live" => Some(Environment::Live),
        url => Url::parse(url).ok().map(Environment::Custom),
    }
}
