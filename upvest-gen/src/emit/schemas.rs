//! Writes the schemas of the model as a document without paths, for progenitor.
//!
//! Progenitor gets the objects. Types that it does not have (ids, enums, codes, decimals, optional lists) become
//! references, and its settings replace them with Rust types.

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, TypeImpl};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::guard::guard;
use crate::model::{Api, Field, Schema, Type};

/// Runs progenitor and returns the types as a syntax tree.
pub(super) fn generate(api: &Api) -> Result<syn::File, Error> {
    let mut replacements = BTreeMap::new();
    let objects = objects(api);
    let mut schemas: Map<String, Value> = api
        .schemas
        .iter()
        .filter(|schema| objects.contains(schema.name.as_str()))
        .map(|schema| {
            (
                key(&schema.name),
                object(schema, &objects, &mut replacements),
            )
        })
        .collect();
    let mut settings = GenerationSettings::new();
    settings
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq");
    for (path, label) in &replacements {
        // Progenitor replaces components by name.
        schemas.insert(label.clone(), json!({ "type": "string" }));
        settings.with_replacement(label, path, [TypeImpl::Display].into_iter());
    }
    let document = json!({
        "openapi": "3.0.3",
        "info": { "title": api.title, "version": api.version },
        "paths": {},
        "components": { "schemas": schemas },
    });
    // The model contains nothing that makes progenitor panic. If it panics all the same, the user gets an error.
    let tokens = guard(|| {
        let description = OpenAPI::deserialize(&document).map_err(|error| error.to_string())?;
        Generator::new(&settings)
            .generate_tokens(&description)
            .map_err(|error| error.to_string())
    });
    let tokens = tokens
        .and_then(|tokens| tokens)
        .map_err(|problem| defect(&format!("progenitor failed: {problem}")))?;
    syn::parse2(tokens).map_err(|error| defect(&format!("progenitor wrote invalid Rust: {error}")))
}

/// The names of the schemas that progenitor writes: objects with fields, but not unions.
pub(super) fn objects(api: &Api) -> BTreeSet<&str> {
    let objects = api
        .schemas
        .iter()
        .filter(|schema| !schema.fields().is_empty());
    objects.map(|schema| schema.name.as_str()).collect()
}

/// An error that no description should cause.
pub(super) fn defect(problem: &str) -> Error {
    Error::at(
        "",
        problem,
        "report this as a bug of the generator, with the description",
    )
}

/// The name of a schema for progenitor. It changes the case of names, so that `OrderAB` and `OrderAb` would become the same.
pub(super) fn key(name: &str) -> String {
    name.bytes().fold("T".to_owned(), |mut key, byte| {
        key.extend([byte >> 4, byte & 15].map(|half| char::from(b'a' + half)));
        key
    })
}

fn object(
    schema: &Schema,
    objects: &BTreeSet<&str>,
    replacements: &mut BTreeMap<String, String>,
) -> Value {
    let properties: Map<String, Value> = schema
        .fields()
        .iter()
        .map(|field| {
            (
                field.name.clone(),
                property(field, schema, objects, replacements),
            )
        })
        .collect();
    let required: Vec<&str> = schema
        .fields()
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name.as_str())
        .collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn property(
    field: &Field,
    schema: &Schema,
    objects: &BTreeSet<&str>,
    replacements: &mut BTreeMap<String, String>,
) -> Value {
    let nullable = field.required && field.is_option(schema);
    let plain = |kind: &str, format: Option<&str>| {
        let mut schema = json!({ "type": kind, "nullable": nullable });
        if let Some(format) = format {
            schema["format"] = json!(format);
        }
        schema
    };
    let reference = |name: &str| {
        let target = json!({ "$ref": format!("#/components/schemas/{name}") });
        if nullable {
            json!({ "allOf": [target], "nullable": true })
        } else {
            target
        }
    };
    match &field.kind {
        _ if field.tells_null(schema) => reference(&replace(&field.inner(schema), replacements)),
        Type::Text => plain("string", None),
        Type::Bool => plain("boolean", None),
        Type::I64 => plain("integer", Some("int64")),
        Type::U32 => plain("integer", Some("uint32")),
        Type::U64 => plain("integer", Some("uint64")),
        Type::F64 => plain("number", Some("double")),
        Type::Uuid => plain("string", Some("uuid")),
        Type::Schema(name) if objects.contains(name.as_str()) && !field.recursive => {
            reference(&key(name))
        }
        _ => reference(&replace(&field.inner(schema), replacements)),
    }
}

/// The name of the component that represents the Rust type at `path`.
fn replace(path: &str, replacements: &mut BTreeMap<String, String>) -> String {
    let number = replacements.len();
    replacements
        .entry(path.to_owned())
        .or_insert_with(|| format!("Replacement{number}Replacement"))
        .clone()
}
