//! Tests of the model of descriptions, with one table for each rule.

#![allow(
    clippy::format_push_string,
    clippy::unnecessary_debug_formatting,
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "plain text for people"
)]

#[path = "../common/outline.rs"]
mod outline;

mod debug;
mod details;
mod dialects;
mod events;
mod names;
mod objects;
mod operations;
mod problems;
mod values;
mod vendored;

use upvest_gen::model::{Api, Schema};
use upvest_gen::{Error, Source, model};

use outline::outline;

/// The model of a description with these parts, which follow `openapi` and `info`.
fn read(version: &str, parts: &str) -> Result<Api, Vec<Error>> {
    let text = format!("openapi: {version}\ninfo: {{ title: T, version: '1' }}\n{parts}");
    model(&Source::new("api.yaml", text), None).map_err(|errors| errors.iter().cloned().collect())
}

/// As [`read`], for a description without problems.
#[track_caller]
fn sound(parts: &str) -> Api {
    let api = read("3.1.0", parts).unwrap_or_else(|errors| panic!("{errors:#?}\n{parts}"));
    assert!(
        api.left_out.is_empty() && api.notes.is_empty(),
        "{}\n{parts}",
        outline(&api)
    );
    api
}

/// The model of component schemas. Those whose names end in `Create` or `Update` are request bodies, the others are
/// answers.
#[track_caller]
fn schemas(text: &str) -> Api {
    sound(&document_of(text))
}

/// A description with an operation for each component schema.
fn document_of(schemas: &str) -> String {
    let mut paths = String::new();
    let names = schemas.lines().filter(|line| !line.starts_with([' ', '#']));
    for name in names
        .filter_map(|line| line.split(':').next())
        .filter(|name| !name.is_empty())
    {
        let content = format!(
            "{{ application/json: {{ schema: {{ $ref: '#/components/schemas/{name}' }} }} }}"
        );
        let operation = if name.ends_with("Create") || name.ends_with("Update") {
            format!(
                "{{ operationId: send{name}, requestBody: {{ content: {content} }}, responses: {{ '204': {{}} }} }}"
            )
        } else {
            format!(
                "{{ operationId: read{name}, responses: {{ '200': {{ content: {content} }} }} }}"
            )
        };
        let path: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        paths.push_str(&format!("  /{path}: {{ post: {operation} }}\n"));
    }
    let schemas = schemas
        .lines()
        .fold(String::new(), |text, line| text + "    " + line + "\n");
    format!("paths:\n{paths}components:\n  schemas:\n{schemas}")
}

#[track_caller]
fn find<'a>(api: &'a Api, name: &str) -> &'a Schema {
    let found = api.schemas.iter().find(|schema| schema.name == name);
    found.unwrap_or_else(|| panic!("there is no {name} in:\n{}", outline(api)))
}

/// The type of the field `field` of an `Order` that has only this field.
#[track_caller]
fn field(field: &str, schema: &str) -> String {
    let api = schemas(&format!(
        "Order: {{ type: object, required: [{field}], properties: {{ {field}: {schema} }} }}"
    ));
    outline::field(&find(&api, "Order").fields()[0])
}

/// Returns the model of component schemas, for which one note reports this problem.
#[track_caller]
fn noted(text: &str, problem: &str) -> Api {
    let api = read("3.1.0", &document_of(text)).unwrap();
    let notes: Vec<&str> = api.notes.iter().map(Error::problem).collect();
    assert!(
        matches!(notes.as_slice(), [note] if note.contains(problem)),
        "{text}: {notes:?}"
    );
    api
}

/// As [`field`], for a schema for which a note reports this problem.
#[track_caller]
fn noted_field(field: &str, schema: &str, problem: &str) -> String {
    let text = format!(
        "Order: {{ type: object, required: [{field}], properties: {{ {field}: {schema} }} }}"
    );
    outline::field(&find(&noted(&text, problem), "Order").fields()[0])
}

/// The enums of a model: `OrderSide: BUY SELL`.
fn enums(api: &Api) -> Vec<String> {
    api.enums
        .iter()
        .map(|item| format!("{}: {}", item.name, outline::variants(item)))
        .collect()
}

fn ids(api: &Api) -> Vec<&str> {
    api.ids.iter().map(|id| id.name.as_str()).collect()
}

/// Compares each row with the expected value, and prints all rows that differ.
#[track_caller]
fn assert_rows<'r>(rows: &[(&'r str, &str)], find: impl Fn(&'r str) -> String) {
    let mut differing = String::new();
    for (input, expected) in rows {
        let found = find(input);
        if found != *expected {
            differing.push_str(&format!(
                "{input}\n  expected: {expected}\n  found:    {found}\n"
            ));
        }
    }
    assert!(differing.is_empty(), "{differing}");
}
