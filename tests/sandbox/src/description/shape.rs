//! Reads a schema as one flat object: its own keywords, those of its references, of `allOf`, and of the alternatives
//! that fit a value.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::read::resolve;

/// Schemas that are nested deeper than this are circular.
const DEEPEST: usize = 32;

/// The schemas that apply to a value together. The first ones take precedence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape<'a> {
    parts: Vec<&'a Map<String, Value>>,
}

/// Which branches of `oneOf` and `anyOf` belong to a shape.
#[derive(Clone, Copy)]
enum Branches<'a> {
    All,
    /// The one that fits this value best, or the first one.
    Fitting(Option<&'a Value>),
}

/// What a schema says about properties that it does not name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Additional<'a> {
    Unspecified,
    Forbidden,
    Any,
    Schema(&'a Value),
}

impl<'a> Shape<'a> {
    /// All properties that a value can have, of whichever alternative.
    pub(crate) fn of(document: &'a Value, schema: &'a Value) -> Self {
        let mut shape = Self::default();
        shape.collect(document, schema, Branches::All, 0);
        shape
    }

    /// The schema with the alternatives that fit `value` best. Without a value, these are the first ones.
    pub(crate) fn fitting(
        document: &'a Value,
        schema: &'a Value,
        value: Option<&'a Value>,
    ) -> Self {
        let mut shape = Self::default();
        shape.collect(document, schema, Branches::Fitting(value), 0);
        shape
    }

    fn collect(
        &mut self,
        document: &'a Value,
        schema: &'a Value,
        branches: Branches<'a>,
        depth: usize,
    ) {
        let Some(keywords) = schema.as_object().filter(|_| depth < DEEPEST) else {
            return;
        };
        // Alternatives that contain their whole would be read again for each of them, at each depth.
        if self.parts.iter().any(|part| std::ptr::eq(*part, keywords)) {
            return;
        }
        self.parts.push(keywords);
        if keywords.contains_key("$ref") {
            let target = resolve(document, schema);
            if !std::ptr::eq(target, schema) {
                self.collect(document, target, branches, depth + 1);
            }
        }
        for part in list(keywords, "allOf") {
            self.collect(document, part, branches, depth + 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            let alternatives = list(keywords, keyword);
            match branches {
                Branches::All => {
                    for branch in alternatives {
                        self.collect(document, branch, branches, depth + 1);
                    }
                }
                Branches::Fitting(value) => {
                    if let Some(branch) = best(document, alternatives, value, depth) {
                        self.collect(document, branch, branches, depth + 1);
                    }
                }
            }
        }
    }

    /// The value of a keyword.
    pub(crate) fn keyword(&self, name: &str) -> Option<&'a Value> {
        self.parts.iter().find_map(|part| part.get(name))
    }

    pub(crate) fn text(&self, keyword: &str) -> Option<&'a str> {
        self.keyword(keyword)?.as_str()
    }

    pub(crate) fn is_true(&self, keyword: &str) -> bool {
        self.keyword(keyword) == Some(&Value::Bool(true))
    }

    /// The type. If there are several, the first one that is not `null`.
    pub(crate) fn kind(&self) -> Option<&'a str> {
        let named = self.parts.iter().find_map(|part| match part.get("type")? {
            Value::String(kind) => Some(kind.as_str()),
            Value::Array(kinds) => {
                let mut kinds = kinds.iter().filter_map(Value::as_str);
                kinds.find(|kind| *kind != "null")
            }
            _ => None,
        });
        named.or_else(|| self.implied_kind())
    }

    fn implied_kind(&self) -> Option<&'a str> {
        let has = |keyword: &str| self.keyword(keyword).is_some();
        if has("properties") || has("additionalProperties") {
            Some("object")
        } else if has("items") {
            Some("array")
        } else if has("pattern") || has("format") || has("maxLength") || has("minLength") {
            Some("string")
        } else {
            None
        }
    }

    /// The values of `const` or `enum`, without null.
    pub(crate) fn values(&self) -> Option<Vec<&'a Value>> {
        if let Some(value) = self.keyword("const") {
            return Some(vec![value]);
        }
        let values = self.keyword("enum")?.as_array()?;
        Some(values.iter().filter(|value| !value.is_null()).collect())
    }

    /// The properties, each once.
    pub(crate) fn properties(&self) -> Vec<(&'a str, &'a Value)> {
        let mut all: Vec<(&str, &Value)> = Vec::new();
        let mut names = BTreeSet::new();
        for part in &self.parts {
            let properties = part.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                if names.insert(name.as_str()) {
                    all.push((name, schema));
                }
            }
        }
        all
    }

    pub(crate) fn property(&self, name: &str) -> Option<&'a Value> {
        let mut properties = self.parts.iter().filter_map(|part| part.get("properties"));
        properties.find_map(|properties| properties.get(name))
    }

    pub(crate) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self.parts.iter().map(|part| list(part, "required"));
        lists.flatten().filter_map(Value::as_str).collect()
    }

    pub(crate) fn items(&self) -> Option<&'a Value> {
        self.keyword("items").filter(|items| items.is_object())
    }

    pub(crate) fn additional(&self) -> Additional<'a> {
        match self.keyword("additionalProperties") {
            None => Additional::Unspecified,
            Some(Value::Bool(false)) => Additional::Forbidden,
            Some(Value::Bool(true)) => Additional::Any,
            Some(schema) => Additional::Schema(schema),
        }
    }
}

