//! A list of the facts that a description states. It is easy to compare, and is stored with the generated code.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::describe::{Source, describe, model_of};
use crate::document;
use crate::error::Errors;
use crate::model::Api;
use crate::pointer;
use crate::survey::{self, Held, Survey, Visit};

/// The facts about each part of an item, by name. Facts with the value `none` or `no` are left out. The part `""` is
/// the whole item.
pub type Parts = BTreeMap<String, BTreeMap<String, String>>;

/// What a description states, for comparison with another version: its operations, types, enums, ids and events, as in
/// the [model](mod@crate::model); the values that they accept; and the parts that produce no code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub(super) subjects: BTreeMap<String, Parts>,
    /// The operations that are left out, by id, with the reason.
    pub(super) left_out: BTreeMap<String, String>,
}

impl Facts {
    /// Reads a description, with `overlay` merged into it.
    ///
    /// # Errors
    ///
    /// As [`model`](fn@crate::model).
    pub fn read(spec: &Source, overlay: Option<&Source>) -> Result<Self, Errors> {
        let document = describe(spec, overlay)?;
        let api = model_of(&document, spec)?;
        Ok(Self::new(&document, &api))
    }

    /// The facts of `document`, whose model is `api`.
    pub(crate) fn new(document: &Value, api: &Api) -> Self {
        let mut facts = Self::default();
        facts.add_description_facts(document, api);
        facts.add_model_facts(api);
        facts.add_operation_facts(document, api);
        let survey = Survey::new(document, api);
        facts.add_value_facts(&survey, api);
        facts.add_component_facts(document, &survey);
        facts
    }

    fn set(&mut self, what: &str, part: &str, fact: &str, value: &str) {
        let facts = self
            .subjects
            .entry(what.to_owned())
            .or_default()
            .entry(part.to_owned())
            .or_default();
        if !matches!(value, "" | "none" | "no") {
            facts.insert(fact.to_owned(), value.to_owned());
        }
    }

    /// Sets a fact, unless it has no value.
    fn set_if_any(&mut self, what: &str, part: &str, fact: &str, value: &str) {
        if !value.is_empty() {
            self.set(what, part, fact, value);
        }
    }

    /// Adds the facts about the description as a whole.
    fn add_description_facts(&mut self, document: &Value, api: &Api) {
        self.set("description", "", "title", &api.title);
        self.set("description", "", "version", &api.version);
        self.set("description", "", "servers", &servers(document));
    }

