//! References and schemas that the generator behind would trip over.

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Map, Value};

use super::{distinct, identifier};
use crate::document::{self, Place};
use crate::error::{Error, Result};
use crate::pointer;

/// Names of Rust that generated code uses bare, so that no schema may have them.
const TAKEN_TYPES: [&str; 14] = [
    "Box",
    "Client",
    "CountryCode",
    "CurrencyCode",
    "Decimal",
    "Default",
    "FnOnce",
    "Isin",
    "None",
    "Option",
    "Result",
    "Some",
    "String",
    "Vec",
];

/// Keywords that say nothing without a `type`.
const UNTYPED: [&str; 9] = [
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "additionalProperties",
];

const SCHEMAS: &str = "/components/schemas";

/// Checks where references lead.
pub(super) fn references(document: &Value) -> Result<()> {
    document::visit(document, &mut |at, place, value| {
        let Some(reference) = value.get("$ref").filter(|_| place != Place::NamedSchemas) else {
            return Ok(());
        };
        let target = reference.as_str().unwrap_or_default();
        let Some(local) = target.strip_prefix('#') else {
            return Err(Error::at(
                at,
                format!("the reference {reference} leaves the document"),
                "copy its target into `components`",
            ));
        };
        if document.pointer(local).is_none() {
            return Err(Error::at(
                at,
                format!("the reference `{target}` leads nowhere"),
                "correct it, or add its target",
            ));
        }
        let (kind, name) =
            local.strip_prefix("/components/").and_then(|at| at.split_once('/')).unwrap_or_default();
        if name.is_empty()
            || name.contains('/')
            || expected_kind(at, place).is_some_and(|expected| kind != expected)
        {
            return Err(Error::at(
                at,
                format!("the reference `{target}` leads to no component of its kind"),
                "move its target into `components`, and refer to it there",
            ));
        }
        if document::resolve(document, value).get("$ref").is_some() {
            return Err(Error::at(
                at,
                format!("the reference `{target}` leads back to itself"),
                "break the circle",
            ));
        }
        Ok(())
    })
}

/// The kind of component that a reference at this place leads to.
fn expected_kind(at: &str, place: Place) -> Option<&'static str> {
    let mut keys = at.rsplit('/');
    match (place, keys.next()?, keys.next()?) {
        (Place::Schema, _, _) => Some("schemas"),
        (_, "requestBody", _) => Some("requestBodies"),
        (_, _, "parameters") => Some("parameters"),
        (_, _, "responses") => Some("responses"),
        (_, _, "headers") => Some("headers"),
        _ => None,
    }
}

/// Checks that each component can become a type.
pub(super) fn components(document: &Value) -> Result<()> {
    for at in ["/components", SCHEMAS] {
        if let Some(other) = document.pointer(at).filter(|found| !found.is_object()) {
            return Err(Error::at(
                at,
                format!("{other} holds no components"),
                "write an object of components",
            ));
        }
    }
    let mut seen = BTreeMap::new();
    for (name, schema) in document.pointer(SCHEMAS).and_then(Value::as_object).into_iter().flatten() {
        let at = pointer::join(SCHEMAS, name);
        let rust = name.to_pascal_case();
        if !type_name(&rust) {
            return Err(Error::at(at, format!("`{name}` cannot name a Rust type"), "rename the schema"));
        }
        distinct(&mut seen, &rust, name, &at, "schemas", "type")?;
        if schema.is_object() && schema.get("properties").is_none() {
            return Err(Error::at(
                at,
                format!("the component `{name}` is no object with properties"),
                "describe such a value where it is used",
            ));
        }
    }
    Ok(())
}

