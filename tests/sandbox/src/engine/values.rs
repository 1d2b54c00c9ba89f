//! Makes values for schemas from known values, and otherwise from `default`, `example`, `enum`, format and pattern.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::numbers::{integer, number};
use super::patterns::{PatternTexts, TextRule};
use super::words::plain;
use crate::description::{Additional, Schema, Shape, is_of};

/// The depth from which on optional fields of nested objects are left out.
const DEEP: usize = 4;
/// The maximum depth of nested schemas. Deeper schemas contain themselves, and get no value.
const DEEPEST: usize = 12;
/// The maximum number of corrections of a value that does not match its schema.
const CORRECTIONS: usize = 4;

/// The optional fields that an object gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// Fields with a default or an example, and fields that only the server sets.
    Known,
    /// All.
    All,
}

impl Place<'_> {
    /// The name of a field that refers to another resource. `uuid` and `id` in `instrument` are an `instrument_id`.
    fn reference(self) -> String {
        match self.name {
            "id" | "uuid" => format!("{}id", plain(self.parent)),
            name => plain(name),
        }
    }
}

/// Makes values. The same seed gives the same values.
pub(super) struct ValueMaker<'a> {
    pub(super) document: &'a Value,
    pub(super) texts: &'a PatternTexts,
    pub(super) now: DateTime<Utc>,
    pub(super) random: StdRng,
    pub(super) fill: Fill,
    /// Ids of resources that exist, by the names of fields that refer to them, such as `instrumentid`.
    pub(super) references: BTreeMap<String, String>,
    /// The number of mismatches of the value at each place.
    corrections: HashMap<String, u8>,
}

/// A place in the value that is being made.
#[derive(Clone, Copy)]
struct Place<'a> {
    pointer: &'a str,
    /// The name of the field.
    name: &'a str,
    /// The name of the object with the field.
    parent: &'a str,
    depth: usize,
}

impl<'a> ValueMaker<'a> {
    pub(super) fn new(
        document: &'a Value,
        texts: &'a PatternTexts,
        now: DateTime<Utc>,
        random: StdRng,
        fill: Fill,
    ) -> Self {
        Self {
            document,
            texts,
            now,
            random,
            fill,
            references: BTreeMap::new(),
            corrections: HashMap::new(),
        }
    }

    /// Makes a value for `schema` with as many `known` values as the schema allows.
    pub(super) fn value(&mut self, schema: &Value, known: Option<&Value>, name: &str) -> Value {
        self.corrections.clear();
        self.whole(schema, known, name)
    }

    /// As [`Self::value`], corrected until it matches the schema.
    pub(super) fn valid_value(
        &mut self,
        schema: &Schema,
        known: Option<&Value>,
        name: &str,
    ) -> Value {
        let Some(definition) = self.document.pointer(schema.place()) else {
            return known.cloned().unwrap_or_default();
        };
        let mut value = self.value(definition, known, name);
        for _ in 0..CORRECTIONS {
            let wrong = schema.wrong_places(&value);
            if wrong.is_empty() {
                break;
            }
            // The known values of the outermost object stay, because they include its id and its status.
            for place in wrong.into_iter().filter(|place| !place.is_empty()) {
                *self.corrections.entry(place).or_default() += 1;
            }
            value = self.whole(definition, known, name);
        }
        value
    }

    /// Makes an id that its schema allows. It differs from call to call if the schema allows that.
    pub(super) fn new_id(&mut self, schema: &Value) -> Value {
        let shape = Shape::fitting(self.document, schema, None);
        if let Some(text) = self.text_of_format(shape.text("format")) {
            return json!(text);
        }
        let max_length = whole_number(&shape, "maxLength").unwrap_or(u64::MAX);
        let rule = TextRule {
            pattern: shape.text("pattern").unwrap_or("^[a-z0-9]{8}$"),
            min_length: whole_number(&shape, "minLength").unwrap_or(0),
            max_length,
        };
        match rule.random_text(&mut self.random) {
            Some(text) if shape.values().is_none() => json!(text),
            _ => self.value(schema, None, "id"),
        }
    }

