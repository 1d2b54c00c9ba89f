//! Makes bodies from their schemas, independently of the sandbox.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Makes the bodies of requests from the schemas of `document`.
pub(crate) struct Bodies<'a> {
    pub(crate) document: &'a Value,
    /// The ids of resources that exist, by the names of path parameters, such as `account_id`.
    pub(crate) ids: &'a BTreeMap<String, String>,
}

/// Sample strings. For each `pattern` of the descriptions that are tested, one of them matches.
const TEXTS: [&str; 17] = [
    "DE89370400440532013000",
    "COBADEFFXXX",
    "IE00B3XXRP09",
    "isin:IE00B3XXRP09",
    "65929970489",
    "DE",
    "EUR",
    "XETR",
    "10115",
    "2026-11-30",
    "+4930123456",
    "100.00",
    "10",
    "a@example.com",
    "https://example.com/",
    "1m",
    "abc",
];

impl Bodies<'_> {
    pub(crate) fn body(&self, schema: &Value) -> Value {
        self.value(schema, "", 0)
    }

    /// A value of a parameter. An enum never gets the id of a resource.
    pub(crate) fn parameter(&self, schema: &Value, name: &str) -> Value {
        let nobody = BTreeMap::new();
        let bodies = Bodies {
            document: self.document,
            ids: if schema["enum"].is_null() {
                self.ids
            } else {
                &nobody
            },
        };
        bodies.value(schema, name, 0)
    }

    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let schema = self.merged(schema, depth);
        if let Some(id) = self.ids.get(name) {
            return json!(id);
        }
        for keyword in ["const", "example", "default"] {
            if let Some(value) = schema.get(keyword).filter(|value| !value.is_null()) {
                return value.clone();
            }
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds[0].as_str().unwrap_or_default(),
            kind => kind.as_str().unwrap_or_default(),
        };
        match kind {
            "object" => self.object(&schema, depth),
            "array" => json!([self.value(&schema["items"], name, depth + 1)]),
            "integer" => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
            "number" => json!(schema["minimum"].as_f64().unwrap_or(1.0).max(1.0)),
            "boolean" => json!(true),
            _ if schema["properties"].is_object() => self.object(&schema, depth),
            _ => json!(text(&schema, name)),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            let property = &schema["properties"][name];
            object.insert(name.to_owned(), self.value(property, name, depth + 1));
        }
        for (name, _) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(id) = self.ids.get(name).filter(|_| name != "id") {
                object.insert(name.clone(), json!(id));
            }
        }
        let least = usize::try_from(schema["minProperties"].as_u64().unwrap_or(0)).unwrap();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if object.len() < least && !object.contains_key(name) {
                object.insert(name.clone(), self.value(property, name, depth + 1));
            }
        }
        Value::Object(object)
    }

    /// The schema with its references, `allOf` and the first alternative merged into it.
    fn merged(&self, schema: &Value, depth: usize) -> Value {
        let mut merged = json!({});
        if depth > 8 {
            return merged;
        }
        let own = resolved(self.document, schema);
        let alternatives = own.get("oneOf").or_else(|| own.get("anyOf"));
        let first = alternatives.and_then(|alternatives| alternatives.get(0));
        let parts = own["allOf"].as_array().into_iter().flatten();
        for part in parts.chain(first) {
            add(&mut merged, &self.merged(part, depth + 1));
        }
        add(&mut merged, own);
        merged
    }
}

pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    match target.and_then(|target| document.pointer(target)) {
        Some(target) => resolved(document, target),
        None => value,
    }
}

fn add(schema: &mut Value, other: &Value) {
    for (keyword, value) in other.as_object().into_iter().flatten() {
        match (&mut schema[keyword], value) {
            (Value::Object(known), Value::Object(more)) => known.extend(more.clone()),
            (Value::Array(known), Value::Array(more)) if keyword == "required" => {
                known.extend(more.clone());
            }
            (known, value) => *known = value.clone(),
        }
    }
}

fn text(schema: &Value, name: &str) -> String {
    let of_format = match schema["format"].as_str() {
        Some("uuid") => Some("0b2f8a3e-6f0a-4a3c-9a52-6f0cbd0f1f11"),
        Some("date") => Some("2026-11-30"),
        Some("date-time") => Some("2026-11-30T03:00:00Z"),
        Some("email") => Some("a@example.com"),
        Some("uri" | "url") => Some("https://example.com/"),
        _ => None,
    };
    let rule = json!({
        "type": "string",
        "pattern": schema.get("pattern").cloned().unwrap_or(json!("")),
        "minLength": schema["minLength"].as_u64().unwrap_or(0),
        "maxLength": schema["maxLength"].as_u64().unwrap_or(1000),
    });
    let validator = jsonschema::draft202012::new(&rule).unwrap();
    let named = [name];
    let all = of_format.iter().chain(&named).chain(&TEXTS).copied();
    let mut fitting = all.filter(|text| validator.is_valid(&json!(text)));
    fitting
        .next()
        .unwrap_or_else(|| panic!("no text for {rule}"))
        .to_owned()
}
