//! Writes Rust code from the model. There is a module for each generated file.

mod bodies;
mod builders;
mod client;
mod declarations;
mod defect;
mod doc_comment;
mod events;
mod operation_table;
mod print;
mod rust_type;
mod structs;
mod types;

use crate::error::Error;
use crate::model::{Api, Schema};

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
        part("mod.rs", "The generated part of this crate.", modules(api)),
        part(
            "client.rs",
            "The client and its operations.",
            client::client(api)?,
        ),
        part(
            "builder.rs",
            "One builder for each operation, with its parameters.",
            builders::builders(api)?,
        ),
        part(
            "types.rs",
            "The types of requests and responses.",
            types::types(api)?,
        ),
        part(
            "bodies.rs",
            "Builders of request bodies.",
            bodies::bodies(api),
        ),
        part(
            "enums.rs",
            "Open enums, which keep unknown values.",
            declarations::enums(api),
        ),
        part(
            "events.rs",
            "The types of webhook events and their objects.",
            events::events(api)?,
        ),
        part("ids.rs", "Typed ids.", declarations::ids(api)),
        part(
            "operations.rs",
            "The operation table, with the metadata of each operation.",
            operation_table::operation_table(api)?,
        ),
    ])
}

/// Returns the module declarations. If the API has deprecated items, turns off the `deprecated` lint, because the
/// generated code uses those items itself.
fn modules(api: &Api) -> String {
    if api.has_deprecated() {
        format!("#![allow(deprecated)]\n\n{MODULES}")
    } else {
        MODULES.to_owned()
    }
}

impl Api {
    /// Whether any operation, parameter, field or enum value is deprecated.
    fn has_deprecated(&self) -> bool {
        let operations = self.operations.iter();
        let parameters = operations
            .clone()
            .flat_map(|operation| &operation.parameters);
        let fields = self.schemas.iter().flat_map(Schema::fields);
        let values = self.enums.iter().flat_map(|item| &item.variants);
        let mut flags = operations
            .map(|operation| operation.deprecated)
            .chain(parameters.map(|parameter| parameter.deprecated))
            .chain(fields.map(|field| field.deprecated))
            .chain(values.map(|value| value.deprecated));
        flags.any(|is_deprecated| is_deprecated)
    }
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
