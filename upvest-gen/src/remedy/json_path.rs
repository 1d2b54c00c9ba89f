//! JSON pointers in the form of JSON paths.

use serde_json::Value;

use crate::pointer;

/// Turns a JSON pointer into a JSONPath (RFC 9535).
pub(super) fn json_path(document: &Value, pointer: &str) -> String {
    let mut path = "$".to_owned();
    let mut value = document;
    for segment in pointer.split('/').skip(1) {
        let key = pointer::unescaped(segment);
        path.push_str(&step(value, &key));
        value = value
            .get(&key)
            .or_else(|| value.get(key.parse::<usize>().ok()?))
            .unwrap_or(&Value::Null);
    }
    path
}

/// Returns the step to a member or an item of `value`.
fn step(value: &Value, key: &str) -> String {
    let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !key.starts_with(|c: char| c.is_ascii_digit());
    if value.is_array() {
        format!("[{key}]")
    } else if is_name && !key.is_empty() {
        format!(".{key}")
    } else {
        format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::json_path;

    #[test]
    fn a_pointer_becomes_a_path() {
        let document = json!({ "paths": { "/a'b": { "get": [{ "x-y": 1 }] } } });
        assert_eq!(
            json_path(&document, "/paths/~1a'b/get/0/x-y"),
            r"$.paths['/a\'b'].get[0]['x-y']"
        );
        assert_eq!(json_path(&document, ""), "$");
    }
}
