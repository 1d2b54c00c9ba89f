//! The examples of a description, each with the type that reads it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

use serde_json::Value;
use upvest_gen::{Source, describe, model};

/// Code for the constant `EXAMPLES`: the examples of component schemas, and of bodies and responses that refer to these
/// or to lists of these.
pub(crate) fn list(source: &Source) -> Result<String, Box<dyn Error>> {
    let document = describe(source, None)?;
    let api = model(source, None)?;
    let mut examples = Examples::default();
    for schema in api.schemas {
        examples.types.insert(schema.pointer, schema.name);
    }
    examples.search(&document, "");
    let mut code =
        "\n/// The examples of the description.\npub const EXAMPLES: &[crate::Example] = &[\n"
            .to_owned();
    for Found { at, name, value } in examples.found {
        let json = value.to_string();
        writeln!(
            code,
            "    crate::Example {{ at: {at:?}, json: {json:?}, rewrite: crate::rewrite::<types::{name}> }},"
        )?;
    }
    code.push_str("];\n");
    Ok(code)
}

#[derive(Default)]
struct Examples {
    /// The types of schemas, by the places of these.
    types: BTreeMap<String, String>,
    found: Vec<Found>,
}

struct Found {
    at: String,
    name: String,
    value: Value,
}

impl Examples {
    /// Finds the examples in `value` at the place `at`.
    fn search(&mut self, value: &Value, at: &str) {
        if let Some(name) = self.types.get(at).cloned() {
            self.add_all(value, at, &name);
        }
        if let Some(name) = self.referred(&value["schema"]) {
            self.add_all(value, at, &name);
        }
        let items = &value["schema"]["properties"]["data"]["items"];
        if let (Some(name), Some(data)) =
            (self.referred(items), value["example"]["data"].as_array())
        {
            for item in data {
                self.add(item, at, &name);
            }
        }
        for (key, member) in value.as_object().into_iter().flatten() {
            let key = key.replace('~', "~0").replace('/', "~1");
            self.search(member, &format!("{at}/{key}"));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.search(item, &format!("{at}/{index}"));
        }
    }

    /// The type of the component to which `schema` refers.
    fn referred(&self, schema: &Value) -> Option<String> {
        let place = schema["$ref"].as_str()?.strip_prefix('#')?;
        self.types.get(place).cloned()
    }

    /// Adds `example` and all `examples`: a list in a schema, and an object of objects with a `value` elsewhere.
    fn add_all(&mut self, holder: &Value, at: &str, name: &str) {
        self.add(&holder["example"], at, name);
        for example in holder["examples"].as_array().into_iter().flatten() {
            self.add(example, at, name);
        }
        for example in holder["examples"].as_object().into_iter().flatten() {
            self.add(&example.1["value"], at, name);
        }
    }

    fn add(&mut self, value: &Value, at: &str, name: &str) {
        if !value.is_null() {
            self.found.push(Found {
                at: at.to_owned(),
                name: name.to_owned(),
                value: value.clone(),
            });
        }
    }
}
