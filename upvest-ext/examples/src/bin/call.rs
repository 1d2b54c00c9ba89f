//! Calls any operation from the command line: `cargo example call -- --help` lists them.
//!
//! The settings come from the environment, as for `Upvest::from_env`. It works with any generated crate: `main` names
//! its client.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use serde_json::value::RawValue;
use upvest_ext::api::Client;
use upvest_ext::api::runtime::{GeneratedClient, OperationMeta, ParameterMeta, ParameterPlace};
use upvest_ext::{CallOptions, Error, IdempotencyKey, Unredacted, UpvestFor};

type Failure = Box<dyn std::error::Error>;

/// Calls an operation of the API.
#[derive(Parser)]
struct Arguments {
    /// Its name, such as `create_order` or `createOrder`.
    operation: String,
    /// Its parameters. A list is a parameter that is repeated.
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// The body, as JSON.
    #[arg(long, value_parser = json)]
    body: Option<Box<RawValue>>,
    /// The key of an earlier call, to send that call again.
    #[arg(long)]
    idempotency_key: Option<IdempotencyKey>,
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The body is sent as it is written.
fn json(text: &str) -> serde_json::Result<Box<RawValue>> {
    serde_json::from_str(text)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run::<Client>().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run<C: GeneratedClient>() -> Result<(), Failure> {
    let operations: String = C::OPERATIONS.iter().map(|it| describe(it)).collect();
    let command = Arguments::command().after_help(format!("Operations:\n{operations}"));
    let arguments = Arguments::from_arg_matches(&command.get_matches())?;
    let name = &arguments.operation;
    let is_named = |it: &&&OperationMeta| it.name == name || it.id == name;
    let operation = C::OPERATIONS.iter().find(is_named);
    let operation = operation.ok_or_else(|| format!("no operation `{name}`: see `--help`"))?;
    check(operation, &arguments.parameters)?;

    let upvest = UpvestFor::<C>::from_env()?;
    let segments = operation.path.trim_start_matches('/').split('/');
    let segments = segments.map(|segment| fill(segment, &arguments.parameters));
    let mut request = upvest
        .request(operation.method.clone(), segments)
        .for_operation(operation);
    let mut options = CallOptions::new();
    for (name, value) in &arguments.parameters {
        for parameter in operation.parameters.iter().filter(|it| it.name == name) {
            match parameter.place {
                ParameterPlace::Path => {} // it is in the path already
                ParameterPlace::Query => request = request.query(name, value),
                ParameterPlace::Header => options = options.header(name, value),
            }
        }
    }
    if let Some(key) = arguments.idempotency_key {
        request = request.idempotency_key(key);
    }
    if let Some(body) = &arguments.body {
        request = request.json(body);
    }
    let response = request
        .options(options)
        .send()
        .await
        .map_err(|error| explain(&error))?;
    eprintln!("{}", response.status());
    std::io::stdout().write_all(&response)?;
    Ok(())
}

/// A segment of a path template, with values in place of the names in braces.
fn fill(segment: &str, given: &[(String, String)]) -> String {
    let mut filled = String::new();
    for (index, part) in segment.split(['{', '}']).enumerate() {
        let is_name = index % 2 == 1;
        let value = given.iter().find(|(name, _)| is_name && name == part);
        filled += value.map_or(part, |(_, value)| value);
    }
    filled
}

fn check(operation: &OperationMeta, given: &[(String, String)]) -> Result<(), String> {
    let usage = describe(operation);
    for (name, _) in given {
        if operation.parameters.iter().all(|it| it.name != name) {
            return Err(format!("no parameter `{name}` in\n{usage}"));
        }
    }
    for ParameterMeta { name, required, .. } in operation.parameters {
        if *required && given.iter().all(|(given, _)| given != name) {
            return Err(format!("the parameter `{name}` is missing:\n{usage}"));
        }
    }
    Ok(())
}

/// The operation with its parameters. Those in brackets are optional.
fn describe(operation: &OperationMeta) -> String {
    let mut text = format!("  {}:", operation.name);
    for parameter in operation.parameters {
        let ParameterMeta { name, kind, .. } = parameter;
        let _ = if parameter.required {
            write!(text, " {name}=<{kind:?}>")
        } else {
            write!(text, " [{name}=<{kind:?}>]")
        };
    }
    text + "\n"
}

/// With the words of the server, which are for the person who makes the call.
fn explain(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}"));
    format!("{}{}", Unredacted(error), hint.unwrap_or_default())
}
