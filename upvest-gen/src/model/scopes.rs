//! The OAuth scopes of an operation, and whether it needs a token.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

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

/// Whether a call with these requirements needs no token.
pub(super) fn needs_no_token(document: &Value, security: Option<&Value>) -> bool {
    let Some(security) = security else {
        // A description without any requirements says nothing about tokens.
        return has_security(document);
    };
    let mut requirements = security.as_array().into_iter().flatten();
    let is_empty = |requirement: &Value| requirement.as_object().is_none_or(Map::is_empty);
    requirements.all(is_empty)
}

/// Whether any operation of the document has security requirements.
fn has_security(document: &Value) -> bool {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(_, item)| item.as_object())
        .flat_map(Map::values)
        .any(|operation| operation.get("security").is_some())
}
