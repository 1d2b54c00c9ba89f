//! Writes the modules that consist of macro calls: ids, enums, and the builders of bodies.

use std::fmt::Write;

use super::document;
use crate::model::{Api, Schema};

/// One `id!` for each typed id.
pub(super) fn ids(api: &Api) -> String {
    let mut source = String::from("use upvest_runtime::id;\n");
    for id in &api.ids {
        source.push_str("\nid! {\n");
        document(&mut source, "    ", &id.description);
        let _ = writeln!(source, "    {}\n}}", id.name);
    }
    source
}

/// One `open_enum!` for each enum.
pub(super) fn enums(api: &Api) -> String {
    let mut source = String::from("use upvest_runtime::open_enum;\n");
    for item in &api.enums {
        source.push_str("\nopen_enum! {\n");
        document(&mut source, "    ", &item.description);
        let _ = writeln!(source, "    {} {{", item.name);
        for variant in &item.variants {
            document(&mut source, "        ", &variant.description);
            let _ = writeln!(source, "        {} = {:?},", variant.name, variant.wire);
        }
        let finals = if item.finals.is_empty() {
            String::new()
        } else {
            format!(" final {}", item.finals.join(" "))
        };
        let _ = write!(source, "    }}{finals}\n}}\n");
    }
    source
}

/// The objects in webhook events, by the types of the events.
pub(super) fn events(api: &Api) -> String {
    let mut source = String::from(
        "use upvest_runtime::event_objects;\n\nuse super::types;\n\nevent_objects! {\n",
    );
    if api.events.iter().any(|event| event.retrieved_by.is_some()) {
        source = source.replace("super::types", "super::{operations, types}");
    }
    for event in &api.events {
        let types: Vec<String> = event.types.iter().map(|name| format!("{name:?}")).collect();
        let object = &event.object;
        let retrieved_by = match &event.retrieved_by {
            Some(method) => format!("Some(&operations::{})", method.to_ascii_uppercase()),
            None => "None".to_owned(),
        };
        let _ = writeln!(
            source,
            "    {object}(types::{object}) = {} => {retrieved_by},",
            types.join(" | ")
        );
    }
    source.push_str("}\n");
    source
}

/// One `body_builder!` for each struct. Structs that are only received have builders for tests.
pub(super) fn bodies(api: &Api) -> String {
    let mut source = String::from(
        "use upvest_runtime::{Nullable, body_builder, chrono, serde_json, test_util, uuid};\n\nuse super::types::{self, *};\n",
    );
    let objects = api
        .schemas
        .iter()
        .filter(|schema| !schema.fields().is_empty());
    let (sent, received): (Vec<&Schema>, Vec<&Schema>) = objects.partition(|schema| schema.sent);
    for schema in sent {
        builder(&mut source, schema, api);
    }
    if !received.is_empty() {
        source.push_str(
            "\ntest_util! {\npub use received::*;\n\n\
             /// Builders of types that are only received, for tests. The fields are documented in the types.\n\
             #[allow(missing_docs)]\nmod received {\nuse super::*;\n",
        );
        for schema in received {
            builder(&mut source, schema, api);
        }
        source.push_str("}\n}\n");
    }
    source
}

fn builder(source: &mut String, schema: &Schema, api: &Api) {
    let name = &schema.name;
    let builder = schema.builder(api);
    let _ = write!(
        source,
        "\nbody_builder! {{\n    /// Builds a [`{name}`].\n    {name} {builder} {{\n"
    );
    for field in schema.fields() {
        if schema.sent {
            document(source, "        ", &field.description);
        }
        let need = if field.is_option(schema) {
            "optional"
        } else {
            "required"
        };
        let secret = if field.sensitive { " (secret)" } else { "" };
        let _ = writeln!(
            source,
            "        {need}{secret} {}: {},",
            field.rust,
            field.inner(schema)
        );
    }
    source.push_str("    }\n}\n");
}
