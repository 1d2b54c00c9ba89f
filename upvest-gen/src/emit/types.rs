//! Writes the structs: those of progenitor, in the order of the description, with documentation, `#[non_exhaustive]`, and a `Debug`
//! without personal data.

use std::collections::{BTreeMap, BTreeSet};

use std::fmt::Write;

use quote::format_ident;
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, ItemStruct, Path, Token, parse_quote};

use super::document;
use super::schemas::{self, defect, key};
use crate::docs;
use crate::error::Error;
use crate::model::{Alternative, Api, Field, Schema, Shape, Type};

const USES: &str = "\
pub use upvest_runtime::{CountryCode, CurrencyCode, Decimal, Isin, ListResponse, PaginationMeta, Problem};
use upvest_runtime::{Nullable, chrono, hiding_debug, open_union, serde_json, settles, uuid};
";

/// The source of the module `types`.
pub(super) fn types(api: &Api) -> Result<String, Error> {
    let file = schemas::generate(api)?;
    let mut structs: BTreeMap<String, ItemStruct> = structs(file)?
        .into_iter()
        .map(|item| (item.ident.to_string(), item))
        .collect();
    let objects = schemas::objects(api);
    let mut source = String::new();
    // A module without types has nothing to re-export.
    for (module, is_empty) in [("enums", api.enums.is_empty()), ("ids", api.ids.is_empty())] {
        if !is_empty {
            let _ = writeln!(source, "pub use super::{module}::*;");
        }
    }
    source.push_str(USES);
    for schema in &api.schemas {
        match &schema.shape {
            Shape::Union { tag, variants } => {
                source.push_str(&union(schema, tag, variants));
                continue;
            }
            Shape::Object(fields) if fields.is_empty() => {
                source.push_str(&empty(schema));
                continue;
            }
            Shape::Object(_) => {}
        }
        let item = structs.remove(&key(&schema.name));
        let item = item
            .ok_or_else(|| defect(&format!("progenitor wrote no struct for `{}`", schema.name)))?;
        source.push('\n');
        source.push_str(&print(Item::Struct(adjust(item, schema, &objects)?)));
        source.push_str(&hiding_debug(schema));
        source.push_str(&settles(schema, api));
    }
    Ok(source)
}

/// The structs that progenitor wrote. Its builders, conversions and error module are not used.
fn structs(file: syn::File) -> Result<Vec<ItemStruct>, Error> {
    let modules = file.items.into_iter().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content,
        _ => None,
    });
    let items = modules.flat_map(|(_, items)| items);
    let mut structs = Vec::new();
    for item in items {
        match item {
            Item::Struct(item) => structs.push(item),
            Item::Impl(_) | Item::Mod(_) | Item::Use(_) => {}
            _ => return Err(defect("progenitor wrote something that is not a struct")),
        }
    }
    Ok(structs)
}

/// Changes progenitor's struct into that of the generated crate.
fn adjust(
    mut item: ItemStruct,
    schema: &Schema,
    objects: &BTreeSet<&str>,
) -> Result<ItemStruct, Error> {
    let is_hiding = schema.fields().iter().any(|field| field.sensitive);
    let mut derives = None;
    for attribute in &item.attrs {
        if attribute.path().is_ident("derive") {
            derives = Some(derive(attribute, |path| {
                is_hiding && path.is_ident("Debug")
            })?);
        }
    }
    let derives = derives
        .ok_or_else(|| defect(&format!("progenitor derives nothing for `{}`", schema.name)))?;
    item.attrs = docs::attributes(&schema.description);
    item.attrs
        .extend([derives, parse_quote!(#[non_exhaustive])]);
    item.ident = format_ident!("{}", schema.name);
    let syn::Fields::Named(fields) = &mut item.fields else {
        return Err(defect(&format!(
            "progenitor has generated `{}` without named fields",
            schema.name
        )));
    };
    let mut written: Vec<syn::Field> = std::mem::take(&mut fields.named).into_iter().collect();
    for field in schema.fields() {
        let place = written
            .iter()
            .position(|it| wire_name(it).as_deref() == Some(field.name.as_str()));
        let what = || format!("the field `{}` of `{}`", field.name, schema.name);
        let place =
            place.ok_or_else(|| defect(&format!("progenitor has not generated {}", what())))?;
        let written = written.swap_remove(place);
        if !is_expected(&written.ty, field, schema, objects) {
            return Err(defect(&format!(
                "progenitor has generated {} with another type",
                what()
            )));
        }
        fields.named.push(self::field(field, written, schema));
    }
    if !written.is_empty() {
        return Err(defect(&format!(
            "progenitor gives `{}` more fields than it has",
            schema.name
        )));
    }
    Ok(item)
}

/// Progenitor's derives without some, such as the `Debug` that would print personal data.
fn derive(attribute: &Attribute, is_left_out: impl Fn(&Path) -> bool) -> Result<Attribute, Error> {
    let paths = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
    let mut paths =
        paths.map_err(|error| defect(&format!("progenitor's `derive` cannot be read: {error}")))?;
    for path in &mut paths {
        path.leading_colon = None;
    }
    let paths = paths.into_iter().filter(|path| !is_left_out(path));
    Ok(parse_quote!(#[derive(#(#paths),*)]))
}

/// The name in JSON: that of `#[serde(rename = "...")]`, or the field's own.
fn wire_name(field: &syn::Field) -> Option<String> {
    let mut name = field.ident.as_ref()?.to_string();
    for attribute in field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        // The other parts of the attribute are skipped.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.input.peek(Token![=]) {
                let value = meta.value()?.parse::<syn::LitStr>()?;
                if meta.path.is_ident("rename") {
                    name = value.value();
                }
            }
            Ok(())
        });
    }
    Some(name)
}

/// Whether progenitor's type of a field is that of the model, in an `Option` if the field is optional.
fn is_expected(
    found: &syn::Type,
    field: &Field,
    schema: &Schema,
    objects: &BTreeSet<&str>,
) -> bool {
    let inner = if field.is_option(schema) {
        argument(found, "Option")
    } else {
        Some(found)
    };
    let Some(inner) = inner else { return false };
    let expected = match &field.kind {
        Type::Schema(name)
            if objects.contains(name.as_str()) && !field.recursive && !field.tells_null(schema) =>
        {
            key(name)
        }
        _ => field.inner(schema),
    };
    let Ok(expected) = syn::parse_str::<syn::Type>(&expected) else {
        return false;
    };
    without_roots(inner) == without_roots(&expected)
}

/// `T` of a `Wrapper<T>`.
fn argument<'t>(kind: &'t syn::Type, wrapper: &str) -> Option<&'t syn::Type> {
    let syn::Type::Path(path) = kind else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == wrapper)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// The type with only the last segment of each path, as progenitor writes `::std::string::String` for `String`.
