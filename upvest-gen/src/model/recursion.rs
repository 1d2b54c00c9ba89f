//! Finds objects that contain themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::api::{Schema, Shape, Type};

/// Marks the fields by which an object can contain itself.
pub(super) fn mark_recursive(schemas: &mut [Schema]) {
    let direct: BTreeMap<String, Vec<String>> = schemas
        .iter()
        .map(|schema| (schema.name.clone(), direct(&schema.shape)))
        .collect();
    for schema in schemas {
        let Shape::Object(fields) = &mut schema.shape else {
            continue;
        };
        for field in fields {
            let kind = field.kind.direct_object();
            field.recursive = kind.is_some_and(|kind| is_within(&direct, &schema.name, kind));
        }
    }
}

/// Returns the objects that an object contains directly, not in a list or a map.
fn direct(shape: &Shape) -> Vec<String> {
    let objects = shape.kinds().into_iter().filter_map(Type::direct_object);
    objects.map(str::to_owned).collect()
}

/// Whether the object `start` is, or contains, the object `name`.
fn is_within(direct: &BTreeMap<String, Vec<String>>, name: &str, start: &str) -> bool {
    let mut open = vec![start];
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        if next == name {
            return true;
        }
        if seen.insert(next) {
            open.extend(direct.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    false
}