    /// Adds the facts that the model contains, and how the Rust type of each field expresses its absence.
    fn add_model_facts(&mut self, api: &Api) {
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
                self.set(&what, "", "", "none");
                self.add_item_facts(&what, "", item);
            }
        }
        for kind in &api.event_kinds {
            let part = format!("variant {}", kind.wire);
            self.set("event kinds", &part, "name", &kind.name);
        }
        for schema in &api.schemas {
            for field in schema.fields() {
                let how = match (field.distinguishes_null(schema), field.is_option(schema)) {
                    (true, _) => "Option<Nullable>",
                    (_, true) => "Option",
                    _ => "value",
                };
                let what = format!("type {}", schema.name);
                let part = format!("field {}", field.name);
                self.set(&what, &part, "in Rust", how);
            }
        }
    }

    /// Adds the facts of an item of the model. Each entry of its lists, such as a parameter, becomes a part.
    fn add_item_facts(&mut self, what: &str, part: &str, item: &Value) {
        for (key, value) in item.as_object().into_iter().flatten() {
            let list = value.as_array().into_iter().flatten();
            match key.as_str() {
                "description" | "summary" | "pointer" | "wire" | "object" | "id" | "errors" => {}
                "name" if item.get("wire").is_none() => {}
                "types" => {
                    for name in list {
                        self.set(what, &format!("object {}", text(name)), "", "none");
                    }
                }
                "parameters" | "fields" | "variants" => {
                    for item in list {
                        let name = text(item.get("wire").unwrap_or(&item["name"]));
                        let part = format!("{} {name}", key.trim_end_matches('s'));
                        self.add_item_facts(what, &part, item);
                    }
                }
                "paging" => {
                    for (bound, value) in value.as_object().into_iter().flatten() {
                        self.set(what, part, &format!("page size {bound}"), &text(value));
                    }
                    let is_paged = if value.is_object() { "yes" } else { "no" };
                    self.set(what, part, "paging", is_paged);
                }
                "response" | "union" => self.add_item_facts(what, part, value),
                _ => self.set(what, part, &key.replace('_', " "), &text(value)),
            }
        }
    }

    /// Adds facts that the model lacks about each operation, and records the operations that are left out.
    fn add_operation_facts(&mut self, document: &Value, api: &Api) {
        let ids: BTreeMap<(&str, &str), &str> = api
            .operations
            .iter()
            .map(|it| ((it.method.as_str(), it.path.as_str()), it.id.as_str()))
            .collect();
        for found in document::operations(document) {
            let method = found.method.to_ascii_uppercase();
            let Some(id) = ids.get(&(method.as_str(), found.path)) else {
                self.left_out
                    .insert(found.id(), reason_left_out(&found, api));
                continue;
            };
            let what = format!("operation {id}");
            self.add_facts_of_operation(&what, &found, document);
        }
    }

    fn add_facts_of_operation(
        &mut self,
        what: &str,
        found: &document::Operation<'_>,
        document: &Value,
    ) {
        for (key, value) in found.value.as_object().into_iter().flatten() {
            match key.as_str() {
                "parameters" | "requestBody" | "responses" | "operationId" | "tags" | "summary"
                | "description" | "externalDocs" | "security" | "x-rust-name" => {}
                "servers" => self.set(what, "", key, &servers(found.value)),
                "deprecated" => self.set(what, "", key, &text(value)),
                _ => self.set(what, "", key, &digest(value)),
            }
        }
        for (_, parameter) in found.parameters(document) {
            self.add_parameter_facts(what, parameter);
        }
        if let Some((_, body)) = found.request_body(document) {
            self.set(what, "body", "required", &text(&body["required"]));
            self.add_media_type_facts(what, "body", body);
        }
        let mut statuses = Vec::new();
        for (status, response) in found.responses(document) {
            statuses.push(status);
            let is_success = found.is_success(status);
            let part = if is_success { "response" } else { "errors" };
            self.add_media_type_facts(what, part, response);
            for key in ["headers", "links"] {
                let fact = format!("{status}: {key}");
                self.set_if_any(what, part, &fact, &digest(&response[key]));
            }
        }
        self.set(what, "", "statuses", &statuses.join(", "));
    }

    /// Adds how a parameter is serialized. The model does not contain the headers that the client sets by itself; for
    /// these, adds that they exist.
    fn add_parameter_facts(&mut self, what: &str, parameter: &Value) {
        let name = text(&parameter["name"]);
        let known = format!("parameter {name}");
        let is_known = self
            .subjects
            .get(what)
            .is_some_and(|parts| parts.contains_key(&known));
        let part = if is_known {
            known
        } else {
            format!("header {name}")
        };
        self.set(what, &part, "", "none");
        for (key, value) in parameter.as_object().into_iter().flatten() {
            match key.as_str() {
                "name" | "in" | "schema" | "description" | "example" | "examples"
                | "x-rust-name" => {}
                "required" if is_known => {}
                "content" => self.add_media_type_facts(what, &part, parameter),
                // An absent flag such as `explode` may mean `true`, so `false` is a fact.
                _ if *value == Value::Bool(false) && key != "deprecated" => {
                    self.set(what, &part, key, "false");
                }
                _ => self.set(what, &part, key, &text(value)),
            }
        }
    }

    /// Adds the media types of a body or a response, and the keywords of each, such as `encoding`.
    fn add_media_type_facts(&mut self, what: &str, part: &str, body: &Value) {
        let content = body["content"].as_object();
        let names: Vec<&str> = content
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        self.set_if_any(what, part, "media types", &names.join(", "));
        for (name, media) in content.into_iter().flatten() {
            for (key, value) in media.as_object().into_iter().flatten() {
                if !matches!(key.as_str(), "schema" | "example" | "examples") {
                    self.set(what, part, &format!("{name}: {key}"), &digest(value));
                }
            }
        }
    }

    /// Adds the keywords that the types of values do not express, and the values of their enums that they do not
    /// accept. Several places of the description can belong to one part of the crate; their facts are joined.
    fn add_value_facts(&mut self, survey: &Survey<'_>, api: &Api) {
        let mut all: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
        for visit in survey.visits.iter().filter(|it| it.held != Held::Nothing) {
            for (place, values) in facts_of_value(visit, api) {
                all.entry(place).or_default().extend(values);
            }
        }
        for (place, values) in all {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            self.set(&place.what, &place.part, &place.fact, &values.join(" or "));
        }
    }

    /// Adds the components that are neither a type nor a part of an operation.
    fn add_component_facts(&mut self, document: &Value, survey: &Survey<'_>) {
        let reached: BTreeSet<&str> = survey
            .visits
            .iter()
            .flat_map(|visit| &visit.members.places)
            .map(String::as_str)
            .collect();
        for (section, items) in document["components"].as_object().into_iter().flatten() {
            for (name, item) in items.as_object().into_iter().flatten() {
                let at = pointer::join(&pointer::join("/components", section), name);
                let is_value = match section.as_str() {
                    "schemas" => reached.contains(at.as_str()),
                    "parameters" | "requestBodies" | "responses" => {
                        let inner = format!("{at}/");
                        let next = reached.range(inner.as_str()..).next();
                        next.is_some_and(|place| place.starts_with(&inner))
                    }
                    _ => false,
                };
                if !is_value {
                    self.set(&format!("place {at}"), "", "content", &digest(item));
                }
            }
        }
    }
}

