//! Writes the types of requests and responses: structs by progenitor, and unions.

use std::collections::HashMap;

use std::fmt::Write;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, ItemStruct, Path, Token, parse_quote};

use super::defect::defect;
use super::doc_comment::doc_comment;
use super::print::print;
use super::structs::structs;
use crate::docs;
use crate::error::Error;
use crate::model::{Alternative, Api, Field, Schema, Shape, Type};

/// The module `types`, in the order of the model.
pub(super) fn types(api: &Api) -> Result<String, Error> {
    let mut structs = structs(api)?;
    let mut source = print(imports(api))?;
    for schema in &api.schemas {
        source.push('\n');
        match &schema.shape {
            Shape::Union { tag, variants } => source += &union(schema, tag, variants),
            Shape::Object(fields) if fields.is_empty() => source += &print(empty_struct(schema))?,
            Shape::Object(_) => {
                let item = structs.remove(&schema.name);
                let missing = || defect(&format!("progenitor wrote no struct `{}`", schema.name));
                let item = complete(item.ok_or_else(missing)?, schema)?;
                let debug = debug(schema);
                let settles = settles(schema, api);
                source += &print(quote!(#item #debug #settles))?;
            }
        }
    }
    Ok(source)
}

fn imports(api: &Api) -> TokenStream {
    // A module without types has nothing to re-export.
    let enums = (!api.enums.is_empty()).then(|| {
        quote!(
            pub use super::enums::*;
        )
    });
    let ids = (!api.ids.is_empty()).then(|| {
        quote!(
            pub use super::ids::*;
        )
    });
    quote! {
        use std::fmt;

        // The documentation of another crate does not say which features their traits need.
        #[doc(no_inline)]
        pub use upvest_runtime::{CountryCode, CurrencyCode, Decimal, Isin};
        pub use upvest_runtime::{ListResponse, PaginationMeta, Problem};
        use upvest_runtime::generated_code::{HIDDEN, hidden_option};
        use upvest_runtime::{Nested, Nullable, chrono, open_union, serde_json, uuid};

        #enums
        #ids
    }
}

/// Changes progenitor's struct where progenitor has no setting for it: writes a documentation attribute for each line,
/// sorts the fields, renames those whose names the builders use, sets functions that read some values, and replaces
/// `Debug` by one that hides texts.
fn complete(mut item: ItemStruct, schema: &Schema) -> Result<ItemStruct, Error> {
    if hides_something(schema) {
        leave_out_derive(&mut item, "Debug")?;
    }
    document(&mut item.attrs, &schema.description);
    let syn::Fields::Named(fields) = &mut item.fields else {
        return Err(defect(&format!(
            "progenitor wrote `{}` without named fields",
            schema.name
        )));
    };
    let mut written: HashMap<Option<String>, syn::Field> = std::mem::take(&mut fields.named)
        .into_iter()
        .map(|field| (name_in_json(&field), field))
        .collect();
    for field in schema.fields() {
        let name = (!field.extra).then(|| field.name.clone());
        let written = written.remove(&name).ok_or_else(|| {
            defect(&format!(
                "progenitor wrote `{}` without the field `{}`",
                schema.name, field.name
            ))
        })?;
        fields.named.push(complete_field(written, field, schema));
    }
    Ok(item)
}

fn complete_field(mut written: syn::Field, field: &Field, schema: &Schema) -> syn::Field {
    document(&mut written.attrs, &field.description);
    if field.deprecated {
        written.attrs.push(parse_quote!(#[deprecated]));
    }
    let name = format_ident!("{}", field.rust);
    let is_renamed = field.rust != field.name && !field.extra;
    if is_renamed && written.ident.as_ref().is_some_and(|it| *it == field.name) {
        let name_in_json = &field.name;
        written
            .attrs
            .push(parse_quote!(#[serde(rename = #name_in_json)]));
    }
    written.ident = Some(name);
    if let Some(function) = reading(field, schema) {
        let default = field.is_option(schema).then(|| quote!(default,));
        written
            .attrs
            .push(parse_quote!(#[serde(#default deserialize_with = #function)]));
    }
    written
}

/// Replaces the documentation, which progenitor writes into one attribute.
fn document(attributes: &mut Vec<Attribute>, description: &str) {
    let others = attributes
        .extract_if(.., |attribute| !attribute.path().is_ident("doc"))
        .collect::<Vec<_>>();
    *attributes = docs::attributes(description);
    attributes.extend(others);
}

fn is_flatten(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|setting| setting == "flatten")
}

/// The name in JSON: that of `#[serde(rename = "...")]`, or the field's own. The field of the additional properties
/// has none.
fn name_in_json(field: &syn::Field) -> Option<String> {
    if field.attrs.iter().any(is_flatten) {
        return None;
    }
    let mut name = field.ident.to_token_stream().to_string();
    for attribute in &field.attrs {
        if !attribute.path().is_ident("serde") {
            continue;
        }
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

/// The function that reads a field, if its type is not enough.
fn reading(field: &Field, schema: &Schema) -> Option<&'static str> {
    if field.kind.is_read_by_runtime(field.is_option(schema)) {
        Some("upvest_runtime::generated_code::read")
    } else if field.distinguishes_null(schema) {
        Some("upvest_runtime::present")
    } else {
        None
    }
}

fn leave_out_derive(item: &mut ItemStruct, name: &str) -> Result<(), Error> {
    for attribute in &mut item.attrs {
        if !attribute.path().is_ident("derive") {
            continue;
        }
        let paths = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
        let unreadable = |error| defect(&format!("progenitor's `derive` cannot be read: {error}"));
        let paths = paths.map_err(unreadable)?.into_iter();
        let is_other = |path: &Path| path.segments.last().is_none_or(|last| last.ident != name);
        let others = paths.filter(is_other);
        *attribute = parse_quote!(#[derive(#(#others),*)]);
    }
    Ok(())
}

fn hides_something(schema: &Schema) -> bool {
    schema.fields().iter().any(Field::is_hidden)
}

/// `Debug` for a struct with fields that must not be printed:
///
/// ```text
/// impl fmt::Debug for OrderCreate {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.debug_struct("OrderCreate")
///             .field("account_id", &self.account_id)
///             .field("reference", &hidden_option(self.reference.as_ref()))
///             .finish()
///     }
/// }
/// ```
fn debug(schema: &Schema) -> Option<TokenStream> {
    if !hides_something(schema) {
        return None;
    }
    let name = &schema.name;
    let item = format_ident!("{name}");
    let fields = schema.fields().iter().map(|field| {
        let text = &field.rust;
        let field_name = format_ident!("{text}");
        let value = match (field.is_hidden(), field.is_option(schema)) {
            (false, _) => quote!(self.#field_name),
            (true, false) => quote!(HIDDEN),
            (true, true) => quote!(hidden_option(self.#field_name.as_ref())),
        };
        quote!(.field(#text, &#value))
    });
    Some(quote! {
        impl fmt::Debug for #item {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(#name)#(#fields)*.finish()
            }
        }
    })
}

/// The trait that makes waiting possible, for a resource with an id and a status that has final values:
///
/// ```text
/// impl upvest_runtime::Settles for Order {
///     type Id = OrderId;
///
///     fn id(&self) -> OrderId {
///         self.id
///     }
///
///     fn is_final(&self) -> bool {
///         self.status.is_final()
///     }
/// }
/// ```
fn settles(schema: &Schema, api: &Api) -> Option<TokenStream> {
    let field = |name: &str| schema.fields().iter().find(|field| field.name == name);
    let id = field("id")?;
    let status = field("status")?;
    let (Type::Id(id_type), Type::Enum(enumeration)) = (&id.kind, &status.kind) else {
        return None;
    };
    let ends = api
        .enums
        .iter()
        .any(|item| item.name == *enumeration && !item.finals.is_empty());
    if !ends || id.is_option(schema) {
        return None;
    }
    let item = format_ident!("{}", schema.name);
    let id_type = format_ident!("{id_type}");
    let id = format_ident!("{}", id.rust);
    let status_name = format_ident!("{}", status.rust);
    let is_final = if status.is_option(schema) {
        quote!(self.#status_name.as_ref().is_some_and(|status| status.is_final()))
    } else {
        quote!(self.#status_name.is_final())
    };
    Some(quote! {
        impl upvest_runtime::Settles for #item {
            type Id = #id_type;

            fn id(&self) -> #id_type {
                self.#id
            }

            fn is_final(&self) -> bool {
                #is_final
            }
        }
    })
}

/// An object without known fields.
fn empty_struct(schema: &Schema) -> TokenStream {
    let docs = docs::attributes(&schema.description);
    let name = format_ident!("{}", schema.name);
    quote! {
        #(#docs)*
        #[derive(serde::Deserialize, serde::Serialize, Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct #name {}
    }
}

/// One of several objects:
///
/// ```text
/// open_union! {
///     /// How an order is paid.
///     Payment by "type" {
///         /// `type` is `CARD`.
///         Card(CardPayment) = "CARD",
///     }
/// }
/// ```
fn union(schema: &Schema, tag: &str, variants: &[Alternative]) -> String {
    let docs = doc_comment("    ", &schema.description);
    let name = &schema.name;
    let mut lines = String::new();
    for variant in variants {
        let Alternative { name, kind, .. } = variant;
        let wires: Vec<&String> = std::iter::once(&variant.wire)
            .chain(&variant.other_wires)
            .collect();
        let quoted: Vec<String> = wires.iter().map(|wire| format!("`{wire}`")).collect();
        let values: Vec<String> = wires.iter().map(|wire| format!("{wire:?}")).collect();
        let doc = format!("`{tag}` is {}.", quoted.join(" or "));
        lines += &doc_comment("        ", &doc);
        let _ = writeln!(
            lines,
            "        {name}({}) = {},",
            kind.rust(""),
            values.join(" | ")
        );
    }
    format!(
        "\
open_union! {{
{docs}    {name} by {tag:?} {{
{lines}    }}
}}
"
    )
}
