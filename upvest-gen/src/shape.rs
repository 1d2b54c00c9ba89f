//! Gives inline schemas names, once, and turns what the description says of a value into the Rust type that keeps it.
//!
//! The types that stand for ids, enums, codes and decimals are no schemas of the result: [`Shaped::replacements`] tells the
//! generator which path each name stands for.

mod lists;
mod names;
mod operations;

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Map, Value, json};

use crate::document;
use crate::error::{Error, Result};
use crate::pointer;
use names::{Named, Names, entity};
use operations::contents_mut;

pub(crate) use names::{EnumType, IdType};

const SCHEMAS: &str = "/components/schemas";

/// A document in which every type has a name, and the types that the generator need not write.
pub(crate) struct Shaped {
    pub(crate) document: Value,
    pub(crate) ids: Vec<IdType>,
    pub(crate) enums: Vec<EnumType>,
    /// Names of schemas that stand for a Rust type, with its path.
    pub(crate) replacements: BTreeMap<String, String>,
    /// Names of the structs that go out in a request body, with all they hold.
    pub(crate) sent: BTreeSet<String>,
}

/// Shapes a checked 3.0 document.
pub(crate) fn shape(mut document: Value) -> Result<Shaped> {
    operations::content_types(&mut document);
    operations::hoist_inline_objects(&mut document)?;
    let problem = operations::errors(&mut document)?;
    operations::transport_headers(&mut document);
    let (sent, listed) = (sent(&document), listed(&document));
    let mut shaper = Shaper { names: Names::default(), replacements: BTreeMap::new(), sent: &sent };
    shaper.schemas(&mut document)?;
    shaper.parameters(&mut document, &listed)?;
    let Shaper { names, mut replacements, .. } = shaper;
    replacements.insert(problem, "crate::types::Problem".to_owned());
    replacements.extend(lists::listings(&mut document)?);
    let Named { ids, enums } = names.finish()?;
    let named = ids.iter().map(|id| &id.name).chain(enums.iter().map(|item| &item.name));
    replacements.extend(named.map(|name| (name.clone(), format!("crate::types::{name}"))));
    // The generator takes a replacement for a component alone.
    if let Some(schemas) = document.pointer_mut(SCHEMAS).and_then(Value::as_object_mut) {
        for (name, path) in &replacements {
            if schemas.get(name).is_some_and(|_| !path.ends_with("::Problem")) {
                return Err(Error::at(
                    pointer::join(SCHEMAS, name),
                    format!("`{name}` names a schema and a type that follows from a field"),
                    "rename one of them by `x-type-name` in the overlay",
                ));
            }
            schemas.insert(name.clone(), json!({ "type": "string" }));
        }
    }
    Ok(Shaped { document, ids, enums, replacements, sent })
}

/// The component schemas that a request body reaches.
fn sent(document: &Value) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    let mut open: Vec<&Value> = document::operations(document)
        .filter_map(|operation| operation.value.get("requestBody"))
        .map(|body| document::resolve(document, body))
        .collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(name) = document::schema_name(value)
                    && sent.insert(name.to_owned())
                {
                    open.push(document::resolve(document, value));
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    sent
}

struct Shaper<'a> {
    names: Names,
    replacements: BTreeMap<String, String>,
    sent: &'a BTreeSet<String>,
}

