//! From the shaped document to Rust, by progenitor.

use heck::ToPascalCase;
use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::guard::guard;
use crate::pointer;
use crate::shape::Shaped;

/// Generates the client as one syntax tree.
pub(crate) fn rust(shaped: &Shaped) -> Result<syn::File> {
    let description = OpenAPI::deserialize(&shaped.document).map_err(|error| {
        Error::at(
            place(&shaped.document),
            format!("this is no OpenAPI document: {error}"),
            "compare it with the OpenAPI Specification 3.0",
        )
    })?;
    let settings = settings(shaped);
    // `check` finds what progenitor and typify are known to panic on; what it does not know yet must still end in an error.
    let tokens = guard(|| Generator::new(&settings).generate_tokens(&description))
        .map_err(|message| format!("progenitor gave up: {message}"))
        .and_then(|result| result.map_err(|error| format!("progenitor cannot read the description: {error}")))
        .map_err(|problem| {
            Error::at("", problem, "simplify the schema it names, and teach the check pass to find it")
        })?;
    syn::parse2(tokens).map_err(|error| {
        Error::at("", format!("the generated code is no Rust: {error}"), "report a defect of the generator")
    })
}

/// Where a document stops being one: the smallest part without which it can be read, as the reader does not say where it is.
fn place(document: &Value) -> String {
    let mut place = String::new();
    while let Some(part) = document.pointer(&place) {
        let keys: Vec<String> = match part {
            Value::Object(object) => object.keys().cloned().collect(),
            Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => break,
        };
        let mut places = keys.iter().map(|key| pointer::join(&place, key));
        let guilty = places
            .find(|child| without(document, child).iter().any(|rest| OpenAPI::deserialize(rest).is_ok()));
        match guilty {
            Some(child) => place = child,
            None => break,
        }
    }
    place
}

/// The document without what stands at `place`, and with nothing in it, since some parts are required.
fn without(document: &Value, place: &str) -> [Value; 2] {
    let (mut removed, mut emptied) = (document.clone(), document.clone());
    pointer::remove(&mut removed, place);
    match emptied.pointer_mut(place) {
        Some(info) if place == "/info" => *info = json!({ "title": "", "version": "" }),
        Some(Value::Object(object)) => object.clear(),
        Some(Value::Array(items)) => items.clear(),
        _ => {}
    }
    [removed, emptied]
}

fn settings(shaped: &Shaped) -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::runtime::Inner))
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq");
    for (name, path) in &shaped.replacements {
        settings.with_replacement(name.to_pascal_case(), path, [TypeImpl::Display].into_iter());
    }
    settings
}
