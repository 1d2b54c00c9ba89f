//! The vendored description states exactly the facts of the interface, and describes everything in words of its own.
//!
//! The facts are in `tests/fixtures/interface.json`. Prose and extensions are not facts.

use std::fmt;
use std::fs;

use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value, json};
use upvest_gen::describe;
use upvest_tests::description::{source, workspace_file};

const FACTS: &str = "tests/fixtures/interface.json";

/// Members that hold prose.
const PROSE: [&str; 8] = [
    "contact",
    "description",
    "example",
    "examples",
    "externalDocs",
    "license",
    "summary",
    "termsOfService",
];

/// Objects whose keys are names that an author chose, not keywords: in `properties`, `description` is a field.
const NAMED: [&str; 4] = ["parameters", "paths", "properties", "schemas"];

#[test]
fn the_description_states_exactly_the_facts_of_the_interface() {
    let description = description();
    if std::env::var_os("UPDATE_INTERFACE").is_some() {
        fs::write(workspace_file(FACTS), pretty(&facts(&description))).unwrap();
    }
    let interface = interface();
    assert_none(&compare(&interface, &description));
    let size = |key: &str| {
        interface
            .pointer(key)
            .and_then(Value::as_object)
            .map(Map::len)
    };
    assert!(size("/paths") > Some(0) && size("/components/schemas") > Some(0));
}

#[test]
fn everything_in_the_description_has_a_text_of_its_own() {
    assert_none(&undescribed(&description()));
}

#[test]
fn each_kind_of_difference_is_found_with_its_operation_or_schema_and_field() {
    let mut description = description();
    let order = "/components/schemas/Order";
    remove(&mut description, "/paths/~1orders/post/requestBody");
    insert(
        &mut description,
        "/paths/~1orders/get",
        "deprecated",
        json!(true),
    );
    set(
        &mut description,
        "/paths/~1orders/get/operationId",
        json!("searchOrders"),
    );
    remove(&mut description, "/paths/~1auth~1token/post");
    set(
        &mut description,
        &format!("{order}/properties/status/enum/0"),
        json!("OPEN"),
    );
    insert(
        &mut description,
        &format!("{order}/properties"),
        "description",
        json!({ "type": "string" }),
    );
    insert(
        &mut description,
        "/components/securitySchemes/oauth2ClientCredentials/flows/clientCredentials/scopes",
        "tests:admin",
        json!("Tests."),
    );
    set(&mut description, "/info/version", json!("2.0.0"));

    let found: Vec<String> = compare(&interface(), &description)
        .iter()
        .map(Mismatch::to_string)
        .collect();
    let expected = [
        "missing: POST /auth/token",
        "unknown: GET /orders /deprecated",
        "differs: GET /orders /operationId: the fact is \"listOrders\", the description has \"searchOrders\"",
        "missing: POST /orders /requestBody",
        "differs: schema Order /properties/status/enum/0: the fact is \"NEW\", the description has \"OPEN\"",
        "unknown: schema Order /properties/description",
        "differs: document /info/version: the fact is \"1.0.0\", the description has \"2.0.0\"",
    ];
    for line in expected {
        assert!(
            found.iter().any(|found| found == line),
            "{line}: {found:#?}"
        );
    }
    let scopes =
        "differs: securityScheme oauth2ClientCredentials /flows/clientCredentials/scopes: ";
    assert!(found.iter().any(|found| found.starts_with(scopes)));
    assert_eq!(found.len(), expected.len() + 1, "{found:#?}");
}