impl Shaper<'_> {
    fn schemas(&mut self, document: &mut Value) -> Result<()> {
        let Some(schemas) = document.pointer_mut(SCHEMAS).and_then(Value::as_object_mut) else {
            return Ok(());
        };
        for (name, schema) in schemas {
            let at = pointer::join(SCHEMAS, name);
            self.object(schema, name, &at)?;
        }
        Ok(())
    }

    fn object(&mut self, schema: &mut Value, name: &str, at: &str) -> Result<()> {
        let Some(schema) = schema.as_object_mut() else {
            return Ok(());
        };
        open(schema);
        let required: Vec<Value> =
            schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            return Ok(());
        };
        for (field, value) in properties {
            let at = pointer::join(&pointer::join(at, "properties"), field);
            let optional = !required.iter().any(|required| required == field);
            self.value(value, &entity(name), field, &at)?;
            if optional {
                self.optional(value, name, &at)?;
            }
        }
        Ok(())
    }

    /// Shapes the value called `field` of `entity`.
    fn value(&mut self, schema: &mut Value, entity: &str, field: &str, at: &str) -> Result<()> {
        let Some(object) = schema.as_object_mut() else {
            return Ok(());
        };
        object.shift_remove("default");
        let explicit = object.get("x-type-name").and_then(Value::as_str).map(str::to_owned);
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let format = object.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
        let pattern = object.get("pattern").and_then(Value::as_str).unwrap_or_default();
        match (kind.as_str(), format.as_str()) {
            ("string", "uuid") => {
                let name = explicit.or_else(|| id_name(entity, field));
                if let Some(name) = name {
                    self.names.id(&name);
                    refer(object, &name);
                }
            }
            ("string", "decimal") => self.replace(object, "Decimal", "crate::types::Decimal"),
            ("string", _) if object.contains_key("enum") => {
                let name = explicit.unwrap_or_else(|| format!("{entity}-{field}").to_pascal_case());
                self.names.values(&name, object, at)?;
                refer(object, &name);
            }
            ("string", _) if explicit.is_some() => {
                let name = explicit.unwrap_or_default();
                self.names.mention(&name, at);
                refer(object, &name);
            }
            ("string", _) => match pattern {
                "^[A-Z]{3}$" => self.replace(object, "CurrencyCode", "crate::types::CurrencyCode"),
                "^[A-Z]{2}$" => self.replace(object, "CountryCode", "crate::types::CountryCode"),
                "^[A-Z]{2}[A-Z0-9]{9}[0-9]$" => self.replace(object, "Isin", "crate::types::Isin"),
                // The server judges what it is sent; no expression runs on what it sends.
                _ => ["pattern", "minLength", "maxLength"].into_iter().for_each(|keyword| {
                    object.shift_remove(keyword);
                }),
            },
            ("integer", _) => integer(object),
            ("number", "float" | "double") => unbounded(object),
            ("number", _) => {
                return Err(Error::at(
                    at,
                    format!("`{field}` of {entity} is a JSON number, which cannot be read exactly"),
                    "give it `format: double` in the overlay if it is no amount",
                ));
            }
            ("array", _) => {
                if let Some(items) = object.get_mut("items") {
                    self.value(items, entity, singular(field), &pointer::join(at, "items"))?;
                }
            }
            ("object", _) => {
                open(object);
                if let Some(values) = object.get_mut("additionalProperties") {
                    self.value(values, entity, singular(field), &pointer::join(at, "additionalProperties"))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What an optional field needs besides: absent is not empty, and in a request null is not absent.
    fn optional(&mut self, schema: &mut Value, name: &str, at: &str) -> Result<()> {
        let Some(object) = schema.as_object_mut() else {
            return Ok(());
        };
        let nullable = object.get("nullable") == Some(&json!(true)) && self.sent.contains(name);
        if !nullable && object.get("type").is_none_or(|kind| kind != "array") {
            return Ok(());
        }
        let path = self.rust_path(object).ok_or_else(|| {
            Error::at(
                at,
                "the optional field holds an inline type",
                "move its schema to `components/schemas`",
            )
        })?;
        let (label, path) = if nullable {
            (format!("Nullable{}", label(&path)), format!("crate::runtime::Nullable<{path}>"))
        } else {
            (label(&path), path)
        };
        object.shift_remove("nullable");
        self.replace(object, &label, &path);
        Ok(())
    }

    /// The Rust type of a value that is shaped already, where it needs no type of its own.
    fn rust_path(&self, schema: &Map<String, Value>) -> Option<String> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next()?;
            return Some(
                self.replacements
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| format!("crate::types::{}", name.to_pascal_case())),
            );
        }
        if let Some([Value::Object(only)]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        {
            return self.rust_path(only);
        }
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let path = match (schema.get("type")?.as_str()?, format) {
            ("array", _) => {
                let items = schema.get("items")?.as_object()?;
                let item = self.rust_path(items)?;
                let nullable = items.get("nullable") == Some(&json!(true));
                let item = if nullable { format!("::std::option::Option<{item}>") } else { item };
                return Some(format!("::std::vec::Vec<{item}>"));
            }
            ("string", "uuid") => "::uuid::Uuid",
            ("string", "date") => "::chrono::naive::NaiveDate",
            ("string", "date-time") => "::chrono::DateTime<::chrono::offset::Utc>",
            ("string", _) => "::std::string::String",
            ("integer", "uint32") => "u32",
            ("integer", "uint64") => "u64",
            ("integer", _) => "i64",
            ("boolean", _) => "bool",
            ("number", _) => "f64",
            _ => return None,
        };
        Some(path.to_owned())
    }

    fn replace(&mut self, schema: &mut Map<String, Value>, name: &str, path: &str) {
        self.replacements.insert(name.to_owned(), path.to_owned());
        refer(schema, name);
    }

    /// Parameters: a path parameter is an id by its name, a filter of a list has the type of the items' field.
    fn parameters(&mut self, document: &mut Value, listed: &BTreeMap<String, String>) -> Result<()> {
        let shared = document.pointer_mut("/components/parameters").and_then(Value::as_object_mut);
        for (name, parameter) in shared.into_iter().flatten() {
            let at = pointer::join("/components/parameters", name);
            self.parameter(parameter, name, &at)?;
        }
        for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
            let at = pointer::join("/paths", path);
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
                let at = pointer::join(&at, method);
                let named = id.to_pascal_case();
                let entity = listed.get(&id).unwrap_or(&named);
                for (schema, word) in contents_mut(operation) {
                    self.value(schema, &named, word, &at)?;
                }
                // The path item's own list, or the operation's.
                let list =
                    if method == "parameters" { Some(operation) } else { operation.get_mut("parameters") };
                for (index, parameter) in list.and_then(Value::as_array_mut).into_iter().flatten().enumerate()
                {
                    self.parameter(parameter, entity, &format!("{at}/parameters/{index}"))?;
                }
            }
        }
        Ok(())
    }

    fn parameter(&mut self, parameter: &mut Value, entity: &str, at: &str) -> Result<()> {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        match parameter.get_mut("schema") {
            Some(schema) => self.value(schema, entity, &name, &pointer::join(at, "schema")),
            None => Ok(()),
        }
    }
}