    fn whole(&mut self, schema: &Value, known: Option<&Value>, name: &str) -> Value {
        let place = Place {
            pointer: "",
            name,
            parent: "",
            depth: 0,
        };
        self.make(schema, known, place).unwrap_or_default()
    }

    /// Makes a value at a place. `None` if the schema contains itself endlessly.
    fn make(&mut self, schema: &Value, known: Option<&Value>, place: Place<'_>) -> Option<Value> {
        if place.depth > DEEPEST {
            return None;
        }
        let corrections = self.corrections.get(place.pointer).copied().unwrap_or(0);
        let known = known.filter(|_| corrections == 0);
        let shape = Shape::fitting(self.document, schema, known);
        let kind = shape.kind();
        match (kind, known) {
            (Some("object"), _) => return Some(self.object(&shape, known, place)),
            (Some("array"), Some(Value::Array(items))) => {
                return Some(self.items(&shape, items, place));
            }
            (_, Some(known)) if fits(&shape, known) => return Some(known.clone()),
            _ => {}
        }
        if let Some(value) = shape.keyword("const") {
            return Some(value.clone());
        }
        if corrections < 2
            && let Some(value) = given(&shape)
        {
            return Some(value.clone());
        }
        if let Some(value) = shape.values().and_then(|values| values.first().copied()) {
            return Some(value.clone());
        }
        if let Some(id) = self.references.get(&place.reference())
            && corrections == 0
        {
            return Some(json!(id));
        }
        match kind {
            Some("array") => Some(self.array(&shape, place)),
            Some("boolean") => Some(json!(false)),
            Some("integer") => Some(integer(&shape)),
            Some("number") => Some(number(&shape)),
            Some("null") => Some(Value::Null),
            _ => Some(json!(self.text(&shape, place))),
        }
    }

    fn object(&mut self, shape: &Shape<'_>, known: Option<&Value>, place: Place<'_>) -> Value {
        let known = known.and_then(Value::as_object);
        let example = given(shape).and_then(Value::as_object);
        let required = shape.required();
        let properties = shape.properties();
        let mut object = Map::new();
        for (name, schema) in &properties {
            let own = known.and_then(|known| known.get(*name));
            // A known `null` leaves out a field that cannot be null.
            let is_unset = own.is_some_and(Value::is_null) && !required.contains(name);
            if is_unset && !self.allows_null(schema) {
                continue;
            }
            let own = own.or_else(|| example.filter(|_| known.is_none())?.get(*name));
            let is_wanted =
                own.is_some() || required.contains(name) || self.is_filled(schema, place.depth);
            if is_wanted && let Some(value) = self.field(schema, own, name, place) {
                object.insert((*name).to_owned(), value);
            }
        }
        for name in required {
            if !object.contains_key(name) && shape.property(name).is_none() {
                let own = known.and_then(|known| known.get(name)).cloned();
                object.insert(name.to_owned(), own.unwrap_or_else(|| json!(name)));
            }
        }
        self.add_unnamed(shape, known, place, &mut object);
        Value::Object(object)
    }

    /// Adds the fields that the schema does not name.
    fn add_unnamed(
        &mut self,
        shape: &Shape<'_>,
        known: Option<&Map<String, Value>>,
        place: Place<'_>,
        object: &mut Map<String, Value>,
    ) {
        let is_free_form = shape.properties().is_empty();
        for (name, value) in known.into_iter().flatten() {
            if object.contains_key(name) || shape.property(name).is_some() {
                continue;
            }
            let value = match shape.additional() {
                Additional::Forbidden => None,
                Additional::Unspecified => is_free_form.then(|| value.clone()),
                Additional::Any => Some(value.clone()),
                Additional::Schema(schema) => self.field(schema, Some(value), name, place),
            };
            if let Some(value) = value {
                object.insert(name.clone(), value);
            }
        }
    }

