//! Takes out of progenitor's code what nobody uses, and puts in the documentation.
//!
//! What is written here leans on the form of progenitor's output, whose version is pinned; where the form is not as expected,
//! the pass says so instead of leaving half of it.

mod bodies;
mod builder;
mod client;
mod docs;
mod paths;
mod types;

use heck::ToPascalCase;
use serde_json::Value;
use syn::{File, Item, ItemMod};

use crate::error::{Error, Result};
use crate::facts::OperationFacts;
use crate::shape::Shaped;

pub(crate) use bodies::body_builders;
pub(crate) use builder::Send;
pub(crate) use docs::doc_lines;

/// The trimmed code, by the file it belongs to.
pub(crate) struct Trimmed {
    pub(crate) client: Vec<Item>,
    pub(crate) builder: Vec<Item>,
    pub(crate) types: Vec<Item>,
    /// What each operation's `send` returns.
    pub(crate) sends: Vec<Send>,
}

/// Trims the tree that `rust` made of `shaped`.
pub(crate) fn trim(file: File, shaped: &Shaped, facts: &[OperationFacts]) -> Result<Trimmed> {
    let mut client = Vec::new();
    let mut builder = Vec::new();
    let mut structs = Vec::new();
    for item in file.items {
        match item {
            Item::Mod(module) if module.ident == "types" => structs = content(module)?,
            Item::Mod(module) if module.ident == "builder" => builder = content(module)?,
            // A prelude of one name, and re-exports that lib.rs makes itself.
            Item::Mod(_) | Item::Use(_) => {}
            item => client.push(item),
        }
    }
    let mut types = types::types(structs, shaped)?;
    let (mut builder, sends) = builder::builders(builder, facts)?;
    let mut client = client::client(client, facts)?;
    paths::shorten(&mut types, "");
    paths::shorten(&mut builder, "types");
    paths::shorten(&mut client, "types");
    Ok(Trimmed { client, builder, types, sends })
}

fn content(module: ItemMod) -> Result<Vec<Item>> {
    let name = module.ident.to_string();
    module
        .content
        .map(|(_, items)| items)
        .ok_or_else(|| unexpected(&format!("the module `{name}` has no content")))
}

/// progenitor's output has changed its form.
fn unexpected(what: &str) -> Error {
    Error::at(
        "",
        format!("progenitor's output is not as expected: {what}"),
        "adapt the trim pass to the new version of progenitor",
    )
}

/// The component schema of which `name` is the Rust name.
fn schema<'a>(shaped: &'a Shaped, name: &str) -> &'a Value {
    let schemas = shaped.document["components"]["schemas"].as_object();
    let found = schemas.into_iter().flatten().find(|(key, _)| key.to_pascal_case() == name);
    found.map_or(&Value::Null, |(_, schema)| schema)
}
