//! Reads the settings of a client from environment variables.

use upvest_api::{Error, ErrorKind};

use crate::client::builder::UpvestBuilder;
use crate::client::environment::Environment;
use crate::signing::SigningKey;
use crate::token::Scopes;

const ENVIRONMENT: &str = "UPVEST_ENVIRONMENT";
const CLIENT_ID: &str = "UPVEST_CLIENT_ID";
const CLIENT_SECRET: &str = "UPVEST_CLIENT_SECRET";
const SCOPES: &str = "UPVEST_SCOPES";
const KEY_ID: &str = "UPVEST_SIGNING_KEY_ID";
const KEY: &str = "UPVEST_SIGNING_KEY";
const KEY_FILE: &str = "UPVEST_SIGNING_KEY_FILE";
const PASSPHRASE: &str = "UPVEST_SIGNING_KEY_PASSPHRASE";

impl UpvestBuilder {
    /// A builder with the settings of the environment variables:
    ///
    /// | variable | value |
    /// | --- | --- |
    /// | `UPVEST_ENVIRONMENT` | `sandbox`, `live`, or the base URL of another server |
    /// | `UPVEST_CLIENT_ID` | the client id |
    /// | `UPVEST_CLIENT_SECRET` | the client secret |
    /// | `UPVEST_SIGNING_KEY_ID` | the id that Upvest assigned to the signing key; optional if you set a signer yourself |
    /// | `UPVEST_SIGNING_KEY` | the private key as PEM, or |
    /// | `UPVEST_SIGNING_KEY_FILE` | the file with the private key |
    /// | `UPVEST_SIGNING_KEY_PASSPHRASE` | the passphrase of an encrypted key |
    /// | `UPVEST_SCOPES` | the scopes to request, separated by spaces; optional, all scopes by default |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], with every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// As [`UpvestBuilder::from_env`], with the variables that `lookup` returns.
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
        let mut vars = Vars {
            lookup,
            problems: Vec::new(),
        };
        let (environment, id, secret) = (
            vars.environment(),
            vars.required(CLIENT_ID),
            vars.required(CLIENT_SECRET),
        );
        let must_sign = environment.as_ref().is_some_and(Environment::is_upvest);
        let key = vars.signing_key();
        // A missing key alone is not an error here, as a signer may be set later. `build` checks that there is one.
        if must_sign && key.is_none() && !vars.problems.is_empty() {
            vars.problems
                .push(format!("{KEY_ID} and {KEY} are not set"));
        }
        let (Some(environment), true) = (environment, vars.problems.is_empty()) else {
            return Err(Error::new(
                ErrorKind::Configuration,
                vars.problems.join("; "),
            ));
        };
        let mut builder = Self::new(environment).credentials(id, secret);
        if let Some((id, key)) = key {
            builder = builder.signing_key(id, key);
        }
        match vars.optional(SCOPES) {
            Some(scopes) => Ok(builder.scopes(Scopes::new([scopes]))),
            None => Ok(builder),
        }
    }
}

/// The variables, and the problems that were found with them.
struct Vars<L> {
    lookup: L,
    problems: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Vars<L> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn environment(&mut self) -> Option<Environment> {
        let value = self.required(ENVIRONMENT);
        let value = Some(value.trim()).filter(|value| !value.is_empty())?;
        value
            .parse()
            .map_err(|error| self.problems.push(format!("{ENVIRONMENT}: {error}")))
            .ok()
    }

    /// The id and the signing key, if any of their variables is set.
    fn signing_key(&mut self) -> Option<(String, SigningKey)> {
        [KEY_ID, KEY, KEY_FILE]
            .into_iter()
            .find(|name| self.optional(name).is_some())?;
        let id = self.required(KEY_ID);
        let pem = match (self.optional(KEY), self.optional(KEY_FILE)) {
            (Some(pem), _) => Some(pem),
            (None, Some(path)) => std::fs::read_to_string(&path)
                .map_err(|error| self.problems.push(format!("{KEY_FILE}: {path}: {error}")))
                .ok(),
            (None, None) => {
                self.problems
                    .push(format!("neither {KEY} nor {KEY_FILE} is set"));
                None
            }
        };
        let key = SigningKey::from_pem(pem?, self.optional(PASSPHRASE).as_deref());
        key.map_err(|error| self.problems.push(format!("the signing key: {error}")))
            .ok()
            .map(|key| (id, key))
    }
}
