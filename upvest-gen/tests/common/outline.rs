//! Prints a model as a short text for review, with a line for each operation, parameter, field and enum.

use std::fmt::Write;

use heck::{ToPascalCase, ToSnakeCase};
use upvest_gen::model::{Api, Content, Enum, Field, Operation, Parameter, Schema, Shape, Type};

/// The whole model.
pub(crate) fn outline(api: &Api) -> String {
    let mut text = String::new();
    for operation in &api.operations {
        let _ = writeln!(text, "{}", self::operation(operation));
        for parameter in &operation.parameters {
            let _ = writeln!(text, "    {}", self::parameter(parameter));
        }
    }
    for schema in &api.schemas {
        let _ = writeln!(text, "\n{}", self::schema(schema));
    }
    if !api.enums.is_empty() {
        text.push('\n');
    }
    for item in &api.enums {
        let _ = writeln!(text, "enum {}: {}", item.name, variants(item));
        if !item.finals.is_empty() {
            let _ = writeln!(text, "    final: {}", item.finals.join(" "));
        }
    }
    if !api.ids.is_empty() {
        let ids: Vec<&str> = api.ids.iter().map(|id| id.name.as_str()).collect();
        let _ = writeln!(text, "\nids: {}", ids.join(", "));
    }
    let without_object = api.event_kinds.iter().filter(|kind| {
        let mut events = api.events.iter();
        !events.any(|event| event.types.contains(&kind.wire))
    });
    let without_object: Vec<&str> = without_object.map(|kind| kind.wire.as_str()).collect();
    if !without_object.is_empty() {
        let _ = writeln!(
            text,
            "\nevents without an object: {}",
            without_object.join(" ")
        );
    }
    for event in &api.events {
        let _ = writeln!(text, "\nevents {}: {}", event.types.join(" "), event.object);
    }
    for (what, errors) in [("left out", &api.left_out), ("note", &api.notes)] {
        for error in errors {
            let _ = writeln!(
                text,
                "\n{what}: {}: {}; {}",
                error.pointer(),
                error.problem(),
                error.remedy()
            );
        }
    }
    text
}

/// `createOrder POST /orders: json OrderCreate -> json Order, idempotent, scopes orders:admin, errors 400 401`.
pub(crate) fn operation(operation: &Operation) -> String {
    let Operation {
        id,
        method_name,
        builder,
        method,
        path,
        ..
    } = operation;
    let mut text = id.clone();
    if *method_name != id.to_snake_case() || *builder != id.to_pascal_case() {
        let _ = write!(text, " as {method_name} {builder}");
    }
    let _ = write!(text, " {method} {path}: ");
    if let Some(body) = &operation.body {
        let encoding = format!("{:?}", body.encoding).to_lowercase();
        let kind = if body.kind == Type::Json {
            String::new()
        } else {
            format!(" {}", kind(&body.kind))
        };
        let optional = if body.required { "" } else { " if given" };
        let media_type = body
            .media_type
            .as_deref()
            .map_or_else(String::new, |name| format!(" as {name}"));
        let _ = write!(text, "{encoding}{kind}{media_type}{optional} ");
    }
    text.push_str("-> ");
    text.push_str(&match &operation.response.content {
        Content::Empty => "nothing".to_owned(),
        Content::Binary => "bytes".to_owned(),
        Content::Json(json) => kind(json),
        Content::List(item) => format!("list of {}", kind(item)),
    });
    if operation.response.optional {
        text.push_str(" or nothing");
    }
    if operation.response.may_lack_data {
        text.push_str(" that may lack data");
    }
    if let Some(download) = &operation.response.download {
        let _ = write!(text, " or {download}");
    }
    if operation.response.accept != "application/json" {
        let _ = write!(text, ", accept {}", operation.response.accept);
    }
    if operation.idempotency_key {
        text.push_str(", idempotent");
    }
    if let Some(paging) = operation.paging {
        let _ = write!(
            text,
            ", pages of {} ({} to {})",
            paging.default, paging.min, paging.max
        );
    }
    if !operation.scopes.is_empty() {
        let _ = write!(text, ", scopes {}", operation.scopes.join(" "));
    }
    if !operation.errors.is_empty() {
        let statuses: Vec<&str> = operation
            .errors
            .iter()
            .map(|(status, _)| status.as_str())
            .collect();
        let _ = write!(text, ", errors {}", statuses.join(" "));
    }
    text
}

