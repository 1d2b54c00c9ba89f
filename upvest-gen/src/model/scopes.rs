//! The OAuth scopes of an operation.

use std::collections::BTreeSet;

use serde_json::Value;

/// The OAuth scopes of all security requirements. A token needs one of them.
pub(super) fn scopes(security: Option<&Value>) -> Vec<String> {
    let requirements = security
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object);
    let lists = requirements
        .flat_map(|requirement| requirement.values())
        .filter_map(Value::as_array)
        .flatten();
    let scopes: BTreeSet<&str> = lists.filter_map(Value::as_str).collect();
    scopes.into_iter().map(str::to_owned).collect()
}