    fn field(
        &mut self,
        schema: &Value,
        known: Option<&Value>,
        name: &str,
        place: Place<'_>,
    ) -> Option<Value> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{}/{escaped}", place.pointer);
        let place = Place {
            pointer: &pointer,
            name,
            parent: if place.depth == 0 { "" } else { place.name },
            depth: place.depth + 1,
        };
        self.make(schema, known, place)
    }

    fn allows_null(&self, schema: &Value) -> bool {
        let null = Value::Null;
        fits(&Shape::fitting(self.document, schema, Some(&null)), &null)
    }

    /// Whether an optional field without a known value gets one.
    fn is_filled(&self, schema: &Value, depth: usize) -> bool {
        if depth > DEEP {
            return false;
        }
        let shape = Shape::fitting(self.document, schema, None);
        if shape.is_true("writeOnly") {
            return false;
        }
        match self.fill {
            Fill::All => true,
            Fill::Known => given(&shape).is_some() || shape.is_true("readOnly"),
        }
    }

    fn items(&mut self, shape: &Shape<'_>, items: &[Value], place: Place<'_>) -> Value {
        let Some(schema) = shape.items() else {
            return json!(items);
        };
        let items = items.iter().enumerate();
        let items =
            items.filter_map(|(at, item)| self.field(schema, Some(item), &at.to_string(), place));
        Value::Array(items.collect())
    }

    fn array(&mut self, shape: &Shape<'_>, place: Place<'_>) -> Value {
        let least = whole_number(shape, "minItems").unwrap_or(0);
        let usual = u64::from(self.fill == Fill::All && place.depth <= DEEP);
        let most = whole_number(shape, "maxItems").unwrap_or(u64::MAX);
        let count = least.max(usual).min(most.max(least)).min(100);
        let Some(schema) = shape.items() else {
            return json!([]);
        };
        let mut items = Vec::new();
        for at in 0..count {
            let at = at.to_string();
            let pointer = format!("{}/{at}", place.pointer);
            // Items are named like their array, so that they get its kind of text.
            let item = Place {
                pointer: &pointer,
                name: place.name,
                parent: place.parent,
                depth: place.depth + 1,
            };
            items.extend(self.make(schema, None, item));
        }
        Value::Array(items)
    }

    fn text(&mut self, shape: &Shape<'_>, place: Place<'_>) -> String {
        let min_length = whole_number(shape, "minLength").unwrap_or(0);
        let max_length = whole_number(shape, "maxLength").unwrap_or(u64::MAX);
        if let Some(pattern) = shape.text("pattern") {
            let rule = TextRule {
                pattern,
                min_length,
                max_length,
            };
            let of_format = self.text_of_format(shape.text("format"));
            let text = of_format.filter(|text| rule.allows(text));
            let text = text.or_else(|| self.texts.text(rule, place.name, &mut self.random));
            if let Some(text) = text {
                return text;
            }
        }
        if let Some(text) = self.text_of_format(shape.text("format")) {
            return text;
        }
        of_length(place.name, min_length, max_length)
    }

    fn text_of_format(&mut self, format: Option<&str>) -> Option<String> {
        Some(match format? {
            "uuid" => uuid::Builder::from_random_bytes(self.random.random())
                .into_uuid()
                .to_string(),
            "date-time" => instant(self.now),
            "date" => self.now.date_naive().to_string(),
            "time" => "12:00:00Z".to_owned(),
            "duration" => "P1D".to_owned(),
            "email" | "idn-email" => "a@example.com".to_owned(),
            "uri" | "url" | "iri" | "uri-reference" => "https://example.com/".to_owned(),
            "hostname" | "idn-hostname" => "example.com".to_owned(),
            "ipv4" => "192.0.2.1".to_owned(),
            "ipv6" => "2001:db8::1".to_owned(),
            "decimal" => "1.00".to_owned(),
            "byte" => STANDARD.encode("text"),
            "regex" => ".*".to_owned(),
            "json-pointer" => "/a".to_owned(),
            _ => return None,
        })
    }
}

