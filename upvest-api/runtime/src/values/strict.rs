//! Strict reading of JSON: unknown fields and unknown values are errors that name their place.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::{self, Display, Write as _};

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Number;

use super::code;
use super::json::Json;
use super::open_enum;
use super::open_union::{self, Content};

/// The most problems that an error names.
const NAMED: usize = 20;

/// The longest part of a key that an error contains, in characters.
const SHOWN: usize = 64;

/// Reads a `T` from JSON strictly: an unknown field and an unknown value of an enum or a code are errors, at any depth.
///
/// The types of a generated crate are read leniently by themselves, as Upvest adds fields and values to its responses. Read requests
/// of your own users strictly, so that a typing error such as `curency` is found instead of ignored. The error names the place of
/// each problem, and never contains a value. Reading ends at the first
/// value of another type, such as a number instead of a text, so an error names at most one of these. `Strict` implements `Deserialize`, so `axum::Json<Strict<OrderCreate>>` works in a
/// handler.
///
/// ```
/// use upvest_runtime::{CurrencyCode, Strict};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order {
///     currency: CurrencyCode,
/// }
///
/// let json = r#"{"currency": "euro", "amont": "10.00"}"#;
/// let error = serde_json::from_str::<Strict<Order>>(json).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`currency`: expected three capital letters (ISO 4217), such as EUR; unknown field `amont`: the API has no such field"
/// );
///
/// let Strict(order) = serde_json::from_str::<Strict<Order>>(r#"{"currency": "EUR"}"#)?;
/// assert_eq!(order.currency, CurrencyCode::EUR);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strict<T>(
    /// The value.
    pub T,
);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let findings = RefCell::default();
        let reader = Reader {
            json: &json,
            findings: &findings,
        };
        let result = T::deserialize(reader);
        let mut findings = findings.into_inner();
        match result {
            Ok(value) if findings.problems.is_empty() => return Ok(Self(value)),
            Ok(_) => {}
            Err(Mismatch(problem)) => findings.add_failure(&problem),
        }
        Err(D::Error::custom(findings))
    }
}

/// What was found while a value was read, and where the reader is.
#[derive(Default)]
struct Findings<'j> {
    path: Vec<Step<'j>>,
    problems: Vec<String>,
    /// How many problems were found beyond [`NAMED`].
    more: usize,
    /// The path at which reading failed.
    failed_at: Option<String>,
}

#[derive(Clone, Copy)]
enum Step<'j> {
    Key(&'j str),
    Index(usize),
}

impl Findings<'_> {
    fn add(&mut self, problem: String) {
        if self.problems.len() < NAMED {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Adds the problem of the value at the current path.
    fn add_here(&mut self, problem: &str) {
        let path = self.path();
        self.add(at(&path, problem));
    }

    fn add_unknown_field(&mut self) {
        let path = self.path();
        self.add(format!("unknown field `{path}`: the API has no such field"));
    }

    /// Adds the problem that ended the reading.
    fn add_failure(&mut self, problem: &str) {
        let path = self.failed_at.take().unwrap_or_default();
        // It is named in any case.
        if self.problems.len() == NAMED {
            self.problems.pop();
            self.more += 1;
        }
        self.add(at(&path, problem));
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => {
                    let _ = write!(path, "[{index}]");
                }
                Step::Key(key) => {
                    let separator = if path.is_empty() { "" } else { "." };
                    let shown: String = key.chars().take(SHOWN).collect();
                    let _ = write!(path, "{separator}{}", shown.escape_debug());
                }
            }
        }
        path
    }
}

fn at(path: &str, problem: &str) -> String {
    if path.is_empty() {
        problem.to_owned()
    } else {
        format!("`{path}`: {problem}")
    }
}

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))?;
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

/// A value that does not match its type. The text never contains the value.
#[derive(Debug)]
struct Mismatch(String);

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    /// The message may contain the value, so it is left out.
    fn custom<M: Display>(_message: M) -> Self {
        Self("the value is not valid".to_owned())
    }

    fn invalid_type(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_value(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_length(_length: usize, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("expected one of {}", expected.join(", ")))
    }

    fn unknown_field(_field: &str, expected: &'static [&'static str]) -> Self {
        Self(format!(
            "there is an unknown field; the known ones are {}",
            expected.join(", ")
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("duplicate field `{field}`"))
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Reader<'r, 'j> {
    json: &'j Json,
    findings: &'r RefCell<Findings<'j>>,
}

impl<'r, 'j> Reader<'r, 'j> {
    /// Reads `json`, which is one step below this value.
    fn below<S: DeserializeSeed<'j>>(
        self,
        step: Step<'j>,
        json: &'j Json,
        seed: S,
    ) -> Result<S::Value, Mismatch> {
        self.findings.borrow_mut().path.push(step);
        let result = seed.deserialize(Self { json, ..self });
        let mut findings = self.findings.borrow_mut();
        if result.is_err() && findings.failed_at.is_none() {
            findings.failed_at = Some(findings.path());
        }
        findings.path.pop();
        result
    }

    fn add_problem(self, problem: &str) {
        self.findings.borrow_mut().add_here(problem);
    }

    fn items(self, items: &'j [Json]) -> Items<'r, 'j> {
        Items {
            reader: self,
            items: items.iter().enumerate(),
        }
    }

    /// The fields of an object. Of a repeated field only the first is read.
    fn fields(self, fields: &'j [(String, Json)]) -> Fields<'r, 'j> {
        let mut names = HashSet::new();
        let mut first_of_each = Vec::new();
        for (name, value) in fields {
            if names.insert(name) {
                first_of_each.push((name.as_str(), value));
            } else {
                let mut findings = self.findings.borrow_mut();
                findings.path.push(Step::Key(name));
                findings.add_here("the field occurs more than once");
                findings.path.pop();
            }
        }
        Fields {
            reader: self,
            fields: first_of_each.into_iter(),
            value: None,
        }
    }

    /// Checks a text of an open enum or a code, which is known by the name of its type.
    fn check_text(self, type_name: &str) {
        let Some(text) = self.json.as_str() else {
            return;
        };
        let broken = match open_enum::known_values(type_name) {
            Some(known) => one_of(known, text),
            None => code::broken_rule(type_name, text).map(|rule| format!("expected {rule}")),
        };
        if let Some(problem) = broken {
            self.add_problem(&problem);
        }
    }

    /// The value of the field `tag`, if it is one of `known`.
    fn known_tag<'k>(self, tag: &str, known: impl Iterator<Item = &'k str>) -> Option<&'j str> {
        let Json::Object(_) = self.json else {
            self.add_problem("expected an object");
            return None;
        };
        let Some(value) = self.json.get(tag) else {
            self.add_problem(&format!("missing field `{tag}`"));
            return None;
        };
        let text = value.as_str().unwrap_or_default();
        match one_of(known, text) {
            None => Some(text),
            Some(problem) => {
                self.add_problem(&format!("field `{tag}`: {problem}"));
                None
            }
        }
    }
}

