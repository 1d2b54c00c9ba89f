//! JSON pointers (RFC 6901).

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Appends `key` to `pointer`, escaped.
pub(crate) fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Removes the escapes from a key of a pointer.
pub(crate) fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// The pointer in a reference to a place of the same document, such as `#/components/schemas/Order%20Line`. In a URL,
/// characters of a pointer may be percent-encoded (RFC 6901 section 6).
pub(crate) fn of_reference(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    let decoded = percent_decode_str(fragment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// Returns the longest start of `pointer` that exists in `document`. An error about a missing value needs an existing
/// place.
pub(crate) fn existing<'p>(document: &Value, mut pointer: &'p str) -> &'p str {
    while document.pointer(pointer).is_none() {
        pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    pointer
}

/// Removes the member or item at `pointer` from `document`, if there is one.
pub(crate) fn remove(document: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(parent)) => {
            parent.shift_remove(&unescaped(key));
        }
        Some(Value::Array(parent)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < parent.len()) {
                parent.remove(index);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::existing;

    #[test]
    fn a_missing_value_is_reported_at_its_parent() {
        let document = json!({ "paths": { "/a": [{ "get": null }] } });
        for (pointer, place) in [
            ("/paths/~1a/0/get", "/paths/~1a/0/get"),
            ("/paths/~1a/0/get/responses/200", "/paths/~1a/0/get"),
            ("/paths/~1a/1", "/paths/~1a"),
            ("/components/schemas", ""),
            ("no pointer", ""),
            ("", ""),
        ] {
            assert_eq!(existing(&document, pointer), place, "{pointer}");
        }
    }
}
