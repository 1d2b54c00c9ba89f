//! Writes the modules that consist of macro calls: ids and enums.

use std::fmt::Write;

use super::doc_comment::doc_comment;
use crate::model::{Api, Enum, Id};

/// The module `ids`.
pub(super) fn ids(api: &Api) -> String {
    let ids: String = api.ids.iter().map(id).collect();
    format!("use upvest_runtime::id;\n{ids}")
}

/// ```text
/// id! {
///     /// Identifies an order.
///     OrderId
/// }
/// ```
fn id(id: &Id) -> String {
    let docs = doc_comment("    ", &id.description);
    let name = &id.name;
    format!(
        "
id! {{
{docs}    {name}
}}
"
    )
}

/// The module `enums`.
pub(super) fn enums(api: &Api) -> String {
    let enums: String = api.enums.iter().map(open_enum).collect();
    format!("use upvest_runtime::open_enum;\n{enums}")
}

/// ```text
/// open_enum! {
///     /// How far an order has got.
///     OrderStatus {
///         /// It is waiting.
///         New = "NEW",
///         /// It is done.
///         Filled = "FILLED",
///     } final Filled
/// }
/// ```
pub(super) fn open_enum(item: &Enum) -> String {
    let docs = doc_comment("    ", &item.description);
    let name = &item.name;
    let mut variants = String::new();
    for variant in &item.variants {
        variants += &doc_comment("        ", &variant.description);
        if variant.deprecated {
            variants += "        #[deprecated]\n";
        }
        let _ = writeln!(variants, "        {} = {:?},", variant.name, variant.wire);
    }
    let finals = if item.finals.is_empty() {
        String::new()
    } else {
        format!(" final {}", item.finals.join(" "))
    };
    format!(
        "
open_enum! {{
{docs}    {name} {{
{variants}    }}{finals}
}}
"
    )
}
