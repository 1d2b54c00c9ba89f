//! Reads a type from JSON in memory, and records unknown fields and values.

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Number;

use super::findings::{Findings, Mismatch, Step};
use crate::values::code;
use crate::values::json::Json;
use crate::values::lenient;
use crate::values::open_enum;
use crate::values::open_union::{self, Content};
use crate::values::or_empty;

/// Reads one value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r, 'j> {
    pub(super) json: &'j Json,
    pub(super) findings: &'r RefCell<Findings<'j>>,
    /// The field that tells this object of a union apart. Its type need not have it.
    tag: Option<&'static str>,
    /// Whether it is the value of such a field.
    is_tag: bool,
}

impl<'r, 'j> Reader<'r, 'j> {
    pub(super) fn new(json: &'j Json, findings: &'r RefCell<Findings<'j>>) -> Self {
        Self {
            json,
            findings,
            tag: None,
            is_tag: false,
        }
    }

    /// Reads `json`, which is one step below this value.
    fn below<S: DeserializeSeed<'j>>(
        self,
        step: Step<'j>,
        json: &'j Json,
        seed: S,
    ) -> Result<S::Value, Mismatch> {
        let is_tag = matches!(step, Step::Key(name) if self.tag == Some(name));
        self.findings.borrow_mut().path.push(step);
        let result = seed.deserialize(Self {
            json,
            tag: None,
            is_tag,
            ..self
        });
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
            others: first_of_each.into_iter(),
            value: None,
        }
    }

    /// Checks a value whose type is known by its name: that of an open enum or a code, and one that is read leniently.
    fn check(self, type_name: &str) {
        if let Some(rule) = lenient::broken_rule(type_name, self.json) {
            self.add_problem(&format!("expected {rule}"));
        }
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
    fn known_tag<'k>(self, tag: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
        let Json::Object(_) = self.json else {
            self.add_problem("expected an object");
            return None;
        };
        let Some(value) = self.json.get(tag) else {
            self.add_problem(&format!("missing field `{tag}`"));
            return None;
        };
        let text = match value {
            Json::Text(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(flag) => flag.to_string(),
            _ => String::new(),
        };
        let known: Vec<&str> = known.collect();
        if let Some(problem) = one_of(known.iter().copied(), &text) {
            self.add_problem(&format!("field `{tag}`: {problem}"));
        }
        known.into_iter().find(|known| *known == text)
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

    /// Open enums, codes, open unions, values that may be empty and those that are read leniently are newtype structs
    /// here, whose names say what is known of them.
    fn deserialize_newtype_struct<V: Visitor<'j>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        if name == or_empty::NAME && !self.json.is_empty() {
            return visitor.visit_some(self);
        }
        let Some((tag, known)) = open_union::tag_and_known_values(name) else {
            self.check(name);
            return visitor.visit_newtype_struct(self);
        };
        match self.known_tag(tag, known) {
            Some(variant) => visitor.visit_enum(Variant {
                name: variant,
                content: Self {
                    tag: Some(tag),
                    ..self
                },
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
        if !self.is_tag {
            self.findings.borrow_mut().add_unknown_field();
        }
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
    others: std::vec::IntoIter<(&'j str, &'j Json)>,
    /// The field whose name has been read.
    value: Option<(&'j str, &'j Json)>,
}

impl<'j> MapAccess<'j> for Fields<'_, 'j> {
    type Error = Mismatch;

    fn next_key_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mismatch> {
        self.value = self.others.next();
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
struct Variant<'n, 'r, 'j> {
    name: &'n str,
    content: Reader<'r, 'j>,
}

impl<'r, 'j> EnumAccess<'j> for Variant<'_, 'r, 'j> {
    type Error = Mismatch;
    type Variant = Content<Reader<'r, 'j>>;

    fn variant_seed<S: DeserializeSeed<'j>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Mismatch> {
        let name: StrDeserializer<'_, Mismatch> = self.name.into_deserializer();
        let value = seed.deserialize(name)?;
        Ok((value, Content(self.content)))
    }
}
