//! Writes Rust code from the model. There is a module for each type of file.

mod declarations;
mod operations;
mod rust_type;
mod schemas;
mod types;

use std::fmt::Write;

use crate::docs::doc_lines;
use crate::error::Error;
use crate::model::Api;

/// A generated file without its header: its name, a sentence about its content, and its source.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) docs: &'static str,
    pub(crate) source: String,
}

/// Writes all files of the generated module.
pub(crate) fn emit(api: &Api) -> Result<Vec<Part>, Error> {
    let part = |name, docs, source| Part { name, docs, source };
    Ok(vec![
        part(
            "mod.rs",
            "The generated part of this crate.",
            MODULES.to_owned(),
        ),
        part(
            "client.rs",
            "The client and its operations.",
            operations::client(api),
        ),
        part(
            "builder.rs",
            "One builder for each operation, with its parameters.",
            operations::builders(api),
        ),
        part(
            "types.rs",
            "The types of requests and answers.",
            types::types(api)?,
        ),
        part(
            "bodies.rs",
            "Builders of request bodies.",
            declarations::bodies(api),
        ),
        part(
            "enums.rs",
            "Open enums, which keep unknown values.",
            declarations::enums(api),
        ),
        part(
            "events.rs",
            "The types of webhook events and their objects.",
            declarations::events(api),
        ),
        part("ids.rs", "Typed ids.", declarations::ids(api)),
        part(
            "operations.rs",
            "The operation table, with the metadata of each operation.",
            operations::table(api),
        ),
    ])
}

const MODULES: &str = "\
pub mod bodies;
pub mod builder;
mod client;
mod enums;
pub mod events;
mod ids;
pub mod operations;
pub mod types;

pub use client::Client;
";

/// Appends `text` as documentation.
fn document(source: &mut String, indent: &str, text: &str) {
    for line in doc_lines(text) {
        let space = if line.is_empty() { "" } else { " " };
        let _ = writeln!(source, "{indent}///{space}{line}");
    }
}
