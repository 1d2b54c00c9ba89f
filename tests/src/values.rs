//! Random values for a schema of the description, including values that a newer server may send.

use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};

use crate::description::Description;

impl Description {
    /// Values of `schema` as the server may send them: optional fields present or absent, known enum values and unknown
    /// ones, decimals of any scale, times to the nanosecond.
    ///
    /// # Panics
    ///
    /// If the description has a type of value that the tests do not support.
    pub fn values(&self, schema: &Value) -> BoxedStrategy<Value> {
        let schema = self.resolve(schema);
        if schema.get("enum").is_some() {
            return enumerated(schema);
        }
        let text = |name: &str| schema[name].as_str().unwrap_or_default();
        match (text("type"), text("format"), text("pattern")) {
            ("object", ..) => self.object(schema),
            ("array", ..) => prop::collection::vec(self.values(&schema["items"]), 0..4)
                .prop_map(Value::Array)
                .boxed(),
            ("boolean", ..) => any::<bool>().prop_map(Value::Bool).boxed(),
            ("integer", "uint64", _) => any::<u64>().prop_map(|number| json!(number)).boxed(),
            ("integer", ..) => (0_u16..600).prop_map(|number| json!(number)).boxed(),
            ("string", "uuid", _) => any::<[u8; 16]>().prop_map(uuid).boxed(),
            ("string", "date", _) => date().prop_map(Value::String).boxed(),
            ("string", "date-time", _) => date_time(),
            ("string", "decimal", _) => decimal(),
            ("string", _, "") => any::<String>().prop_map(Value::String).boxed(),
            ("string", _, "^[A-Z]{3}$") => "[A-Z]{3}|[a-z]{0,5}".prop_map(Value::String).boxed(),
            ("string", _, "^[A-Z]{2}$") => "[A-Z]{2}|[a-zé]{0,5}".prop_map(Value::String).boxed(),
            ("string", _, _) => "[A-Z]{2}[A-Z0-9]{9}[0-9]|[a-z]{0,15}"
                .prop_map(Value::String)
                .boxed(),
            (kind, format, _) => {
                panic!("no values for `{kind}` in format `{format}`: teach the tests")
            }
        }
    }

    fn object(&self, schema: &Value) -> BoxedStrategy<Value> {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields = properties.map(|(name, property)| {
            let values = self.values(property);
            let field = if required.contains(&json!(name)) {
                values.prop_map(Some).boxed()
            } else {
                prop::option::of(values).boxed()
            };
            let name = name.clone();
            field
                .prop_map(move |value| value.map(|value| (name.clone(), value)))
                .boxed()
        });
        let fields: Vec<_> = fields.collect();
        fields
            .prop_map(|fields| Value::Object(fields.into_iter().flatten().collect::<Map<_, _>>()))
            .boxed()
    }
}

fn enumerated(schema: &Value) -> BoxedStrategy<Value> {
    let known = schema["enum"].as_array().cloned().unwrap_or_default();
    let known = known.into_iter().map(|value| Just(value).boxed());
    Union::new(known.chain([any::<String>().prop_map(Value::String).boxed()])).boxed()
}

fn uuid(bytes: [u8; 16]) -> Value {
    Value::String(uuid::Uuid::from_bytes(bytes).to_string())
}

fn date() -> impl Strategy<Value = String> {
    (1900_u16..2200, 1_u8..=12, 1_u8..=28)
        .prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
}

/// Fractions of a second: none, milli-, micro- or nanoseconds.
fn date_time() -> BoxedStrategy<Value> {
    let fraction = prop_oneof![
        Just(String::new()),
        "\\.[0-9]{2}[1-9]",
        "\\.[0-9]{5}[1-9]",
        "\\.[0-9]{8}[1-9]"
    ];
    (date(), 0_u8..24, 0_u8..60, 0_u8..60, fraction)
        .prop_map(|(date, h, m, s, fraction)| {
            json!(format!("{date}T{h:02}:{m:02}:{s:02}{fraction}Z"))
        })
        .boxed()
}

/// Up to 28 digits in all, the point anywhere among them.
fn decimal() -> BoxedStrategy<Value> {
    "-?(0|[1-9][0-9]{0,13})(\\.[0-9]{1,14})?"
        .prop_filter("zero has no sign", |text| {
            text.bytes().any(|c| (b'1'..=b'9').contains(&c)) || !text.starts_with('-')
        })
        .prop_map(Value::String)
        .boxed()
}
