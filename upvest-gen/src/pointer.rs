//! JSON pointers (RFC 6901).

use serde_json::Value;

/// Appends `key` to `pointer`, escaped.
pub(crate) fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Takes the member or item at `pointer` out of `document`, if there is one.
pub(crate) fn remove(document: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(parent)) => {
            parent.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(parent)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < parent.len()) {
                parent.remove(index);
            }
        }
        _ => {}
    }
}
