//! JSON pointers (RFC 6901) and walks over a document that know where they are.

use serde_json::Value;

/// Appends `key` to `pointer`, escaped.
pub(crate) fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Visits every object below `value`, parents first, with its pointer.
pub(crate) fn visit<E>(
    value: &Value,
    pointer: &str,
    see: &mut impl FnMut(&str, &serde_json::Map<String, Value>) -> Result<(), E>,
) -> Result<(), E> {
    match value {
        Value::Object(object) => {
            see(pointer, object)?;
            object.iter().try_for_each(|(key, child)| visit(child, &join(pointer, key), see))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, child)| visit(child, &format!("{pointer}/{index}"), see)),
        _ => Ok(()),
    }
}
