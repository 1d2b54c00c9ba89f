//! One file for each concern.

use syn::{File, Item, parse_quote};

use crate::declarations;
use crate::facts::OperationFacts;
use crate::shape::Shaped;
use crate::trim::{Trimmed, body_builders};

/// The content of a generated file before it is formatted.
pub(crate) enum Content {
    /// Rust for the formatter.
    Tree(File),
    /// Calls of macros, whose form the formatter leaves alone: written as they shall stand.
    Text(String),
}

/// A file of the generated module: its name, what it holds in a sentence, and its content.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) docs: &'static str,
    pub(crate) content: Content,
}

/// Splits the trimmed code into files.
pub(crate) fn split(trimmed: Trimmed, shaped: &Shaped, facts: &[OperationFacts]) -> Vec<Part> {
    let bodies = body_builders(&trimmed.types, shaped);
    let operations = declarations::operations(facts, &trimmed.sends);
    let tree = |name, docs, uses: Vec<Item>, items: Vec<Item>| Part {
        name,
        docs,
        content: Content::Tree(File {
            shebang: None,
            frontmatter: None,
            attrs: Vec::new(),
            items: uses.into_iter().chain(items).collect(),
        }),
    };
    let text = |name, docs, source| Part { name, docs, content: Content::Text(source) };
    vec![
        tree("mod.rs", "The generated half of this crate.", modules(), Vec::new()),
        tree("client.rs", "The client and its operations.", client_uses(), trimmed.client),
        tree(
            "builder.rs",
            "One builder for each operation: its parameters, and how it is sent.",
            builder_uses(),
            trimmed.builder,
        ),
        tree("types.rs", "What goes out in requests and comes back in answers.", types_uses(), trimmed.types),
        text(
            "bodies.rs",
            "Builders of request bodies.",
            format!("use super::types::{{self, *}};\nuse crate::runtime::body_builder;\n\n{bodies}"),
        ),
        text(
            "enums.rs",
            "Open enums: values that are not known yet are kept.",
            declarations::enums(&shaped.enums),
        ),
        text("ids.rs", "Typed ids.", declarations::ids(&shaped.ids)),
        text(
            "operations.rs",
            "The operation table: what the description says of each operation.",
            operations,
        ),
    ]
}

fn modules() -> Vec<Item> {
    vec![
        parse_quote!(
            pub mod bodies;
        ),
        parse_quote!(
            pub mod builder;
        ),
        parse_quote!(
            mod client;
        ),
        parse_quote!(
            mod enums;
        ),
        parse_quote!(
            mod ids;
        ),
        parse_quote!(
            pub mod operations;
        ),
        parse_quote!(
            pub mod types;
        ),
        parse_quote!(
            pub use client::Client;
        ),
    ]
}

fn client_uses() -> Vec<Item> {
    vec![
        parse_quote!(
            use progenitor_client::{ClientHooks, ClientInfo};
        ),
        parse_quote!(
            use super::builder;
        ),
    ]
}

fn builder_uses() -> Vec<Item> {
    vec![
        parse_quote!(
            use std::fmt::Display;
        ),
        parse_quote!(
            use progenitor_client::{
                ByteStream, ClientHooks, Error, OperationInfo, RequestBuilderExt, ResponseValue, encode_path,
            };
        ),
        parse_quote!(
            use super::{bodies, types};
        ),
        parse_quote!(
            use crate::runtime::{argument, decode};
        ),
    ]
}

fn types_uses() -> Vec<Item> {
    vec![
        parse_quote!(
            pub use super::enums::*;
        ),
        parse_quote!(
            pub use super::ids::*;
        ),
        parse_quote!(
            pub use crate::runtime::{CountryCode, CurrencyCode, Decimal, Isin, Listing, Problem};
        ),
        parse_quote!(
            use crate::runtime::hiding_debug;
        ),
    ]
}
