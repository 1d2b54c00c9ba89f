//! Writes the builders of objects.

use std::fmt::Write;

use super::doc_comment::doc_comment;
use crate::model::{Api, Schema, Shape, Type};

/// The module `bodies`. Objects that are only received have builders for tests.
pub(super) fn bodies(api: &Api) -> String {
    let objects = api
        .schemas
        .iter()
        .filter(|schema| !schema.fields().is_empty());
    let (sent, received): (Vec<&Schema>, Vec<&Schema>) = objects.partition(|schema| schema.sent);
    let builders = |schemas: Vec<&Schema>| -> String {
        let builders = schemas.into_iter().map(|schema| builder(schema, api));
        builders.collect()
    };
    let received = if received.is_empty() {
        String::new()
    } else {
        received_module(&builders(received))
    };
    let sent_schemas = api.schemas.iter().filter(|schema| schema.sent);
    let unions: String = sent_schemas
        .map(|schema| union_builders(schema, api))
        .collect();
    format!(
        "\
use upvest_runtime::{{Nested, Nullable, body_builder, chrono, serde_json, test_util, union_builders, uuid}};

use super::types::{{self, *}};
{}{unions}{received}",
        builders(sent)
    )
}

/// ```text
/// union_builders! {
///     Payment {
///         Card(CardPaymentBuilder),
///     }
/// }
/// ```
///
/// An alternative without a builder is left out. Nothing is written for an object.
fn union_builders(schema: &Schema, api: &Api) -> String {
    let Shape::Union { variants, .. } = &schema.shape else {
        return String::new();
    };
    let mut builders = String::new();
    for variant in variants {
        if let Some(object) = api.object(&variant.kind) {
            let builder = object.builder(api);
            let _ = writeln!(builders, "        {}({builder}),", variant.name);
        }
    }
    if builders.is_empty() {
        return String::new();
    }
    let name = &schema.name;
    format!(
        "
union_builders! {{
    {name} {{
{builders}    }}
}}
"
    )
}

fn received_module(builders: &str) -> String {
    format!(
        "
test_util! {{
pub use received::*;

/// Builders of types that are only received, for tests. The fields are documented in the types.
#[allow(missing_docs)]
mod received {{
use super::*;
{builders}}}
}}
"
    )
}

/// ```text
/// body_builder! {
///     /// Builds a [`OrderCreate`].
///     OrderCreate OrderCreateBuilder {
///         /// The account to trade for.
///         required shown account_id: AccountId,
///         /// A text of your own.
///         optional hidden reference: String,
///     }
/// }
/// ```
fn builder(schema: &Schema, api: &Api) -> String {
    let name = &schema.name;
    let builder = schema.builder(api);
    let mut fields = String::new();
    for field in schema.fields() {
        if schema.sent {
            fields += &doc_comment("        ", &field.description);
        }
        if field.deprecated {
            fields += "        #[deprecated]\n";
        }
        let need = if field.extra {
            "extra"
        } else if field.is_option(schema) {
            "optional"
        } else {
            "required"
        };
        let privacy = if field.is_hidden() || is_typed_by_people(&field.kind) {
            "hidden"
        } else {
            "shown"
        };
        let kind = field.rust_type_without_option(schema);
        let _ = writeln!(fields, "        {need} {privacy} {}: {kind},", field.rust);
    }
    format!(
        "
body_builder! {{
    /// Builds a [`{name}`].
    {name} {builder} {{
{fields}    }}
}}
"
    )
}

/// Whether an invalid value may be a text that a person typed, and must not appear in errors. A country can be such a
/// text, as in a nationality.
fn is_typed_by_people(kind: &Type) -> bool {
    match kind {
        Type::Country => true,
        Type::List(inner) | Type::Nullable(inner) | Type::OrEmpty(inner) => {
            is_typed_by_people(inner)
        }
        _ => false,
    }
}