fn list<'a>(keywords: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    let list = keywords.get(keyword).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// The alternative that fits `value` best. Of equally good ones, the first.
fn best<'a>(
    document: &'a Value,
    alternatives: &'a [Value],
    value: Option<&'a Value>,
    depth: usize,
) -> Option<&'a Value> {
    let mut best: Option<(i64, &Value)> = None;
    for branch in alternatives {
        let mut shape = Shape::default();
        shape.collect(document, branch, Branches::All, depth + 1);
        let score = score(document, &shape, value);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, branch));
        }
    }
    best.map(|(_, branch)| branch)
}

/// How well a value fits a schema.
fn score<'a>(document: &'a Value, shape: &Shape<'a>, value: Option<&Value>) -> i64 {
    let is_null = shape.text("type") == Some("null");
    match value {
        None => i64::from(is_null) * -1000,
        Some(Value::Null) => i64::from(is_null) * 1000,
        Some(_) if is_null => -1000,
        Some(Value::Object(fields)) => {
            let fields = fields.iter();
            let known: i64 = fields
                .map(|(name, value)| score_of_field(document, shape, name, value))
                .sum();
            let required = shape.required();
            let missing = required
                .iter()
                .filter(|name| value.is_none_or(|it| it.get(name).is_none()));
            let is_object = shape.kind().is_none_or(|kind| kind == "object");
            known - i64::try_from(missing.count()).unwrap_or(0) * 2 - i64::from(!is_object) * 1000
        }
        Some(value) => {
            let fits_type = shape.kind().is_none_or(|kind| is_of(kind, value));
            let fits_values = shape.values().is_none_or(|values| values.contains(&value));
            i64::from(fits_type) * 10 + i64::from(fits_values) * 20
        }
    }
}

fn score_of_field<'a>(document: &'a Value, shape: &Shape<'a>, name: &str, value: &Value) -> i64 {
    let Some(schema) = shape.property(name) else {
        return -1;
    };
    let property = Shape::of(document, schema);
    match property.values() {
        Some(values) if !value.is_null() && !values.contains(&value) => -50,
        Some(_) => 5,
        None => 1,
    }
}

/// Whether a value has a type of JSON Schema.
pub(crate) fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => value.is_null(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_alternative_with_the_same_kind_is_chosen() {
        let document = json!({});
        let schema = json!({ "oneOf": [
            { "type": "object", "properties": { "kind": { "enum": ["CARD"] }, "number": {} } },
            { "type": "object", "properties": { "kind": { "enum": ["BANK"] }, "iban": {} } },
            { "type": "null" },
        ] });
        let value = json!({ "kind": "BANK" });
        let shape = Shape::fitting(&document, &schema, Some(&value));
        assert!(shape.property("iban").is_some() && shape.property("number").is_none());
        let shape = Shape::fitting(&document, &schema, None);
        assert!(shape.property("number").is_some());
        assert_eq!(Shape::of(&document, &schema).properties().len(), 3);
    }

    #[test]
    fn a_schema_that_refers_to_itself_has_a_shape() {
        let document = json!({ "a": { "allOf": [{ "$ref": "#/a" }], "properties": { "x": {} } } });
        let shape = Shape::of(&document, &document["a"]);
        assert_eq!(shape.properties().len(), 1);
    }

    #[test]
    fn alternatives_that_contain_their_whole_are_collected_once() {
        let cat = json!({ "allOf": [{ "$ref": "#/Pet" }], "properties": { "claws": {} } });
        let alternatives = vec![json!({ "$ref": "#/Cat" }); 50];
        let document = json!({ "Pet": { "oneOf": alternatives }, "Cat": cat });
        let shape = Shape::of(&document, &document["Pet"]);
        assert!(shape.property("claws").is_some());
        assert_eq!(
            shape.parts.len(),
            53,
            "Pet, Cat, and the references to them"
        );
    }
}
