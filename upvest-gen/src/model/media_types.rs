//! The media types of requests and answers.

use serde_json::Value;

use super::api::Encoding;
use crate::document;
use crate::pointer;

/// The encoding of a body with this media type. If there are several, the first in the order of [`Encoding`] is used.
pub(crate) fn encoding(media_type: &str) -> Option<Encoding> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        json if document::is_json(json) => Some(Encoding::Json),
        "application/x-www-form-urlencoded" => Some(Encoding::Form),
        "application/octet-stream" => Some(Encoding::Binary),
        "text/plain" => Some(Encoding::Text),
        _ => None,
    }
}

/// The media type, if a request must name it because it is not the usual one of its encoding.
pub(super) fn unusual(media_type: &str, encoding: Encoding) -> Option<String> {
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

/// The media types of a body or an answer.
pub(super) fn media_types(owner: &Value) -> impl Iterator<Item = &str> {
    contents(owner).map(|(name, _)| name)
}

/// The media types of a body or an answer, with their descriptions.
pub(super) fn contents(owner: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let contents = owner.get("content").and_then(Value::as_object);
    contents
        .into_iter()
        .flatten()
        .map(|(name, media)| (name.as_str(), media))
}

/// The JSON schemas of a body or an answer, with their places.
pub(super) fn json_schemas<'a>(
    owner: &'a Value,
    at: &str,
) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = at.to_owned();
    let json = contents(owner).filter(|(name, media)| is_json(name, media));
    json.filter_map(move |(name, media)| Some((schema_place(&at, name), media.get("schema")?)))
}

/// The place of the schema of a media type.
pub(super) fn schema_place(at: &str, media_type: &str) -> String {
    let contents = pointer::join(at, "content");
    format!("{}/schema", pointer::join(&contents, media_type))
}

/// Whether a body with this media type is JSON. A range of media types is not, if its schema describes bytes.
pub(super) fn is_json(media_type: &str, media: &Value) -> bool {
    let is_of_bytes = media["schema"]["format"] == "binary";
    document::is_json(media_type) && !(is_of_bytes && document::is_range(media_type))
}
