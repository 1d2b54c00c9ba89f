//! Applies an OpenAPI Overlay 1.0 to a description.

mod extensions;
mod places;
mod regular_expressions;

use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::error::{Error, Result};
use crate::pointer;
use extensions::Names;
use places::places;

#[derive(Deserialize)]
struct Overlay {
    overlay: String,
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Action {
    target: String,
    description: Option<String>,
    update: Option<Value>,
    #[serde(default)]
    remove: bool,
    /// Whether the action may match nothing.
    #[serde(default, rename = "x-optional")]
    optional: bool,
    #[serde(flatten)]
    others: Value,
}

/// Applies the actions of `overlay` to `document`, in order. All problems are found in one run.
///
/// Two rules are stricter than the specification, so that outdated actions are found: an action needs a reason in its
/// `description`, and a target that matches nothing is an error.
pub(crate) fn overlay(
    mut document: Value,
    overlay: Value,
) -> std::result::Result<Value, Vec<Error>> {
    let overlay: Overlay = serde_json::from_value(overlay).map_err(|error| {
        vec![Error::at(
            "",
            format!("invalid overlay: {error}"),
            "see the OpenAPI Overlay Specification 1.0, section 4.4",
        )]
    })?;
    if !overlay.overlay.starts_with("1.0.") {
        return Err(vec![Error::at(
            "/overlay",
            format!("the overlay version {:?} is not supported", overlay.overlay),
            "use version 1.0.x",
        )]);
    }
    let mut errors = Vec::new();
    for (index, action) in overlay.actions.into_iter().enumerate() {
        let at = format!("/actions/{index}");
        errors.extend(extensions::misspelt(&action.others, Names::Defined, &at));
        match selected(&document, &action, &at) {
            Ok(places) => {
                errors.extend(misspelt(&document, &action, &places, &at));
                errors.extend(apply(&mut document, &action, &places, &at).err());
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(document)
    } else {
        Err(errors)
    }
}

/// Returns an error for each misspelt extension of the update at `places`.
fn misspelt(document: &Value, action: &Action, places: &[String], at: &str) -> Vec<Error> {
    let (Some(update), Some(place)) = (&action.update, places.first()) else {
        return Vec::new();
    };
    let is_list = document.pointer(place).is_some_and(Value::is_array);
    let names = if is_list && !update.is_array() {
        Names::at(&pointer::join(place, "-"))
    } else {
        Names::at(place)
    };
    extensions::misspelt(update, names, &pointer::join(at, "update"))
}

/// Returns the places that the target of an action selects. They are empty only if the action is optional.
fn selected(document: &Value, action: &Action, at: &str) -> Result<Vec<String>> {
    let target = &action.target;
    if action
        .description
        .as_ref()
        .is_none_or(|reason| reason.trim().is_empty())
    {
        return Err(Error::at(
            at,
            format!("the action on `{target}` has no reason"),
            "write the reason into its `description`",
        ));
    }
    let path = JsonPath::parse(target).map_err(|error| {
        Error::at(
            pointer::join(at, "target"),
            format!("`{target}` is not a valid JSONPath: {error}"),
            "see RFC 9535",
        )
    })?;
    let places = places(document, &path);
    if places.is_empty() && !action.optional {
        return Err(Error::at(
            pointer::join(at, "target"),
            format!("`{target}` matches nothing"),
            "the description has changed: correct the target, drop the action if its reason is gone, or mark it \
             `x-optional: true`",
        ));
    }
    Ok(places)
}

fn apply(document: &mut Value, action: &Action, places: &[String], at: &str) -> Result<()> {
    let target = &action.target;
    // In reverse order, so that removing an item of an array does not move the items that are removed next.
    for place in places.iter().rev() {
        match (&action.update, document.pointer_mut(place)) {
            // With `remove: true`, an update has no effect (Overlay 1.0 section 4.4.3).
            _ if action.remove => pointer::remove(document, place),
            (Some(update), Some(target)) => change(target, update, at, place)?,
            _ => {
                return Err(Error::at(
                    at,
                    format!("the action on `{target}` has no effect"),
                    "give it an `update`, or `remove: true`",
                ));
            }
        }
    }
    Ok(())
}

/// An update of an array appends one or several items. Other values are merged.
fn change(target: &mut Value, update: &Value, at: &str, place: &str) -> Result<()> {
    match (target, update) {
        (Value::Array(target), item) if !item.is_array() => target.push(item.clone()),
        (target, update) if target.is_object() != update.is_object() => {
            return Err(Error::at(
                pointer::join(at, "update"),
                format!(
                    "cannot merge the update of `{place}`: either it or its target is an object, but not both"
                ),
                "update an object by an object; to replace it, remove it and add it to its parent",
            ));
        }
        (target, update) => merge(target, update),
    }
    Ok(())
}

/// Objects are merged member by member, arrays are joined, and other values are replaced (Overlay 1.0 section 4.4.3).
fn merge(target: &mut Value, update: &Value) {
    match (target, update) {
        (Value::Object(target), Value::Object(update)) => {
            for (key, value) in update {
                match target.get_mut(key) {
                    Some(present) => merge(present, value),
                    None => {
                        target.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(target), Value::Array(update)) => target.extend(update.iter().cloned()),
        (target, update) => *target = update.clone(),
    }
}

#[cfg(test)]
mod tests;
