//! The structs: documented, open to new fields, silent about personal data.

use quote::quote;
use serde_json::Value;
use syn::{Attribute, Field, Fields, Item, ItemStruct, Meta, parse_quote};

use super::{docs, schema, unexpected};
use crate::error::Result;
use crate::shape::Shaped;

/// Keeps the structs among `items`; builders, conversions and the error module are written otherwise or not at all.
pub(super) fn types(items: Vec<Item>, shaped: &Shaped) -> Result<Vec<Item>> {
    let mut kept = Vec::new();
    for item in items {
        match item {
            Item::Struct(item) => kept.extend(type_(item, shaped)?),
            Item::Impl(_) | Item::Mod(_) => {}
            _ => return Err(unexpected("`types` holds something that is neither a struct nor an impl")),
        }
    }
    Ok(kept)
}

fn type_(mut item: ItemStruct, shaped: &Shaped) -> Result<Vec<Item>> {
    let name = item.ident.to_string();
    let schema = schema(shaped, &name);
    if schema.is_null() {
        return Err(unexpected(&format!("the struct `{name}` is no schema of the description")));
    }
    docs::set(&mut item.attrs, &description(shaped, schema, &name));
    item.attrs.push(parse_quote!(#[non_exhaustive]));
    let properties = &schema["properties"];
    in_order_of_the_description(&mut item.fields, properties);
    let mut hidden = false;
    let mut shown = Vec::new();
    for field in &mut item.fields {
        let Some(ident) = field.ident.clone() else { continue };
        let wire = wire_name(field, &ident.to_string());
        let property = &properties[&wire];
        docs::set(&mut field.attrs, &description(shaped, property, &wire));
        reading(field);
        let optional = quote!(#field).to_string().contains("option :: Option");
        let sensitive = property["x-sensitive"] == true;
        hidden |= sensitive;
        shown.push(match (sensitive, optional) {
            (false, _) => quote!(show #ident,),
            (true, false) => quote!(hide #ident,),
            (true, true) => quote!(hide_option #ident,),
        });
    }
    if !hidden {
        return Ok(vec![Item::Struct(item)]);
    }
    without_debug(&mut item.attrs);
    let ident = &item.ident;
    let debug = parse_quote!(hiding_debug! { #ident { #(#shown)* } });
    Ok(vec![Item::Struct(item), debug])
}

/// progenitor sorts by name; the description puts what matters first.
fn in_order_of_the_description(fields: &mut Fields, properties: &Value) {
    let Fields::Named(fields) = fields else { return };
    let place = |field: &Field| {
        let name = field.ident.as_ref().map(|ident| wire_name(field, &ident.to_string()));
        properties.as_object()?.keys().position(|key| Some(key) == name.as_ref())
    };
    let mut sorted: Vec<Field> = std::mem::take(&mut fields.named).into_iter().collect();
    sorted.sort_by_key(place);
    fields.named = sorted.into_iter().collect();
}

/// How a field is read where its type alone does not say so.
fn reading(field: &mut Field) {
    let kind = &field.ty;
    let kind = quote!(#kind).to_string().replace(' ', "");
    let (kind, optional) =
        match kind.strip_prefix("::std::option::Option<").and_then(|kind| kind.strip_suffix('>')) {
            Some(inner) => (inner, true),
            None => (kind.as_str(), false),
        };
    let with = match (kind, optional) {
        ("crate::types::Decimal", true) => "crate::runtime::decimal::optional",
        ("::chrono::DateTime<::chrono::offset::Utc>", true) => "crate::runtime::timestamp::optional",
        ("::chrono::DateTime<::chrono::offset::Utc>", false) => "crate::runtime::timestamp::required",
        (kind, true) if kind.starts_with("crate::runtime::Nullable<") => "crate::runtime::present",
        _ => return,
    };
    field.attrs.push(if optional {
        parse_quote!(#[serde(default, deserialize_with = #with)])
    } else {
        parse_quote!(#[serde(deserialize_with = #with)])
    });
}

/// The name on the wire: what `#[serde(rename = "...")]` says, or the field's own.
pub(super) fn wire_name(field: &Field, ident: &str) -> String {
    let renamed =
        field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")).find_map(|attribute| {
            let mut name = None;
            // What else the attribute holds is skipped.
            let _ = attribute.parse_nested_meta(|meta| {
                let value = meta.value()?.parse::<syn::LitStr>()?;
                if meta.path.is_ident("rename") {
                    name = Some(value.value());
                }
                Ok(())
            });
            name
        });
    renamed.unwrap_or_else(|| ident.strip_prefix("r#").unwrap_or(ident).to_owned())
}

/// What the description says of `value`, or of what it refers to.
fn description(shaped: &Shaped, value: &Value, name: &str) -> String {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    let target = target.and_then(|pointer| shaped.document.pointer(pointer)).unwrap_or(&Value::Null);
    let text = value["description"].as_str().or_else(|| target["description"].as_str());
    text.map_or_else(|| format!("`{name}` of the description."), str::to_owned)
}

fn without_debug(attributes: &mut [Attribute]) {
    for attribute in attributes.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        if let Meta::List(list) = &mut attribute.meta {
            list.tokens = list
                .tokens
                .to_string()
                .split(',')
                .filter(|name| name.trim() != "Debug")
                .collect::<Vec<_>>()
                .join(",")
                .parse()
                .unwrap_or_default();
        }
    }
}
