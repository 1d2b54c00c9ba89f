//! Finds the content of an operation's response: one item, a list of items, or something else.

use http::Method;
use serde_json::Value;

use super::words::{self, is_one_of, singular};
use crate::description::{Operation, Schema, Shape, resolve};

/// The content of a successful response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// No body, or a body that is not JSON.
    Nothing,
    /// One resource, possibly in a field of an envelope.
    Item {
        place: String,
        field: Option<String>,
    },
    /// A list of resources, possibly in a field of an envelope.
    List {
        place: String,
        field: Option<String>,
    },
}

impl Content {
    /// The place of the schema of an item.
    pub(super) fn place(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Item { place, .. } | Self::List { place, .. } => Some(place),
        }
    }
}

/// Returns the content of the successful response of an operation.
pub(super) fn content(document: &Value, operation: &Operation) -> Content {
    let schema = operation.success().and_then(|response| response.json());
    let Some(place) = schema.map(Schema::place) else {
        return Content::Nothing;
    };
    let Some(schema) = document.pointer(place) else {
        return Content::Nothing;
    };
    let shape = Shape::of(document, schema);
    if shape.kind() == Some("array") {
        return match place_of(document, place, "items") {
            Some(place) => Content::List { place, field: None },
            None => Content::Nothing,
        };
    }
    let collection = operation.path.split('/').rfind(|it| !it.contains('{'));
    let collection = collection.unwrap_or_default();
    // A resource has an id, a status or the time of its creation. An envelope has none of these.
    let properties = shape.properties();
    let has_id = properties.iter().any(|(name, _)| {
        *name == "id" || is_one_of(name, &words::STATUS) || is_one_of(name, &words::CREATED_AT)
    });
    // A resource can have a list of its own, such as the lines of a basket.
    let is_read = operation.method == Method::GET && !operation.path.ends_with('}');
    if !has_id
        && let Some(field) = list_field(document, &shape, collection, is_read)
        && let Some(place) = property_place(document, place, &field)
        && let Some(place) = place_of(document, &place, "items")
    {
        let field = Some(field);
        return Content::List { place, field };
    }
    if !has_id
        && let Some(field) = item_field(document, &shape, collection)
        && let Some(place) = property_place(document, place, &field)
    {
        let field = Some(field);
        return Content::Item { place, field };
    }
    Content::Item {
        place: place.to_owned(),
        field: None,
    }
}

/// Finds the field with the items: a field with a usual name, or with the name of the collection, or the only array of
/// objects.
fn list_field(
    document: &Value,
    shape: &Shape<'_>,
    collection: &str,
    is_read: bool,
) -> Option<String> {
    let is_list = |schema: &Value| {
        let shape = Shape::of(document, schema);
        shape.kind() == Some("array") && shape.items().is_some()
    };
    let properties = shape.properties();
    let arrays = properties.iter().filter(|(_, schema)| is_list(schema));
    let arrays: Vec<_> = arrays.map(|(name, _)| *name).collect();
    let usual = arrays.iter().find(|name| {
        is_one_of(name, &words::ITEMS) || words::plain(name) == words::plain(collection)
    });
    if let Some(name) = usual {
        return Some((*name).to_owned());
    }
    let has_few_fields = properties.len() <= 3;
    match arrays.as_slice() {
        [only] if is_read && has_few_fields => Some((*only).to_owned()),
        _ => None,
    }
}

/// Finds the field with the only item: a field with a usual name, or with the name of the resource.
fn item_field(document: &Value, shape: &Shape<'_>, collection: &str) -> Option<String> {
    let properties = shape.properties();
    let mut named = properties.iter().filter(|(name, schema)| {
        let is_named = is_one_of(name, &words::ITEM)
            || words::plain(name) == words::plain(&singular(collection));
        is_named && Shape::of(document, schema).kind() == Some("object")
    });
    let (name, _) = named.next()?;
    (properties.len() <= 3).then(|| (*name).to_owned())
}

/// Returns the place of a property of a schema. It can be in a reference or in `allOf`.
fn property_place(document: &Value, place: &str, name: &str) -> Option<String> {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    place_of(document, place, &format!("properties/{escaped}"))
}

/// Returns the place of a keyword of a schema. It can be in a reference, in `allOf`, or in an alternative.
fn place_of(document: &Value, place: &str, keyword: &str) -> Option<String> {
    find(document, place, keyword, 0)
}

fn find(document: &Value, place: &str, keyword: &str, depth: usize) -> Option<String> {
    let schema = document.pointer(place)?;
    let own = format!("{place}/{keyword}");
    if document.pointer(&own).is_some() {
        return Some(own);
    }
    if depth > 16 {
        return None;
    }
    let target = schema["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    if let Some(target) = target {
        let target = percent_encoding::percent_decode_str(target).decode_utf8_lossy();
        if let Some(found) = find(document, &target, keyword, depth + 1) {
            return Some(found);
        }
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        let count = resolve(document, schema)[part]
            .as_array()
            .map_or(0, Vec::len);
        let mut parts = (0..count).map(|at| format!("{place}/{part}/{at}"));
        if let Some(found) = parts.find_map(|part| find(document, &part, keyword, depth + 1)) {
            return Some(found);
        }
    }
    None
}
