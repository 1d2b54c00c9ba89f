//! Validates the bodies of requests: against their schemas, and for fields that no schema names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::read::{resolve, target};
use super::schema::MAX_NAMED;
use super::{Additional, Description, Schema, Shape};

const NONE: BTreeSet<String> = BTreeSet::new();

impl Description {
    /// The first problems of a body.
    pub(crate) fn problems_of_body(&self, schema: &Schema, body: &Value) -> Vec<String> {
        let mismatches = schema.mismatches(body);
        if self.has_rules {
            // All of its schemas say themselves that they have no other fields.
            let first = mismatches.take(MAX_NAMED);
            return first.map(|it| it.to_string()).collect();
        }
        let definition = self.schemas.pointer(schema.place());
        let definition = definition.unwrap_or(&Value::Bool(true));
        let first = mismatches.take(MAX_NAMED);
        let mut problems: Vec<_> = first.map(|it| it.to_string()).collect();
        let mut unknown = Vec::new();
        self.find_unknown(definition, body, "", &mut unknown);
        for field in unknown {
            let problem = format!("`{field}` is not a field of this body");
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// Finds the first fields that a schema with fields does not have, at any depth.
    fn find_unknown(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        // A long list of texts has no fields, and the shape of its items need not be found for each.
        if found.len() >= MAX_NAMED || !(value.is_object() || value.is_array()) {
            return;
        }
        let shape = Shape::of(&self.schemas, schema);
        match value {
            Value::Object(fields) => {
                let has_fields = !shape.properties().is_empty();
                for (name, value) in fields {
                    let place = join(place, name);
                    match (shape.property(name), shape.additional()) {
                        (Some(schema), _) | (None, Additional::Schema(schema)) => {
                            self.find_unknown(schema, value, &place, found);
                        }
                        (None, Additional::Unspecified | Additional::Forbidden) if has_fields => {
                            let is_known = shape.keyword("patternProperties").is_some();
                            if !is_known && found.len() < MAX_NAMED {
                                found.push(place);
                            }
                        }
                        (None, _) => {}
                    }
                }
            }
            Value::Array(items) => {
                let Some(schema) = shape.items() else { return };
                for (at, item) in items.iter().enumerate() {
                    self.find_unknown(schema, item, &join(place, &at.to_string()), found);
                }
            }
            _ => {}
        }
    }
}

/// A copy of the document for the bodies of requests: they leave out read-only properties, even if these are required.
/// `None` if it would be equal.
pub(super) fn for_requests(document: &Value) -> Option<Value> {
    let mut copy = document.clone();
    let mut is_changed = false;
    walk(&mut copy, &NONE, document, &mut is_changed);
    is_changed.then_some(copy)
}

/// Changes the schemas within `value`. `of_whole` are the read-only properties of the schema that has this one as a
/// part.
fn walk(value: &mut Value, of_whole: &BTreeSet<String>, document: &Value, is_changed: &mut bool) {
    let mut read_only = of_whole.clone();
    if value.is_object() {
        read_only.extend(read_only_properties(document, value));
    }
    match value {
        Value::Object(members) => {
            if let Some(required) = members.get_mut("required") {
                *is_changed |= leave_out(required, &read_only);
            }
            for (keyword, member) in members {
                match (keyword.as_str(), member) {
                    ("allOf", Value::Array(parts)) => {
                        for part in parts {
                            *is_changed |= inline(part, &read_only, document);
                            walk(part, &read_only, document, is_changed);
                        }
                    }
                    ("anyOf", Value::Array(parts)) => {
                        for part in parts {
                            walk(part, &read_only, document, is_changed);
                        }
                    }
                    ("oneOf", Value::Array(parts)) => {
                        let originals = parts.clone();
                        for part in parts {
                            let is_told_apart = !is_told_by(&read_only, part, &originals);
                            let passed = if is_told_apart { &read_only } else { &NONE };
                            walk(part, passed, document, is_changed);
                        }
                    }
                    ("then" | "else", part) => walk(part, &read_only, document, is_changed),
                    (_, member) => walk(member, &NONE, document, is_changed),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, &NONE, document, is_changed);
            }
        }
        _ => {}
    }
}

/// Removes names from the value of `required`. Returns whether there were any.
fn leave_out(required: &mut Value, names: &BTreeSet<String>) -> bool {
    let Value::Array(required) = required else {
        return false;
    };
    let count = required.len();
    required.retain(|name| !name.as_str().is_some_and(|name| names.contains(name)));
    required.len() < count
}

/// Replaces a reference to a schema that only requires fields by a copy without read-only ones, as other schemas can
/// refer to it too.
fn inline(part: &mut Value, read_only: &BTreeSet<String>, document: &Value) -> bool {
    let is_only_reference = part.as_object().is_some_and(|members| members.len() == 1);
    let Some(Value::Object(target)) = target(document, part).filter(|_| is_only_reference) else {
        return false;
    };
    let is_flat = |value: &Value| !value.is_object() && !value.is_array();
    let mut others = target.iter().filter(|(name, _)| *name != "required");
    if !others.all(|(_, value)| is_flat(value)) {
        return false;
    }
    let mut copy = target.clone();
    let is_changed = copy
        .get_mut("required")
        .is_some_and(|it| leave_out(it, read_only));
    if is_changed {
        *part = Value::Object(copy);
    }
    is_changed
}

/// Whether only read-only properties tell an alternative from another one. Without them, a body would match both.
fn is_told_by(read_only: &BTreeSet<String>, alternative: &Value, all: &[Value]) -> bool {
    let required = required(alternative);
    if alternative.get("properties").is_some() || required.is_disjoint(&names(read_only)) {
        return false;
    }
    let rest = &required - &names(read_only);
    let mut all = all.iter().map(self::required);
    all.any(|other| rest.is_subset(&other) && !required.is_subset(&other))
}

fn required(schema: &Value) -> BTreeSet<&str> {
    let required = schema["required"].as_array().into_iter().flatten();
    required.filter_map(Value::as_str).collect()
}

fn names(read_only: &BTreeSet<String>) -> BTreeSet<&str> {
    read_only.iter().map(String::as_str).collect()
}

/// The read-only properties of a schema and of its parts. Those of its alternatives are not, as a body can be meant for
/// another one.
fn read_only_properties(document: &Value, schema: &Value) -> BTreeSet<String> {
    let mut read_only = BTreeSet::new();
    let mut visited = BTreeSet::new();
    let mut parts = vec![schema];
    while let Some(part) = parts.pop() {
        let properties = part["properties"].as_object().into_iter().flatten();
        let own = properties.filter(|(_, property)| is_read_only(document, property));
        read_only.extend(own.map(|(name, _)| name.clone()));
        parts.extend(part["allOf"].as_array().into_iter().flatten());
        let target = target(document, part);
        parts.extend(target.filter(|target| visited.insert(std::ptr::from_ref(*target))));
    }
    read_only
}

/// Whether a property says itself that it is read-only, or does so by a reference or a part.
fn is_read_only(document: &Value, property: &Value) -> bool {
    let says_so = |schema: &Value| {
        schema["readOnly"] == true || resolve(document, schema)["readOnly"] == true
    };
    let mut parts = property["allOf"].as_array().into_iter().flatten();
    says_so(property) || parts.any(says_so)
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_leaves_out_read_only_properties_at_every_place() {
        let id = json!({ "id": { "$ref": "#/components/schemas/Id" }, "name": {} });
        let thing = json!({ "properties": id, "required": ["id", "name"] });
        let schemas = json!({
            "Id": { "type": "string", "readOnly": true },
            "Thing": thing,
            "Listed": { "type": "array", "items": thing },
            "Either": { "oneOf": [thing, { "properties": { "list": thing } }] },
            "Whole": { "allOf": [{ "properties": id }, { "required": ["id", "name"] }] },
        });
        let document = json!({ "components": { "schemas": schemas } });
        let changed = for_requests(&document).unwrap();
        let text = changed.to_string();
        assert_eq!(text.matches(r#""required":["name"]"#).count(), 5, "{text}");
        assert_eq!(text.matches(r#""required""#).count(), 5);
        assert_eq!(for_requests(&changed), None, "nothing is left to change");
    }

    fn changed(schemas: &Value) -> Value {
        let document = json!({ "components": { "schemas": schemas } });
        let changed = for_requests(&document).unwrap_or(document);
        changed["components"]["schemas"].clone()
    }

    fn reference(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    #[test]
    fn alternatives_that_contain_their_whole_are_read_quickly() {
        let names: Vec<_> = (0..50).map(|at| format!("Pet{at}")).collect();
        let mut schemas: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| {
                let own = json!({ "properties": { "mother": reference("Pet") }, "required": ["id", "mother"] });
                (name.clone(), json!({ "allOf": [reference("Pet"), own] }))
            })
            .collect();
        let alternatives: Vec<_> = names.iter().map(|name| reference(name)).collect();
        let id = json!({ "id": { "readOnly": true } });
        let pet = json!({ "properties": id, "required": ["id"], "oneOf": alternatives });
        schemas.insert("Pet".to_owned(), pet);
        let changed = changed(&Value::Object(schemas));
        assert_eq!(changed["Pet"]["required"], json!([]));
        assert_eq!(changed["Pet49"]["allOf"][1]["required"], json!(["mother"]));
    }

    #[test]
    fn a_property_that_only_one_alternative_sets_is_not_read_only() {
        let set = json!({ "properties": { "id": { "readOnly": true } } });
        let given = json!({ "properties": { "id": {} } });
        for keyword in ["oneOf", "anyOf"] {
            let schema = json!({ "required": ["id"], keyword: [set, given] });
            assert_eq!(changed(&json!({ "Thing": schema }))["Thing"], schema);
        }
    }

    #[test]
    fn the_parts_of_a_schema_leave_out_its_read_only_properties() {
        let properties = json!({ "id": { "allOf": [{ "readOnly": true }] }, "a": {}, "b": {} });
        let [a, b] = ["a", "b"].map(|name| json!({ "required": ["id", name] }));
        let without = |name: &str| json!({ "required": [name] });
        for keyword in ["oneOf", "anyOf"] {
            let schema = json!({ "properties": properties, keyword: [a, b] });
            let changed = changed(&json!({ "Thing": schema }));
            assert_eq!(
                changed["Thing"][keyword],
                json!([without("a"), without("b")])
            );
        }
        let schema = json!({ "properties": properties, "if": {}, "then": a, "else": b });
        let changed = changed(&json!({ "Thing": schema }));
        assert_eq!(changed["Thing"]["then"], without("a"));
        assert_eq!(changed["Thing"]["else"], without("b"));
    }

    #[test]
    fn alternatives_that_only_a_read_only_property_tells_apart_stay() {
        let properties = json!({ "id": { "readOnly": true }, "a": {} });
        for first in [json!(["id"]), json!(["id", "a"])] {
            let alternatives = json!([{ "required": first }, { "required": ["a"] }]);
            let schema = json!({ "properties": properties, "oneOf": alternatives });
            assert_eq!(changed(&json!({ "Thing": schema }))["Thing"], schema);
        }
    }

    #[test]
    fn a_part_that_only_requires_fields_is_changed_for_its_whole() {
        let base = json!({ "properties": { "id": { "readOnly": true }, "a": {} } });
        let required = json!({ "title": "Required", "required": ["id", "a"] });
        let changed = changed(&json!({
            "Base": base,
            "Required": required,
            "Thing": { "allOf": [reference("Base"), reference("Required")] },
        }));
        let part = json!({ "title": "Required", "required": ["a"] });
        assert_eq!(changed["Thing"]["allOf"], json!([reference("Base"), part]));
        assert_eq!(changed["Required"], required, "others may need it");
    }
}
