//! What a description says, as a flat list of facts: easy to compare, and to keep beside the generated code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::str::FromStr;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Kind, Parts};
use crate::error::{Error, Errors};
use crate::model::{self, Api, Content, Encoding, Enum, Field, Operation, Place, Schema, Shape};
use crate::{Source, describe, document, pointer};

/// What a description says: the facts about each part of each operation, type, enum, id, and event.
///
/// Its text has a line of JSON for each of them, and is read back by [`str::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(pub(super) BTreeMap<(Kind, String), Parts>);

impl Facts {
    /// Reads a description, with `overlay` merged into it.
    ///
    /// # Errors
    ///
    /// As [`generate`](crate::generate).
    pub fn read(spec: &Source, overlay: Option<&Source>) -> Result<Self, Errors> {
        let document = describe(spec, overlay)?;
        let api = model::build(&document).map_err(|errors| Errors::of(errors, &spec.name))?;
        Ok(Self::of(&api, &document))
    }

    /// What the facts are about, with its parts.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str, &Parts)> {
        self.0.iter().map(|((kind, name), parts)| (*kind, name.as_str(), parts))
    }

    fn of(api: &Api, document: &Value) -> Self {
        let mut facts = Self::default();
        for operation in &api.operations {
            facts.operation(operation);
        }
        for found in document::operations(document) {
            let statuses: Vec<&str> = found.responses(document).map(|(status, _)| status).collect();
            if let Some(parts) = facts.0.get_mut(&(Kind::Operation, found.id())) {
                parts.entry(String::new()).or_default().insert("statuses".to_owned(), statuses.join(", "));
            }
        }
        for schema in &api.schemas {
            facts.schema(schema);
        }
        for item in &api.enums {
            facts.add(Kind::Enum, &item.name, "", &[("final values", &item.finals.join(", "))]);
            for variant in &item.variants {
                let part = format!("value {}", variant.wire);
                facts.add(Kind::Enum, &item.name, &part, &[("variant", &variant.name)]);
            }
        }
        for id in &api.ids {
            facts.add(Kind::Id, &id.name, "", &[]);
        }
        for event in &api.events {
            facts.add(Kind::Event, &event.object, "", &[]);
            for kind in &event.types {
                facts.add(Kind::Event, &event.object, &format!("type {kind}"), &[]);
            }
        }
        // An enum that occurs at several places has the values of all; a place with fewer is known by itself.
        let of_enum = |item: &Enum| item.variants.iter().map(|variant| variant.wire.clone()).collect::<BTreeSet<_>>();
        let enums: BTreeSet<_> = api.enums.iter().map(of_enum).collect();
        let is_code = |at: &str, value: &Value| match value.get("enum").and_then(Value::as_array) {
            Some(values) => enums.contains(&values.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            None => value.get("properties").is_none() || api.schemas.iter().any(|schema| schema.pointer == at),
        };
        facts.places(document, "", false, &is_code);
        facts
    }

    fn add(&mut self, kind: Kind, name: &str, part: &str, facts: &[(&str, &str)]) {
        let parts = self.0.entry((kind, name.to_owned())).or_default();
        // What has no value is as everywhere.
        let facts = facts.iter().filter(|(_, value)| !value.is_empty());
        let facts = facts.map(|(fact, value)| ((*fact).to_owned(), (*value).to_owned()));
        parts.entry(part.to_owned()).or_default().extend(facts);
    }

    fn operation(&mut self, operation: &Operation) {
        let Operation { id, answer, .. } = operation;
        let none = || "none".to_owned();
        let output = match &answer.content {
            Content::Empty => "()".to_owned(),
            Content::Binary => "ByteStream".to_owned(),
            Content::Json(kind) => kind.rust(""),
            Content::List(item) => format!("Listing<{}>", item.rust("")),
        };
        let body = operation.body.as_ref().map_or_else(none, |body| match body.encoding {
            Encoding::Json => format!("{} as JSON", body.kind.rust("")),
            Encoding::Form => format!("{} as a form", body.kind.rust("")),
            Encoding::Binary => "bytes".to_owned(),
            Encoding::Text => "text".to_owned(),
        });
        let paging = operation
            .paging
            .map_or_else(none, |paging| format!("{} to {}, else {}", paging.min, paging.max, paging.default));
        let facts = [
            ("method of the client", operation.method_name.as_str()),
            ("builder", &operation.builder),
            ("HTTP method", &operation.method),
            ("path", &operation.path),
            ("tag", &operation.tag),
            ("scopes", &operation.scopes.join(", ")),
            ("idempotency", if operation.idempotency_key { "by key" } else { "none" }),
            ("paging", &paging),
            ("body", &body),
            ("answer", &output),
            ("accept", &answer.accept),
            ("download", answer.download.as_deref().unwrap_or("none")),
        ];
        self.add(Kind::Operation, id, "", &facts);
        for parameter in &operation.parameters {
            let place = match parameter.place {
                Place::Path => "path",
                Place::Query => "query",
                Place::Header => "header",
            };
            let facts = [
                ("type", parameter.kind.rust("")),
                ("place", place.to_owned()),
                ("presence", if parameter.required { "required" } else { "optional" }.to_owned()),
                ("setter", if parameter.setter == parameter.name { "" } else { &parameter.setter }.to_owned()),
                ("values", if parameter.joined { "joined" } else { "" }.to_owned()),
            ];
            let facts = facts.each_ref().map(|(fact, value)| (*fact, value.as_str()));
            self.add(Kind::Operation, id, &format!("parameter {}", parameter.name), &facts);
        }
    }

    fn schema(&mut self, schema: &Schema) {
        let (kind, name) = (Kind::Type, schema.name.as_str());
        let shape = match &schema.shape {
            Shape::Object(_) => "struct".to_owned(),
            Shape::Union { tag, .. } => format!("union by {tag}"),
        };
        let direction = if schema.sent { "sent" } else { "received" };
        self.add(kind, name, "", &[("shape", &shape), ("direction", direction)]);
        match &schema.shape {
            Shape::Object(fields) => {
                for field in fields {
                    let facts = [
                        ("type", field.kind.rust("")),
                        ("presence", presence(field)),
                        ("name in Rust", if field.rust == field.name { "" } else { &field.rust }.to_owned()),
                        ("in `Debug`", if field.sensitive { "hidden" } else { "" }.to_owned()),
                    ];
                    let facts = facts.each_ref().map(|(fact, value)| (*fact, value.as_str()));
                    self.add(kind, name, &format!("field {}", field.name), &facts);
                }
            }
            Shape::Union { variants, .. } => {
                for variant in variants {
                    let facts = [("type", variant.kind.rust("")), ("name in Rust", variant.name.clone())];
                    let facts = facts.each_ref().map(|(fact, value)| (*fact, value.as_str()));
                    self.add(kind, name, &format!("variant {}", variant.wire), &facts);
                }
            }
        }
    }

    /// Adds the places from which no code comes: what errors hold, headers, whether a body must be there, servers, the schemas of
    /// pages and problems, and the values of an enum that has more elsewhere. `is_name` is set where the keys are names that somebody chose.
    fn places(&mut self, value: &Value, at: &str, is_name: bool, is_code: &dyn Fn(&str, &Value) -> bool) {
        let Some(object) = value.as_object() else {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                match item["name"].as_str().filter(|_| item["in"] == "header") {
                    Some(header) => self.place(&pointer::join(at, header), item),
                    None => self.places(item, &format!("{at}/{index}"), false, is_code),
                }
            }
            return;
        };
        let parent = at.rsplit('/').next().unwrap_or_default();
        for (key, value) in object {
            let here = pointer::join(at, key);
            let is_whole = match key.as_str() {
                _ if value.get("enum").is_some_and(Value::is_array) => !is_code(&here, value),
                _ if is_name && parent == "responses" => !document::is_success(key),
                _ if is_name && at == document::SCHEMAS => !is_code(&here, value),
                _ if is_name => value["in"] == "header",
                "headers" | "securitySchemes" | "servers" => true,
                "required" => parent == "requestBody",
                _ => false,
            };
            if is_whole {
                self.place(&here, value);
            } else if is_name || !is_prose(key) {
                const NAMED: [&str; 6] = ["paths", "properties", "responses", "schemas", "parameters", "callbacks"];
                self.places(value, &here, !is_name && NAMED.contains(&key.as_str()), is_code);
            }
        }
    }

    /// Adds one place, as a part of the path or component that it belongs to.
    fn place(&mut self, at: &str, value: &Value) {
        let depth = if at.starts_with("/paths") { 2 } else { 3 };
        let end = at.match_indices('/').nth(depth).map_or(at.len(), |(end, _)| end);
        let (name, part) = at.split_at(end);
        let part = format!("at {}", part.trim_start_matches('/'));
        self.add(Kind::Place, name, part.trim_end_matches("at "), &[("content", &digest(value))]);
    }
}

