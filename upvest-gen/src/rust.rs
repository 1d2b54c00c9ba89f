//! From the shaped document to Rust, by progenitor.

use std::panic::{AssertUnwindSafe, catch_unwind};

use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;

use crate::error::{Error, Result};
use crate::shape::Shaped;

/// Generates the client as one syntax tree.
pub(crate) fn rust(shaped: &Shaped) -> Result<syn::File> {
    let description: OpenAPI = serde_json::from_value(shaped.document.clone()).map_err(|error| {
        Error::at(
            "",
            format!("this is no OpenAPI document: {error}"),
            "compare it with the OpenAPI Specification 3.0",
        )
    })?;
    let settings = settings(shaped);
    // `check` finds what progenitor and typify are known to panic on; what it does not know yet must still end in an error.
    let tokens = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&description)))
        .map_err(|panic| {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("progenitor gave up: {}", message.unwrap_or_default())
        })
        .and_then(|result| result.map_err(|error| format!("progenitor cannot read the description: {error}")))
        .map_err(|problem| {
            Error::at("", problem, "simplify the schema it names, and teach the check pass to find it")
        })?;
    syn::parse2(tokens).map_err(|error| {
        Error::at("", format!("the generated code is no Rust: {error}"), "report a defect of the generator")
    })
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
        settings.with_replacement(name, path, [TypeImpl::Display].into_iter());
    }
    settings
}