/// The problem of a text that is not one of the known ones.
fn one_of<'k>(known: impl Iterator<Item = &'k str>, text: &str) -> Option<String> {
    let known: Vec<&str> = known.collect();
    if known.contains(&text) {
        return None;
    }
    Some(format!("expected one of {}", known.join(", ")))
}

impl<'j> Deserializer<'j> for Reader<'_, 'j> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.json {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => visit_number(number, visitor),
            Json::Text(text) => visitor.visit_borrowed_str(text),
            Json::Array(items) => visitor.visit_seq(self.items(items)),
            Json::Object(fields) => visitor.visit_map(self.fields(fields)),
        }
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.json {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Open enums, codes and open unions are read as newtype structs, whose names contain what is known of them.
    fn deserialize_newtype_struct<V: Visitor<'j>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let Some((tag, known)) = open_union::tag_and_known_values(name) else {
            self.check_text(name);
            return visitor.visit_newtype_struct(self);
        };
        match self.known_tag(tag, known) {
            Some(variant) => visitor.visit_enum(Variant {
                name: variant,
                content: self,
            }),
            None => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'j>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.json {
            Json::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Json::Object(fields) => match fields.as_slice() {
                [(name, json)] => visitor.visit_enum(Variant {
                    name,
                    content: Self { json, ..self },
                }),
                _ => Err(Mismatch("expected an object with one field".to_owned())),
            },
            json => Err(Mismatch(format!(
                "expected a string or an object, found {}",
                json.kind()
            ))),
        }
    }

    /// Serde also reads a struct from an array of its fields, which no API means.
    fn deserialize_struct<V: Visitor<'j>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.json {
            Json::Object(fields) => visitor.visit_map(self.fields(fields)),
            json => Err(Mismatch(format!(
                "expected an object, found {}",
                json.kind()
            ))),
        }
    }

    /// Serde ignores the fields that a type does not have.
    fn deserialize_ignored_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.findings.borrow_mut().add_unknown_field();
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'j>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

fn visit_number<'j, V: Visitor<'j>>(number: &Number, visitor: V) -> Result<V::Value, Mismatch> {
    if let Some(value) = number.as_u64() {
        visitor.visit_u64(value)
    } else if let Some(value) = number.as_i64() {
        visitor.visit_i64(value)
    } else {
        visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
    }
}

struct Items<'r, 'j> {
    reader: Reader<'r, 'j>,
    items: std::iter::Enumerate<std::slice::Iter<'j, Json>>,
}

impl<'j> SeqAccess<'j> for Items<'_, 'j> {
    type Error = Mismatch;

    fn next_element_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mismatch> {
        let Some((index, json)) = self.items.next() else {
            return Ok(None);
        };
        self.reader.below(Step::Index(index), json, seed).map(Some)
    }
}

struct Fields<'r, 'j> {
    reader: Reader<'r, 'j>,
    fields: std::vec::IntoIter<(&'j str, &'j Json)>,
    /// The field whose name has been read.
    value: Option<(&'j str, &'j Json)>,
}

impl<'j> MapAccess<'j> for Fields<'_, 'j> {
    type Error = Mismatch;

    fn next_key_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mismatch> {
        self.value = self.fields.next();
        let Some((name, _)) = self.value else {
            return Ok(None);
        };
        let name: StrDeserializer<'j, Mismatch> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'j>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        let (name, json) = self
            .value
            .take()
            .ok_or_else(|| Mismatch("a value was read before its name".to_owned()))?;
        self.reader.below(Step::Key(name), json, seed)
    }
}

/// One of several alternatives, by its name.
struct Variant<'r, 'j> {
    name: &'j str,
    content: Reader<'r, 'j>,
}

impl<'r, 'j> EnumAccess<'j> for Variant<'r, 'j> {
    type Error = Mismatch;
    type Variant = Content<Reader<'r, 'j>>;

    fn variant_seed<S: DeserializeSeed<'j>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Mismatch> {
        let name: StrDeserializer<'j, Mismatch> = self.name.into_deserializer();
        let value = seed.deserialize(name)?;
        Ok((value, Content(self.content)))
    }
}