/// Formats a time, always with milliseconds.
pub(super) fn instant(time: DateTime<Utc>) -> String {
    crate::instant::text(time)
}

/// Returns the default or the example in the description.
fn given<'a>(shape: &Shape<'a>) -> Option<&'a Value> {
    let example = || shape.keyword("example");
    let first = || shape.keyword("examples")?.as_array()?.first();
    shape
        .keyword("default")
        .or_else(example)
        .or_else(first)
        .filter(|value| !value.is_null())
}

/// Whether a value has the right type and is one of the listed values.
fn fits(shape: &Shape<'_>, value: &Value) -> bool {
    if value.is_null() {
        let kinds = shape.keyword("type").and_then(Value::as_array);
        return kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
            || shape.kind().is_none_or(|kind| kind == "null");
    }
    let fits_type = shape.kind().is_none_or(|kind| is_of(kind, value));
    fits_type && shape.values().is_none_or(|values| values.contains(&value))
}

fn whole_number(shape: &Shape<'_>, keyword: &str) -> Option<u64> {
    shape.keyword(keyword)?.as_u64()
}

/// Makes a text of the right length from the name of the field.
fn of_length(name: &str, min_length: u64, max_length: u64) -> String {
    let least = usize::try_from(min_length).unwrap_or(0).min(10_000);
    let most = usize::try_from(max_length).unwrap_or(usize::MAX);
    let name = if name.is_empty() { "text" } else { name };
    let text: String = name.chars().take(most).collect();
    let missing = least.saturating_sub(text.chars().count());
    text + &"x".repeat(missing)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn made(schema: &Value, known: Option<&Value>, fill: Fill) -> Value {
        let texts = PatternTexts::default();
        let document = json!({});
        let random = StdRng::seed_from_u64(1);
        let mut maker = ValueMaker::new(&document, &texts, DateTime::UNIX_EPOCH, random, fill);
        maker.value(schema, known, "")
    }

    #[test]
    fn what_is_known_is_kept_and_the_rest_is_made() {
        let schema = json!({ "type": "object", "required": ["id", "at", "size", "side"], "properties": {
            "id": { "type": "string", "format": "uuid" },
            "at": { "type": "string", "format": "date-time" },
            "size": { "type": "integer", "exclusiveMinimum": 4, "multipleOf": 5 },
            "side": { "enum": ["BUY", "SELL"] },
            "note": { "type": "string" },
            "rank": { "type": "integer", "default": 7 },
        } });
        let known = json!({ "side": "SELL", "id": 3, "unknown": 1 });
        let value = made(&schema, Some(&known), Fill::Known);
        assert_eq!(value["side"], "SELL");
        assert_eq!(value["at"], "1970-01-01T00:00:00.000Z");
        assert_eq!(&value["size"], &json!(5));
        assert_eq!(&value["rank"], &json!(7));
        assert!(value["id"].as_str().is_some_and(|id| id.len() == 36));
        assert!(value.get("note").is_none() && value.get("unknown").is_none());
        assert_eq!(made(&schema, None, Fill::All)["note"], "note");
    }

    #[test]
    fn a_schema_that_contains_itself_has_a_value() {
        let texts = PatternTexts::default();
        let document = json!({ "node": { "type": "object", "required": ["child"], "properties": {
            "child": { "$ref": "#/node" } } } });
        let random = StdRng::seed_from_u64(1);
        let now = DateTime::UNIX_EPOCH;
        let mut maker = ValueMaker::new(&document, &texts, now, random, Fill::All);
        assert!(maker.value(&document["node"], None, "")["child"].is_object());
    }
}
