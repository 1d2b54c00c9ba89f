//! The media types of requests and responses.

use serde_json::Value;

use super::api::{Body, Encoding};
use crate::document;
use crate::pointer;

/// Returns the encoding of a body with this media type. If there are several, the first in the order of [`Encoding`] is
/// used.
pub(super) fn encoding(document: &Value, media_type: &str, media: &Value) -> Option<Encoding> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        json if is_json(document, json, media) => Some(Encoding::Json),
        "application/x-www-form-urlencoded" => Some(Encoding::Form),
        "application/octet-stream" => Some(Encoding::Binary),
        "text/plain" => Some(Encoding::Text),
        other if is_of_bytes(document, media) && is_sendable(other) => Some(Encoding::Binary),
        other if is_of_text(document, media) && !other.contains('*') => Some(Encoding::Text),
        _ => None,
    }
}

/// Whether a request can name the media type. Bytes of the range `*/*` are sent as `application/octet-stream`.
fn is_sendable(media_type: &str) -> bool {
    document::is_range(media_type) || !media_type.contains('*')
}

/// Whether `media_type`, which has the content `media`, is the media type with which the client sends `body`.
pub(crate) fn is_media_type_of_body(
    document: &Value,
    body: &Body,
    media_type: &str,
    media: &Value,
) -> bool {
    encoding(document, media_type, media) == Some(body.encoding)
        && explicit_media_type(media_type, body.encoding) == body.media_type
}

/// Returns the media type if a request must name it. `None` if it is the usual one of its encoding.
pub(super) fn explicit_media_type(media_type: &str, encoding: Encoding) -> Option<String> {
    let usual = match encoding {
        Encoding::Json => "application/json",
        Encoding::Form => "application/x-www-form-urlencoded",
        Encoding::Binary => "application/octet-stream",
        Encoding::Text => "text/plain",
    };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_usual = essence.eq_ignore_ascii_case(usual) || essence.contains('*');
    let is_valid = media_type.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    (is_valid && !is_usual).then(|| media_type.to_owned())
}

/// Returns the media types of a body or a response.
pub(super) fn media_types(owner: &Value) -> impl Iterator<Item = &str> {
    contents(owner).map(|(name, _)| name)
}

/// Returns the media types of a body or a response, with their contents.
pub(super) fn contents(owner: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let contents = owner.get("content").and_then(Value::as_object);
    contents
        .into_iter()
        .flatten()
        .map(|(name, media)| (name.as_str(), media))
}

/// Returns the JSON schemas of a body or a response, with their places.
pub(super) fn json_schemas<'a>(
    document: &'a Value,
    owner: &'a Value,
    at: &str,
) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = at.to_owned();
    let json = contents(owner).filter(|(name, media)| is_json(document, name, media));
    json.filter_map(move |(name, media)| Some((schema_place(&at, name), media.get("schema")?)))
}

/// Returns the place of the schema of a media type.
pub(super) fn schema_place(at: &str, media_type: &str) -> String {
    let contents = pointer::join(at, "content");
    format!("{}/schema", pointer::join(&contents, media_type))
}

/// Whether a body with this media type is JSON. A range of media types is not JSON if its schema describes bytes.
pub(super) fn is_json(document: &Value, media_type: &str, media: &Value) -> bool {
    let is_of_bytes = || is_of_bytes(document, media);
    document::is_json(media_type) && !(document::is_range(media_type) && is_of_bytes())
}

/// Whether the schema of a media type describes a text.
fn is_of_text(document: &Value, media: &Value) -> bool {
    let kind = &document::resolve(document, &media["schema"])["type"];
    let names = kind
        .as_array()
        .map_or(std::slice::from_ref(kind), Vec::as_slice);
    names.iter().any(|name| name == "string")
        && names.iter().all(|name| name == "string" || name == "null")
}

/// Whether the schema of a media type describes bytes.
fn is_of_bytes(document: &Value, media: &Value) -> bool {
    document::resolve(document, &media["schema"])["format"] == "binary"
}
