//! Writes `application/x-www-form-urlencoded`.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// A field of a form that is not written in the usual way. Usually, a list is a pair for each of its items: `a=1&a=2`.
#[derive(Clone, Copy, Debug)]
pub struct FormField {
    name: &'static str,
    style: FormStyle,
}

#[derive(Clone, Copy, Debug)]
enum FormStyle {
    /// The items of a list are one text, with this between them.
    Joined(&'static str),
    /// The value is written as JSON.
    Json,
}

impl FormField {
    /// A list whose items are one text, with `separator` between them.
    pub const fn joined(name: &'static str, separator: &'static str) -> Self {
        let style = FormStyle::Joined(separator);
        Self { name, style }
    }

    /// A value that is written as JSON.
    pub const fn json(name: &'static str) -> Self {
        let style = FormStyle::Json;
        Self { name, style }
    }
}

/// The fields of `form` as text. `null` and empty lists are left out.
pub(crate) fn write_form<T: Serialize>(form: &T, unusual: &[FormField]) -> Result<String, String> {
    let json = serde_json::to_vec(form).map_err(|error| error.to_string())?;
    let Fields(fields) = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    let mut pairs: Vec<String> = Vec::new();
    for (name, value) in fields {
        let field = unusual.iter().find(|field| field.name == name);
        let texts = texts(value, field).map_err(|problem| format!("`{name}`: {problem}"))?;
        let name = encoded(&name);
        pairs.extend(texts.iter().map(|text| format!("{name}={text}")));
    }
    Ok(pairs.join("&"))
}

/// The encoded texts of a field, each for a pair of its own.
fn texts(value: Value, field: Option<&FormField>) -> Result<Vec<String>, String> {
    match (value, field.map(|field| field.style)) {
        (Value::Null, _) => Ok(Vec::new()),
        (Value::Array(items), Some(FormStyle::Joined(_))) if items.is_empty() => Ok(Vec::new()),
        (value, Some(FormStyle::Json)) => Ok(vec![encoded(&value.to_string())]),
        (Value::Array(items), None) => items.into_iter().map(text).collect(),
        (Value::Array(items), Some(FormStyle::Joined(separator))) => {
            let items: Vec<String> = items.into_iter().map(text).collect::<Result<_, _>>()?;
            Ok(vec![items.join(separator)])
        }
        (value, _) => Ok(vec![text(value)?]),
    }
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(encoded(&text)),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => {
            Err("an object or a list cannot be a single value of a form".to_owned())
        }
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The fields of an object, in their order.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_repeated_joined_or_json() {
        let form =
            json!({ "a": ["1", "x y"], "b": ["1", "2,3"], "c": { "d": [1] }, "e": [], "f": null });
        let unusual = [FormField::joined("b", ","), FormField::json("c")];
        assert_eq!(
            write_form(&form, &unusual).unwrap(),
            "a=1&a=x+y&b=1,2%2C3&c=%7B%22d%22%3A%5B1%5D%7D"
        );
    }

    #[test]
    fn fields_keep_their_order_and_absent_options_are_omitted() {
        #[derive(Serialize)]
        struct Form {
            second: bool,
            first: f64,
            none: Option<u8>,
        }
        let form = Form {
            second: true,
            first: 1.5,
            none: None,
        };
        assert_eq!(write_form(&form, &[]).unwrap(), "second=true&first=1.5");
    }

    #[test]
    fn an_object_in_a_form_is_an_error_that_names_the_field() {
        let problem = write_form(&json!({ "deep": { "a": 1 } }), &[]).unwrap_err();
        assert!(problem.starts_with("`deep`: "), "{problem}");
    }
}
