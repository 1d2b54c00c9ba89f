//! A description as a flat list of facts, which is easy to compare and is stored with the generated code.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::describe::{Source, describe};
use crate::document;
use crate::error::Errors;
use crate::model::{self, Api};
use crate::pointer;

/// The facts about each part of a subject, by name. Facts with the value `none` or `no` are left out. The part `""` is the whole
/// subject.
pub type Parts = BTreeMap<String, BTreeMap<String, String>>;

/// The facts of a description about each operation, type, enum, id and event, in the terms of the [model](mod@crate::model), and
/// about each part of the description from which no code is generated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(pub(super) BTreeMap<String, Parts>);

impl Facts {
    /// Reads a description, with `overlay` merged into it.
    ///
    /// # Errors
    ///
    /// As [`generate`](crate::generate).
    pub fn read(spec: &Source, overlay: Option<&Source>) -> Result<Self, Errors> {
        let document = describe(spec, overlay)?;
        let api = model::build(&document).map_err(|errors| Errors::of(errors, &spec.name))?;
        let mut facts = Self::default();
        facts.model(&api);
        facts.operations(&document);
        facts.components(&document, &api);
        let values = api.enums.iter().map(|item| {
            item.variants
                .iter()
                .map(|variant| variant.wire.as_str())
                .collect()
        });
        facts.partial_enums(&document, "", &values.collect());
        Ok(facts)
    }

    fn set(&mut self, what: &str, part: &str, fact: &str, value: &str) {
        let facts = self
            .0
            .entry(what.to_owned())
            .or_default()
            .entry(part.to_owned())
            .or_default();
        if !matches!(value, "" | "none" | "no") {
            facts.insert(fact.to_owned(), value.to_owned());
        }
    }

    fn model(&mut self, api: &Api) {
        let model = serde_json::to_value(api).unwrap_or_default();
        let lists = [
            ("operation", "id"),
            ("schema", "name"),
            ("enum", "name"),
            ("id", "name"),
            ("event", "object"),
        ];
        for (list, key) in lists {
            let kind = if list == "schema" { "type" } else { list };
            for item in model[format!("{list}s")].as_array().into_iter().flatten() {
                let what = format!("{kind} {}", text(&item[key]));
                self.0
                    .entry(what.clone())
                    .or_default()
                    .entry(String::new())
                    .or_default();
                self.item(&what, "", item);
            }
        }
        for schema in &api.schemas {
            for field in schema.fields() {
                let how = match (field.tells_null(schema), field.is_option(schema)) {
                    (true, _) => "Option<Nullable>",
                    (_, true) => "Option",
                    _ => "value",
                };
                self.set(
                    &format!("type {}", schema.name),
                    &format!("field {}", field.name),
                    "in Rust",
                    how,
                );
            }
        }
    }

    /// Adds the facts of an item of the model. Its lists become parts.
    fn item(&mut self, what: &str, part: &str, item: &Value) {
        for (key, value) in item.as_object().into_iter().flatten() {
            let list = value.as_array().into_iter().flatten();
            match key.as_str() {
                "description" | "summary" | "pointer" | "wire" | "object" | "id" | "errors" => {}
                "name" if item.get("wire").is_none() => {}
                "types" => {
                    list.for_each(|name| {
                        self.set(what, &format!("object {}", text(name)), "", "none");
                    });
                }
                "parameters" | "fields" | "variants" => {
                    for item in list {
                        let name = text(item.get("wire").unwrap_or(&item["name"]));
                        let part = format!("{} {name}", key.trim_end_matches('s'));
                        self.item(what, &part, item);
                    }
                }
                "answer" | "union" => self.item(what, part, value),
                _ => self.set(what, part, &key.replace('_', " "), &text(value)),
            }
        }
    }

    /// Adds the facts about operations that the model does not contain.
    fn operations(&mut self, document: &Value) {
        for found in document::operations(document) {
            let what = format!("operation {}", found.id());
            let Some(parts) = self.0.get(&what) else {
                continue;
            };
            let is_transport = |parameter: &Value| {
                parameter["in"] == "header"
                    && !parts.contains_key(&format!("parameter {}", text(&parameter["name"])))
            };
            let headers: Vec<Value> = found
                .parameters(document)
                .into_iter()
                .map(|(_, it)| it.clone())
                .filter(is_transport)
                .collect();
            let mut statuses = Vec::new();
            let mut errors = BTreeSet::new();
            for (status, response) in found.responses(document) {
                statuses.push(status);
                if !document::is_success(status) {
                    errors.insert(digest(response));
                }
            }
            let errors = errors.into_iter().collect::<Vec<_>>().join(" ");
            let body = document::resolve(document, &found.value["requestBody"]);
            self.set(&what, "", "statuses", &statuses.join(", "));
            self.set(&what, "", "errors", &errors);
            self.set(
                &what,
                "",
                "headers of the transport",
                &digest(&Value::Array(headers)),
            );
            self.set(&what, "", "body required", &text(&body["required"]));
        }
    }

    /// Adds the components that do not become types: parameters, answers, and the schemas of pages and problems.
    fn components(&mut self, document: &Value, api: &Api) {
        for (section, items) in document["components"].as_object().into_iter().flatten() {
            for (name, item) in items.as_object().into_iter().flatten() {
                let at = pointer::join(&format!("/components/{section}"), name);
                let is_type = api.schemas.iter().any(|schema| schema.pointer == at);
                if !is_type && (section != "schemas" || item.get("properties").is_some()) {
                    self.set(&format!("place {at}"), "", "content", &digest(item));
                }
            }
        }
    }

    /// Adds the places where an enum has fewer values than elsewhere.
    fn partial_enums(&mut self, value: &Value, at: &str, whole: &BTreeSet<BTreeSet<&str>>) {
        if let Some(values) = value.get("enum").and_then(Value::as_array)
            && !whole.contains(&values.iter().filter_map(Value::as_str).collect())
        {
            self.set(&format!("place {at}"), "", "values", &text(&value["enum"]));
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            self.partial_enums(value, &pointer::join(at, key), whole);
        }
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            self.partial_enums(value, &format!("{at}/{index}"), whole);
        }
    }
}

/// A value in words.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| *key != "description");
            members
                .map(|(key, value)| format!("{key} {}", text(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

/// A digest of a value without its descriptions.
fn digest(value: &Value) -> String {
    let text = without_prose(value).to_string();
    if text.len() < 40 {
        return text;
    }
    Sha256::digest(text)
        .iter()
        .take(4)
        .fold(String::from("#"), |hex, byte| format!("{hex}{byte:02x}"))
}

fn without_prose(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_prose = |key: &str, value: &Value| {
                value.is_string() && matches!(key, "description" | "summary")
                    || key.starts_with("example")
            };
            let members = members.iter().filter(|(key, value)| !is_prose(key, value));
            members
                .map(|(key, value)| (key.clone(), without_prose(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_prose).collect(),
        other => other.clone(),
    }
}