/// `order_id: OrderId in path`.
pub(crate) fn parameter(parameter: &Parameter) -> String {
    let Parameter {
        name,
        setter,
        place,
        required,
        joined,
        json,
        kind: holds,
        ..
    } = parameter;
    let setter = if setter == name {
        String::new()
    } else {
        format!(" as {setter}")
    };
    let place = format!("{place:?}").to_lowercase();
    let required = if *required && place != "path" {
        ", required"
    } else {
        ""
    };
    let joined = if *joined { ", joined" } else { "" };
    let json = if *json { ", json" } else { "" };
    format!(
        "{name}{setter}: {} in {place}{required}{joined}{json}",
        kind(holds)
    )
}

/// The name of a schema and its fields.
pub(crate) fn schema(schema: &Schema) -> String {
    let mut text = schema.name.clone();
    if schema.sent {
        text.push_str(" (sent)");
    }
    if schema.pointer != format!("/components/schemas/{}", schema.name) {
        let _ = write!(text, " from {}", schema.pointer);
    }
    match &schema.shape {
        Shape::Object(fields) => {
            for field in fields {
                let _ = write!(text, "\n    {}: {}", name(field), self::field(field));
            }
        }
        Shape::Union { tag, variants } => {
            let _ = write!(text, " is told apart by {tag}");
            for variant in variants {
                let _ = write!(
                    text,
                    "\n    {} as {}: {}",
                    variant.wire,
                    variant.name,
                    kind(&variant.kind)
                );
            }
        }
    }
    text
}

fn name(field: &Field) -> String {
    // A name may have several lines.
    let name = field.name.replace('\n', "\\n");
    if field.name == field.rust {
        name
    } else {
        format!("{name} as {}", field.rust)
    }
}

/// The type of a field: `decimal, optional, nullable`.
pub(crate) fn field(field: &Field) -> String {
    let mut text = kind(&field.kind);
    for (is_so, word) in [
        (!field.required, ", optional"),
        (field.nullable, ", nullable"),
        (field.blank, ", blank"),
        (field.public, ", public"),
        (field.extra, ", extra"),
        (field.deep, ", deep"),
    ] {
        text.push_str(if is_so { word } else { "" });
    }
    text
}

/// `BUY SELL ""=Empty`: the values, each with the name of its variant if that is not derived from the value.
pub(crate) fn variants(item: &Enum) -> String {
    let variants = item.variants.iter().map(|variant| {
        let is_plain = variant
            .wire
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_:.-".contains(c));
        let wire = if is_plain && !variant.wire.is_empty() {
            variant.wire.clone()
        } else {
            format!("{:?}", variant.wire)
        };
        if variant.name == variant.wire.to_pascal_case() {
            wire
        } else {
            format!("{wire}={}", variant.name)
        }
    });
    variants.collect::<Vec<_>>().join(" ")
}

/// `[OrderId]`, `{decimal}`, `text or null`.
pub(crate) fn kind(kind: &Type) -> String {
    let inner = self::kind;
    match kind {
        Type::Id(name) | Type::Enum(name) | Type::Schema(name) => name.clone(),
        Type::List(items) => format!("[{}]", inner(items)),
        Type::Map(values) => format!("{{{}}}", inner(values)),
        Type::Nullable(value) => format!("{} or null", inner(value)),
        Type::OrEmpty(value) => format!("{} or empty", inner(value)),
        plain => format!("{plain:?}").to_lowercase(),
    }
}