/// `id` of an order is an `OrderId`, and so is an `order_id` anywhere.
fn id_name(entity: &str, field: &str) -> Option<String> {
    let field = field.to_snake_case();
    match field.strip_suffix("_id") {
        Some(thing) => Some(format!("{}Id", thing.to_pascal_case())),
        None => (field == "id").then(|| format!("{entity}Id")),
    }
}

/// A closed object would refuse the field that the next release adds.
fn open(schema: &mut Map<String, Value>) {
    if schema.get("additionalProperties") == Some(&json!(false)) {
        schema.shift_remove("additionalProperties");
    }
}

/// Bounds are the server's to check; they only choose the width, and never a `NonZero` type.
fn integer(schema: &mut Map<String, Value>) {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let (min, max) = (bound("minimum"), bound("maximum"));
    let format = match (min, max) {
        (Some(_), Some(max)) if u32::try_from(max).is_ok() => Some("uint32"),
        (Some(_), _) => Some("uint64"),
        _ => None,
    };
    unbounded(schema);
    if let Some(format) = format {
        schema.insert("format".to_owned(), json!(format));
    }
}

fn unbounded(schema: &mut Map<String, Value>) {
    for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"] {
        schema.shift_remove(keyword);
    }
}

/// Puts a reference in place of a schema; its documentation stays beside it.
fn refer(schema: &mut Map<String, Value>, name: &str) {
    schema.retain(|key, _| matches!(key.as_str(), "description" | "x-sensitive" | "nullable"));
    let target = json!(format!("#{SCHEMAS}/{name}"));
    if schema.get("nullable") == Some(&json!(true)) {
        schema.insert("allOf".to_owned(), json!([{ "$ref": target }]));
    } else {
        schema.insert("$ref".to_owned(), target);
    }
}

/// A name for a component that stands for the Rust type at `path`.
fn label(path: &str) -> String {
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !matches!(*word, "crate" | "types" | "std" | "runtime"));
    words.map(ToPascalCase::to_pascal_case).collect()
}

fn singular(field: &str) -> &str {
    field.strip_suffix('s').unwrap_or(field)
}

/// The entity that each list operation lists.
fn listed(document: &Value) -> BTreeMap<String, String> {
    let item = |operation: &document::Operation<'_>| {
        let (_, response) = operation.responses(document).find(|(status, _)| document::is_success(status))?;
        let answer = document::resolve(document, &response["content"]["application/json"]["schema"]);
        document::schema_name(&answer["properties"]["data"]["items"]).map(entity)
    };
    document::operations(document)
        .filter_map(|operation| Some((operation.id().to_owned(), item(&operation)?)))
        .collect()
}

#[cfg(test)]
mod tests;