#[test]
fn each_missing_text_is_found_with_its_operation_or_schema_and_field() {
    let mut description = description();
    remove(&mut description, "/paths/~1orders/post/summary");
    set(
        &mut description,
        "/paths/~1orders/post/description",
        json!(" "),
    );
    remove(
        &mut description,
        "/paths/~1orders/post/responses/201/description",
    );
    remove(
        &mut description,
        "/components/parameters/OrderId/description",
    );
    remove(&mut description, "/components/schemas/Order/description");
    remove(
        &mut description,
        "/components/schemas/Order/properties/status/description",
    );
    let found: Vec<String> = undescribed(&description)
        .iter()
        .map(Mismatch::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "undescribed: POST /orders /summary",
            "undescribed: POST /orders /description",
            "undescribed: POST /orders /responses/201/description",
            "undescribed: parameter OrderId /description",
            "undescribed: schema Order /description",
            "undescribed: schema Order /properties/status/description",
        ]
    );
    assert_eq!(compare(&interface(), &description).len(), 0);
}

/// One difference, with the name of the check that found it.
struct Mismatch {
    check: &'static str,
    place: Vec<String>,
    problem: String,
}

impl Mismatch {
    fn new(check: &'static str, place: &[&str], problem: String) -> Self {
        Self {
            check,
            place: place.iter().map(|&step| step.to_owned()).collect(),
            problem,
        }
    }
}

/// The check, the operation or component, and the pointer to the field in it.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place: Vec<&str> = self.place.iter().map(String::as_str).collect();
        let (subject, field) = match place.as_slice() {
            ["paths", path, method, field @ ..] => {
                (format!("{} {path}", method.to_uppercase()), field)
            }
            ["paths", path] => (format!("path {path}"), [].as_slice()),
            ["components", kind, name, field @ ..] => {
                (format!("{} {name}", kind.trim_end_matches('s')), field)
            }
            field => ("document".to_owned(), field),
        };
        write!(f, "{}: {subject}", self.check)?;
        if !field.is_empty() {
            f.write_str(" ")?;
        }
        for step in field {
            write!(f, "/{}", step.replace('~', "~0").replace('/', "~1"))?;
        }
        if !self.problem.is_empty() {
            write!(f, ": {}", self.problem)?;
        }
        Ok(())
    }
}

