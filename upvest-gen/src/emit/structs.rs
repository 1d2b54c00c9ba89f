//! Lets progenitor write the structs.
//!
//! Progenitor gets the objects of the model as the components of a document without paths:
//!
//! ```text
//! "Object0": {
//!   "type": "object",
//!   "required": ["account_id"],
//!   "properties": {
//!     "account_id": { "type": "string", "format": "AccountId" },
//!     "type": { "type": "string" }
//!   }
//! }
//! ```
//!
//! and, with settings that turn the format `AccountId` into the type of that name and give `Object0` its name, it
//! writes:
//!
//! ```text
//! #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, PartialEq)]
//! #[non_exhaustive]
//! pub struct OrderCreate {
//!     pub account_id: AccountId,
//!     #[serde(rename = "type", skip_serializing_if = "::std::option::Option::is_none")]
//!     pub type_: Option<String>,
//! }
//! ```

use std::collections::BTreeMap;

use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, TypePatch};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use syn::visit_mut::{self, VisitMut};
use syn::{Item, ItemStruct, Path, PathSegment};

use super::defect::defect;
use crate::error::Error;
use crate::model::{Api, Field, Schema, Type};

/// Generates, with progenitor, a struct for each schema that has fields. The keys are the struct names.
pub(super) fn structs(api: &Api) -> Result<BTreeMap<String, ItemStruct>, Error> {
    let mut input = ProgenitorInput::default();
    // All schemas need names first, because an object can refer to a schema that comes later.
    for schema in &api.schemas {
        if !schema.fields().is_empty() {
            input.add_name(&schema.name);
        }
    }
    for schema in &api.schemas {
        if !schema.fields().is_empty() {
            input.add_object(schema)?;
        }
    }
    let structs = input.run(api)?.into_iter();
    Ok(structs.map(|item| (item.ident.to_string(), item)).collect())
}

/// The document and the settings for progenitor.
#[derive(Default)]
struct ProgenitorInput<'a> {
    settings: GenerationSettings,
    /// Maps each schema name to a placeholder such as `Object0`. Progenitor changes the case of names, so two names
    /// could collide.
    keys: BTreeMap<&'a str, String>,
    components: Map<String, Value>,
    /// The types that progenitor does not write.
    conversions: BTreeMap<String, Value>,
}

impl<'a> ProgenitorInput<'a> {
    fn add_name(&mut self, name: &'a str) {
        let key = format!("Object{}", self.keys.len());
        let mut patch = TypePatch::default();
        patch.with_rename(name).with_attr("#[non_exhaustive]");
        self.settings.with_patch(&key, &patch);
        self.keys.insert(name, key);
    }

    fn add_object(&mut self, schema: &'a Schema) -> Result<(), Error> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut extra = Value::Bool(true);
        for field in schema.fields() {
            if field.extra {
                extra = self.extra(field);
                continue;
            }
            let property = self.property(field, schema);
            properties.insert(field.name.clone(), property);
            if field.required {
                required.push(&field.name);
            }
        }
        let object = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": extra });
        let key = self.keys.get(schema.name.as_str());
        let key = key.ok_or_else(|| defect(&format!("`{}` has no key", schema.name)))?;
        self.components.insert(key.clone(), object);
        Ok(())
    }

    fn property(&mut self, field: &Field, schema: &Schema) -> Value {
        if field.required && field.is_option(schema) {
            return self.converted(field.rust_type(schema));
        }
        if field.recursive || field.deep || field.distinguishes_null(schema) {
            return self.converted(field.rust_type_without_option(schema));
        }
        match &field.kind {
            Type::Text => json!({ "type": "string" }),
            Type::Bool => json!({ "type": "boolean" }),
            Type::I64 => json!({ "type": "integer", "format": "int64" }),
            Type::U32 => json!({ "type": "integer", "format": "uint32" }),
            Type::U64 => json!({ "type": "integer", "format": "uint64" }),
            Type::F64 => json!({ "type": "number", "format": "double" }),
            Type::Schema(name) => match self.keys.get(name.as_str()) {
                Some(key) => json!({ "$ref": format!("#/components/schemas/{key}") }),
                None => self.converted(field.rust_type_without_option(schema)),
            },
            _ => self.converted(field.rust_type_without_option(schema)),
        }
    }

    /// Returns the schema for the values of additional properties.
    fn extra(&mut self, field: &Field) -> Value {
        match &field.kind {
            Type::Map(value) if **value == Type::Json => json!({}),
            Type::Map(value) => self.converted(value.rust("")),
            _ => Value::Bool(true),
        }
    }

    /// A schema that progenitor converts into the Rust type `kind`.
    fn converted(&mut self, kind: String) -> Value {
        let schema = json!({ "type": "string", "format": kind });
        self.conversions.insert(kind, schema.clone());
        schema
    }

    fn run(self, api: &Api) -> Result<Vec<ItemStruct>, Error> {
        let failed = |problem: String| defect(&format!("progenitor failed: {problem}"));
        let mut settings = self.settings;
        settings
            .with_derive("PartialEq")
            .with_map_type("::std::collections::BTreeMap");
        for (kind, schema) in self.conversions {
            let schema =
                serde_json::from_value(schema).map_err(|error| failed(error.to_string()))?;
            settings.with_conversion(schema, kind, std::iter::empty());
        }
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": api.title, "version": api.version },
            "paths": {},
            "components": { "schemas": self.components },
        });
        let description =
            OpenAPI::deserialize(&document).map_err(|error| failed(error.to_string()))?;
        let tokens = Generator::new(&settings)
            .generate_tokens(&description)
            .map_err(|error| failed(error.to_string()))?;
        let file = syn::parse2(tokens).map_err(|error| failed(error.to_string()))?;
        Ok(structs_of(file))
    }
}

/// The structs in the module `types` of progenitor's code. The client and the conversions of types around them are not
/// used.
fn structs_of(file: syn::File) -> Vec<ItemStruct> {
    let types = file.items.into_iter().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content,
        _ => None,
    });
    let items = types.flat_map(|(_, items)| items);
    let structs = items.filter_map(|item| match item {
        Item::Struct(mut item) => {
            ShortPaths.visit_item_struct_mut(&mut item);
            Some(item)
        }
        _ => None,
    });
    structs.collect()
}

/// Writes `Option` for `::std::option::Option`, and so on. No type of a description has such a name. The module imports
/// `serde_json`.
struct ShortPaths;

impl VisitMut for ShortPaths {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(root) = path.segments.first().map(|root| root.ident.to_string()) else {
            return;
        };
        let is_short = |last: &PathSegment| last.ident == "Option" || last.ident == "String";
        let last = path.segments.last().cloned();
        match last.filter(is_short) {
            Some(last) if root == "std" => *path = Path::from(last),
            _ if root == "serde_json" => path.leading_colon = None,
            _ => {}
        }
    }
}