/// Whether a field is always there.
fn presence(field: &Field) -> String {
    let presence = [(!field.required, "optional"), (field.nullable, "nullable"), (field.blank, "blank")];
    let presence: Vec<&str> = presence.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
    if presence.is_empty() { "required".to_owned() } else { presence.join(", ") }
}

fn is_prose(key: &str) -> bool {
    const PROSE: [&str; 6] = ["description", "summary", "example", "examples", "externalDocs", "info"];
    PROSE.contains(&key) || key.starts_with("x-")
}

/// The text of a value without its prose, or what stands for a long one.
fn digest(value: &Value) -> String {
    let text = without_prose(value, false).to_string();
    if text.len() < 40 {
        return text;
    }
    Sha256::digest(text).iter().take(6).fold(String::from("#"), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn without_prose(value: &Value, is_name: bool) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| is_name || !is_prose(key))
            .map(|(key, value)| (key.clone(), without_prose(value, !is_name && key == "properties")))
            .collect(),
        Value::Array(items) => items.iter().map(|item| without_prose(item, false)).collect(),
        other => other.clone(),
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, name), parts) in &self.0 {
            let line = serde_json::to_string(&(kind, name, parts)).map_err(|_| fmt::Error)?;
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl FromStr for Facts {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let line = |(index, line): (usize, &str)| {
            let read = serde_json::from_str::<(Kind, String, Parts)>(line);
            let (kind, name, parts) = read.map_err(|error| {
                let problem = format!("this is not a line of facts: {error}");
                Error::at(format!("line {}", index + 1), problem, "delete the file; the next run writes it")
            })?;
            Ok(((kind, name), parts))
        };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("//"));
        Ok(Self(lines.map(line).collect::<Result<_, _>>()?))
    }
}
