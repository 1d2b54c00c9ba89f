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

const EVENT_USES: &str = "\
use std::fmt;

use upvest_runtime::{Error, EventObjects, EventResource, EventType, OperationMeta, open_enum, read_json, serde_json};

use super::{operations, types};

";

/// The types of webhook events and their objects:
///
/// ```text
/// open_enum! {
///     EventKind {
///         OrderFilled = "ORDER.FILLED",
///     }
/// }
///
/// pub enum EventObject {
///     Order(types::Order),
///     Unknown(serde_json::Value),
/// }
///
/// fn object_of(event_type: &EventType) -> Option<&'static str> {
///     match event_type.as_str() {
///         "ORDER.FILLED" => Some("Order"),
///         _ => None,
///     }
/// }
///
/// impl EventObjects for EventObject { .. }
/// impl EventResource for types::Order { .. }
/// ```
pub(super) fn events(api: &Api) -> String {
    let mut source = EVENT_USES.to_owned();
    event_kinds(&mut source, api);
    event_object(&mut source, api);
    event_resources(&mut source, api);
    source
}

/// Events whose type the description does not contain can have any object that is received.
fn event_resources(source: &mut String, api: &Api) {
    for schema in api.schemas.iter().filter(|schema| schema.received) {
        let name = &schema.name;
        if api.events.iter().any(|event| event.object == *name) {
            let _ = write!(
                source,
                "\nimpl EventResource for types::{name} {{\n    \
                 fn can_be_in(event_type: &EventType) -> bool {{\n        \
                 object_of(event_type).is_none_or(|object| object == {name:?})\n    }}\n}}\n"
            );
        } else {
            let _ = writeln!(source, "\nimpl EventResource for types::{name} {{}}");
        }
    }
}

fn event_kinds(source: &mut String, api: &Api) {
    source.push_str(
        "open_enum! {\n    /// The types of events that the description contains. It can be compared with an [`EventType`].\n    EventKind {\n",
    );
    for kind in &api.event_kinds {
        document(source, "        ", &kind.description);
        let _ = writeln!(source, "        {} = {:?},", kind.name, kind.wire);
    }
    source.push_str(
        "    }
}

impl From<&EventType> for EventKind {
    fn from(event_type: &EventType) -> Self {
        upvest_runtime::OpenEnum::from_wire(event_type.as_str())
    }
}

impl From<EventKind> for EventType {
    fn from(kind: EventKind) -> Self {
        Self::new(kind.as_str())
    }
}

impl PartialEq<EventKind> for EventType {
    fn eq(&self, kind: &EventKind) -> bool {
        self.as_str() == kind.as_str()
    }
}
",
    );
}

fn event_object(source: &mut String, api: &Api) {
    let mut variants = String::new();
    let mut kinds = String::new();
    let mut shown = String::new();
    let mut read = String::new();
    let mut retrieved_by = String::new();
    for event in &api.events {
        let object = &event.object;
        let variant = if object == "Unknown" {
            "Unknown_"
        } else {
            object
        };
        let quoted: Vec<String> = event.types.iter().map(|name| format!("{name:?}")).collect();
        document(
            &mut variants,
            "    ",
            &format!("In events of the types `{}`.", event.types.join("`, `")),
        );
        let _ = writeln!(variants, "    {variant}(types::{object}),");
        let _ = writeln!(kinds, "        {} => Some({object:?}),", quoted.join(" | "));
        let _ = writeln!(
            shown,
            "            Self::{variant}(object) => f.debug_tuple({variant:?}).field(object).finish(),"
        );
        let _ = writeln!(
            read,
            "            Some({object:?}) => read_json(json).map(Self::{variant}),"
        );
        if let Some(method) = &event.retrieved_by {
            let constant = method.to_ascii_uppercase();
            let _ = writeln!(
                retrieved_by,
                "            Some({object:?}) => Some(&operations::{constant}),"
            );
        }
    }
    let _ = write!(
        source,
        "
/// The object of a webhook event, with the type that belongs to the type of the event.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)]
pub enum EventObject {{
{variants}    /// The object of an event whose object the description does not contain.
    Unknown(serde_json::Value),
}}

impl fmt::Debug for EventObject {{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{
        match self {{
{shown}            // Its fields are unknown, so any of them may be personal data.
            Self::Unknown(_) => f.write_str(\"Unknown(<hidden>)\"),
        }}
    }}
}}

/// The name of the object in events of this type.
fn object_of(event_type: &EventType) -> Option<&'static str> {{
    match event_type.as_str() {{
{kinds}        _ => None,
    }}
}}

impl EventObjects for EventObject {{
    fn read(event_type: &EventType, json: &[u8]) -> Result<Self, Error> {{
        match object_of(event_type) {{
{read}            _ => read_json(json).map(Self::Unknown),
        }}
    }}

    fn retrieved_by(event_type: &EventType) -> Option<&'static OperationMeta> {{
        match object_of(event_type) {{
{retrieved_by}            _ => None,
        }}
    }}
}}
"
    );
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