#[track_caller]
fn assert_none(mismatches: &[Mismatch]) {
    let lines: Vec<String> = mismatches.iter().map(Mismatch::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} mismatches; for a new version of the description, run this test again with UPDATE_INTERFACE=1, and compare \
         {FACTS} with the source of the new version:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

fn description() -> Value {
    let spec = source("spec/upvest-investment-api.yaml");
    describe(&spec, None).unwrap_or_else(|error| panic!("{error}"))
}

fn interface() -> Value {
    let text = fs::read_to_string(workspace_file(FACTS)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Indented with one space, as the fixture is.
fn pretty(value: &Value) -> String {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b" ");
    serde::Serialize::serialize(value, &mut Serializer::with_formatter(&mut text, formatter))
        .unwrap();
    String::from_utf8(text).unwrap() + "\n"
}

/// All differences between the facts of two documents. The order of keys does not matter, the order of a list does.
fn compare(interface: &Value, description: &Value) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    compare_values(&facts(interface), &facts(description), &[], &mut mismatches);
    mismatches
}

fn compare_values(fact: &Value, found: &Value, place: &[&str], mismatches: &mut Vec<Mismatch>) {
    match (fact, found) {
        (Value::Object(fact), Value::Object(found)) => {
            compare_objects(fact, found, place, mismatches);
        }
        (Value::Array(fact), Value::Array(found)) if fact.len() == found.len() => {
            for (index, (fact, found)) in fact.iter().zip(found).enumerate() {
                let index = index.to_string();
                compare_values(fact, found, &[place, &[&index]].concat(), mismatches);
            }
        }
        _ if fact != found => {
            let problem = format!("the fact is {fact}, the description has {found}");
            mismatches.push(Mismatch::new("differs", place, problem));
        }
        _ => {}
    }
}

fn compare_objects(
    fact: &Map<String, Value>,
    found: &Map<String, Value>,
    place: &[&str],
    mismatches: &mut Vec<Mismatch>,
) {
    for (key, fact) in fact {
        let place = [place, &[key]].concat();
        match found.get(key) {
            Some(found) => compare_values(fact, found, &place, mismatches),
            None => mismatches.push(Mismatch::new("missing", &place, String::new())),
        }
    }
    for key in found.keys().filter(|&key| !fact.contains_key(key)) {
        let place = [place, &[key]].concat();
        mismatches.push(Mismatch::new("unknown", &place, String::new()));
    }
}

/// The document without prose and extensions.
fn facts(document: &Value) -> Value {
    let mut facts = without_prose(document, false);
    let schemes = facts.pointer_mut("/components/securitySchemes");
    for scheme in members_mut(schemes) {
        for flow in members_mut(scheme.get_mut("flows")) {
            // The texts of scopes are the values of a map. The facts list the names.
            let names = flow["scopes"].as_object().map(sorted_keys);
            if let Some(names) = names {
                flow["scopes"] = names;
            }
        }
    }
    facts
}

/// `are_names` says whether the keys of an object are names that an author chose.
fn without_prose(value: &Value, are_names: bool) -> Value {
    match value {
        Value::Object(members) => {
            let is_fact = |key: &str| are_names || !(PROSE.contains(&key) || key.starts_with("x-"));
            let facts = members.iter().filter(|(key, _)| is_fact(key));
            let facts = facts.map(|(key, value)| {
                let are_names = !are_names && NAMED.contains(&key.as_str());
                (key.clone(), without_prose(value, are_names))
            });
            Value::Object(facts.collect())
        }
        Value::Array(items) => items
            .iter()
            .map(|item| without_prose(item, false))
            .collect(),
        value => value.clone(),
    }
}

fn members_mut(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    let members = value.and_then(Value::as_object_mut);
    members.into_iter().flat_map(Map::values_mut)
}

fn sorted_keys(map: &Map<String, Value>) -> Value {
    let mut keys: Vec<&str> = map.keys().map(String::as_str).collect();
    keys.sort_unstable();
    json!(keys)
}

/// Every operation, response, parameter, schema and property without a text of its own.
fn undescribed(description: &Value) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    for (path, item) in members(&description["paths"]) {
        for (method, operation) in members(item) {
            if operation.get("responses").is_some() {
                let place = ["paths", path, method];
                need_text(operation, "summary", &place, &mut mismatches);
                need_text(operation, "description", &place, &mut mismatches);
                need_descriptions(operation, "responses", &place, &mut mismatches);
            }
        }
    }
    let components = &description["components"];
    need_descriptions(components, "parameters", &["components"], &mut mismatches);
    need_descriptions(components, "responses", &["components"], &mut mismatches);
    for (name, schema) in members(&components["schemas"]) {
        let place = ["components", "schemas", name];
        need_text(schema, "description", &place, &mut mismatches);
        need_descriptions(schema, "properties", &place, &mut mismatches);
    }
    mismatches
}

/// Each member of `value[key]` needs a description, unless it is a reference.
fn need_descriptions(value: &Value, key: &str, place: &[&str], mismatches: &mut Vec<Mismatch>) {
    for (name, member) in members(&value[key]) {
        if member.get("$ref").is_none() {
            let place = [place, &[key, name]].concat();
            need_text(member, "description", &place, mismatches);
        }
    }
}

fn need_text(value: &Value, key: &str, place: &[&str], mismatches: &mut Vec<Mismatch>) {
    let text = value[key].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        let place = [place, &[key]].concat();
        mismatches.push(Mismatch::new("undescribed", &place, String::new()));
    }
}

/// The members of an object. Other values have none.
fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(key, value)| (key.as_str(), value))
}

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    let value = document.pointer_mut(pointer);
    value.unwrap_or_else(|| panic!("the description has no {pointer}"))
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    *at(document, pointer) = value;
}

fn insert(document: &mut Value, pointer: &str, key: &str, value: Value) {
    let members = at(document, pointer).as_object_mut().unwrap();
    assert_eq!(members.insert(key.to_owned(), value), None);
}

fn remove(document: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let members = at(document, parent).as_object_mut().unwrap();
    let removed = members.remove(&key.replace("~1", "/"));
    assert!(removed.is_some(), "the description has no {pointer}");
}
