//! Reads a command from its name and its fields, and names the field that is wrong.

use serde_json::{Map, Value};

use crate::commands::{Command, CommandError};

impl Command {
    /// The command with this name and these fields.
    pub(crate) fn read(name: &str, fields: Map<String, Value>) -> Result<Self, CommandError> {
        let command = parse(name, &fields).map_err(|problem| {
            let culprit = wrong_field(name, &fields, &problem);
            CommandError::new(match culprit {
                Some(field) => format!("`{field}`: {problem}"),
                None => problem,
            })
        })?;
        let understood = serde_json::to_value(&command).unwrap_or_default();
        match unknown_field(&Value::Object(fields), &understood, "") {
            Some(field) => Err(CommandError::new(format!("unknown field `{field}`"))),
            None => Ok(command),
        }
    }
}

fn parse(name: &str, fields: &Map<String, Value>) -> Result<Command, String> {
    let mut tagged = fields.clone();
    tagged.insert("command".to_owned(), name.into());
    serde_json::from_value(Value::Object(tagged)).map_err(|error| error.to_string())
}

/// The field that causes `problem`: without it, the command has another problem or none. serde does not say it.
fn wrong_field<'a>(
    name: &str,
    fields: &'a Map<String, Value>,
    problem: &str,
) -> Option<&'a String> {
    fields.keys().find(|field| {
        let mut others = fields.clone();
        others.remove(*field);
        parse(name, &others).err().as_deref() != Some(problem)
    })
}

/// The first field that is given and not understood, as a path such as `fault.millis`. serde ignores those of unit
/// variants.
fn unknown_field(given: &Value, understood: &Value, at: &str) -> Option<String> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            given.iter().find_map(|(name, value)| {
                let path = format!("{at}{name}");
                match understood.get(name) {
                    None => Some(path),
                    Some(known) => unknown_field(value, known, &format!("{path}.")),
                }
            })
        }
        (Value::Array(given), Value::Array(understood)) => {
            let mut pairs = given.iter().zip(understood).enumerate();
            pairs.find_map(|(index, (value, known))| {
                unknown_field(value, known, &format!("{at}{index}."))
            })
        }
        _ => None,
    }
}