/// Checks every schema where it stands.
pub(super) fn schemas(document: &Value) -> Result<()> {
    document::visit(document, &mut |at, place, value| match (place, value) {
        (Place::NamedSchemas, Value::Object(_)) if at.ends_with("/properties") => {
            let mut seen = BTreeMap::new();
            for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                let at = pointer::join(at, name);
                distinct(&mut seen, &name.to_snake_case(), name, &at, "properties", "field")?;
            }
            Ok(())
        }
        (Place::Schema, Value::Object(schema)) => self::schema(schema, at),
        (Place::Schema, Value::Bool(_)) if at.ends_with("/additionalProperties") => Ok(()),
        (Place::Schema, other) => {
            Err(Error::at(at, format!("{other} is no schema"), "write an object of keywords"))
        }
        _ => Ok(()),
    })
}

fn schema(schema: &Map<String, Value>, at: &str) -> Result<()> {
    let refused = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
    if schema.contains_key("$ref") {
        return Ok(());
    }
    let explicit = schema.get("x-type-name");
    if let Some(name) = explicit.filter(|name| !name.as_str().is_some_and(type_name)) {
        return refused(
            format!("`x-type-name: {name}` cannot name a Rust type"),
            "use words, as in `OrderSide`",
        );
    }
    let mut alternatives = ["oneOf", "anyOf", "not"].into_iter();
    if let Some(keyword) = alternatives.find(|keyword| schema.contains_key(*keyword)) {
        return refused(
            format!("`{keyword}` has no Rust type yet"),
            "replace the alternatives in the overlay by what all of them have",
        );
    }
    match schema.get("allOf").map(|all| all.as_array().map(Vec::len)) {
        Some(Some(1)) if !schema.contains_key("properties") => Ok(()),
        Some(_) => refused("`allOf` joins several schemas".to_owned(), "write the joined properties out"),
        None => object(schema, at).and_then(|()| typed(schema, at)),
    }
}

/// Checks `properties` and `required`.
fn object(schema: &Map<String, Value>, at: &str) -> Result<()> {
    let refused = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
    let properties = schema.get("properties");
    if properties.is_some() && !named(at) {
        return refused(
            "an object is described inside another schema".to_owned(),
            "move it to `components/schemas` and refer to it",
        );
    }
    if properties.and_then(Value::as_object).is_some_and(Map::is_empty) {
        return refused(
            "an object without properties".to_owned(),
            "describe them, or leave `properties` out for a map",
        );
    }
    let described = |name: &&Value| {
        name.as_str().is_some_and(|name| properties.is_some_and(|all| all.get(name).is_some()))
    };
    let mut required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    match required.find(|name| !described(name)) {
        Some(name) => {
            refused(format!("the field {name} is required and not described"), "add it to `properties`")
        }
        None => Ok(()),
    }
}

/// Checks `type` and what depends on it.
fn typed(schema: &Map<String, Value>, at: &str) -> Result<()> {
    let refused = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
    match schema.get("type").map(|kind| kind.as_str().unwrap_or_default()) {
        Some("array") if !schema.contains_key("items") => {
            refused("the items of the array are not described".to_owned(), "add `items`")
        }
        Some("integer" | "number" | "boolean" | "array" | "object") if schema.contains_key("enum") => {
            refused(
                "an enum of other values than strings".to_owned(),
                "leave `enum` out, and name the values in the description",
            )
        }
        Some("string" | "integer" | "number" | "boolean" | "array" | "object") => Ok(()),
        Some(_) => refused(
            format!("the type is {}", schema["type"]),
            "use one of string, integer, number, boolean, array, object",
        ),
        None => match UNTYPED.into_iter().find(|keyword| schema.contains_key(*keyword)) {
            Some(keyword) => refused(format!("there is `{keyword}` but no `type`"), "add `type`"),
            None => Ok(()),
        },
    }
}

/// Whether the schema at this place gets a name: a component has one, a body or an answer is named after its operation.
fn named(at: &str) -> bool {
    match at.strip_prefix(SCHEMAS) {
        Some(name) => name.matches('/').count() == 1,
        None => at.starts_with("/paths/") && at.contains("/content/") && at.ends_with("/schema"),
    }
}

fn type_name(name: &str) -> bool {
    identifier(name) && name == name.to_pascal_case() && !TAKEN_TYPES.contains(&name)
}