/// The place of a fact.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    what: String,
    part: String,
    fact: String,
}

fn facts_of_value(visit: &Visit<'_>, api: &Api) -> Vec<(Place, BTreeSet<String>)> {
    let Visit {
        members,
        held,
        site,
    } = visit;
    let (what, part, way) = match held.schema() {
        Some(name) => (format!("type {name}"), "", ""),
        None => (site.what.clone(), site.part.as_str(), site.way.as_str()),
    };
    let place = |keyword: &str| Place {
        what: what.clone(),
        part: part.to_owned(),
        fact: format!("{way}{keyword}"),
    };
    let mut facts = Vec::new();
    for (keyword, values) in &members.keywords {
        facts.push((place(keyword), values.clone()));
    }
    if !held.is_typed() {
        let is_there = BTreeSet::from(["yes".to_owned()]);
        facts.push((place("is described"), is_there));
        for (keyword, values) in &members.structure {
            facts.push((place(keyword), values.clone()));
        }
    }
    let listed = members.enumerated.iter().map(|value| value.text.as_str());
    let listed: BTreeSet<&str> = listed.collect();
    if let Some(name) = held.enumeration() {
        let whole = api.enums.iter().filter(|item| item.name == *name);
        let others = whole
            .flat_map(|item| &item.variants)
            .filter(|variant| !listed.is_empty() && !listed.contains(variant.wire.as_str()));
        for variant in others {
            let is_not = BTreeSet::from(["not listed".to_owned()]);
            facts.push((place(&format!("value {}", variant.wire)), is_not));
        }
    } else {
        for value in listed {
            let is = BTreeSet::from(["listed".to_owned()]);
            facts.push((place(&format!("value {value}")), is));
        }
    }
    facts
}

/// Returns the problem that caused an operation to be left out.
fn reason_left_out(found: &document::Operation<'_>, api: &Api) -> String {
    let is_about = |problem: &&crate::Error| {
        let at = problem.pointer();
        at.starts_with(found.pointer.as_str())
            || !at.is_empty() && found.pointer.starts_with(at)
            || at.starts_with(&pointer::join(found.item_pointer(), "parameters"))
    };
    let problem = api.left_out.iter().find(is_about);
    problem.map_or_else(String::new, |problem| problem.problem().to_owned())
}

/// Returns the URLs of the servers, separated by commas.
fn servers(value: &Value) -> String {
    let servers = value["servers"].as_array().into_iter().flatten();
    let urls: Vec<String> = servers.map(|server| text(&server["url"])).collect();
    urls.join(", ")
}

/// Formats a value for people. An absent value becomes `none`, and a flag `yes` or `no`.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| *key != "description");
            let members = members.map(|(key, value)| format!("{key} {}", text(value)));
            members.collect::<Vec<_>>().join(", ")
        }
        other => survey::text(other),
    }
}

/// Returns a value without its descriptions: as it is if it is short, else as a digest. Empty for `null`.
fn digest(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        value => without_prose(value).to_string(),
    };
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