fn without_roots(kind: &syn::Type) -> syn::Type {
    struct Shorten;
    impl syn::visit_mut::VisitMut for Shorten {
        fn visit_path_mut(&mut self, path: &mut Path) {
            syn::visit_mut::visit_path_mut(self, path);
            path.leading_colon = None;
            path.segments = path.segments.iter().last().cloned().into_iter().collect();
        }
    }
    let mut kind = kind.clone();
    syn::visit_mut::VisitMut::visit_type_mut(&mut Shorten, &mut kind);
    kind
}

fn field(field: &Field, written: syn::Field, schema: &Schema) -> syn::Field {
    let name = format_ident!("{}", field.rust);
    let inner = field.inner(schema);
    let kind = if field.is_option(schema) {
        format!("Option<{inner}>")
    } else {
        inner
    };
    let kind = syn::parse_str::<syn::Type>(&kind).unwrap_or(written.ty);
    let mut attrs = docs::attributes(&field.description);
    if field.rust != field.name {
        let wire = &field.name;
        attrs.push(parse_quote!(#[serde(rename = #wire)]));
    }
    if !field.required {
        attrs.push(parse_quote!(#[serde(skip_serializing_if = "Option::is_none")]));
    }
    match reading(field, schema) {
        Some(with) if !field.required => {
            attrs.push(parse_quote!(#[serde(default, deserialize_with = #with)]));
        }
        Some(with) => attrs.push(parse_quote!(#[serde(deserialize_with = #with)])),
        None => {}
    }
    syn::Field {
        attrs,
        ident: Some(name),
        ty: kind,
        ..written
    }
}

/// The attribute for reading a field, if its type needs one.
fn reading(field: &Field, schema: &Schema) -> Option<&'static str> {
    Some(match (&field.kind, field.is_option(schema)) {
        _ if field.tells_null(schema) => "upvest_runtime::present",
        (Type::Decimal, true) => "upvest_runtime::generated_code::decimal::optional",
        (Type::DateTime, true) => "upvest_runtime::generated_code::timestamp::optional",
        (Type::DateTime, false) => "upvest_runtime::generated_code::timestamp::required",
        _ => return None,
    })
}

/// `Debug` for a struct with fields that must not be printed.
fn hiding_debug(schema: &Schema) -> String {
    if !schema.fields().iter().any(|field| field.sensitive) {
        return String::new();
    }
    let fields = schema.fields().iter().map(|field| {
        let how = match (field.sensitive, field.is_option(schema)) {
            (false, _) => "show",
            (true, false) => "hide",
            (true, true) => "hide_option",
        };
        format!("{how} {}, ", field.rust)
    });
    format!(
        "\nhiding_debug! {{\n    {} {{ {}}}\n}}\n",
        schema.name,
        fields.collect::<String>()
    )
}

/// The trait that makes waiting possible, for a resource with an id and a status that has final values.
fn settles(schema: &Schema, api: &Api) -> String {
    let field = |name: &str| schema.fields().iter().find(|field| field.name == name);
    let (Some(id), Some(status)) = (field("id"), field("status")) else {
        return String::new();
    };
    let (Type::Id(id_type), Type::Enum(enumeration)) = (&id.kind, &status.kind) else {
        return String::new();
    };
    let ends = api
        .enums
        .iter()
        .any(|item| item.name == *enumeration && !item.finals.is_empty());
    if !ends || id.is_option(schema) {
        return String::new();
    }
    let how = if status.is_option(schema) {
        "optional"
    } else {
        "required"
    };
    format!(
        "\nsettles!({}, {id_type}, {how} {});\n",
        schema.name, status.rust
    )
}

/// An object without known fields.
fn empty(schema: &Schema) -> String {
    let mut source = String::from("\n");
    document(&mut source, "", &schema.description);
    source.push_str(
        "#[derive(serde::Deserialize, serde::Serialize, Clone, Debug, Default, PartialEq)]\n",
    );
    source + &format!("#[non_exhaustive]\npub struct {} {{}}\n", schema.name)
}

/// One of several objects.
fn union(schema: &Schema, tag: &str, variants: &[Alternative]) -> String {
    let mut source = String::from("\nopen_union! {\n");
    document(&mut source, "    ", &schema.description);
    let _ = writeln!(source, "    {} by {tag:?} {{", schema.name);
    for Alternative { name, wire, kind } in variants {
        document(&mut source, "        ", &format!("`{tag}` is `{wire}`."));
        let _ = writeln!(source, "        {name}({}) = {wire:?},", kind.rust(""));
    }
    source + "    }\n}\n"
}

fn print(item: Item) -> String {
    prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: vec![item],
    })
}
