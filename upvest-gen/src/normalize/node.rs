//! A schema in the uniform form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::load::texts::UNQUOTED;

/// A schema.
#[derive(Clone, Debug, Default)]
pub struct Node<'a> {
    /// The place in the file.
    pub at: String,
    /// The places of the other schemas that apply, if the schemas of an `allOf` have the same property.
    pub(super) others: Vec<String>,
    /// The component to which the schema refers, if it adds only annotations to the reference.
    pub component: Option<&'a str>,
    /// Whether the schema stands for the component itself, not for the union of all components that include it.
    pub(crate) is_plain: bool,
    /// The `type`, if there is exactly one.
    pub kind: Option<&'a str>,
    /// Whether the value may be `null`.
    pub nullable: bool,
    /// The properties of an object, in the order of the document.
    pub properties: Vec<Part<'a>>,
    /// The names of the required properties.
    pub required: BTreeSet<&'a str>,
    /// The schema of the items of a list.
    pub items: Option<Part<'a>>,
    /// The schema of additional properties.
    pub rest: Option<Part<'a>>,
    /// The alternatives of `oneOf` or `anyOf`.
    pub alternatives: Vec<Part<'a>>,
    /// The values of `enum` or `const`, without `null`.
    pub(super) values: Option<Vec<&'a Value>>,
    /// Whether the schema requires two types at once. Its value is read as any JSON.
    pub(super) is_contradictory: bool,
    /// The names of this component and of the components that it includes with `allOf`.
    pub(super) bases: BTreeSet<&'a str>,
    pub(super) keywords: BTreeMap<&'a str, &'a Value>,
}

/// A nested schema. If the schemas of an `allOf` have the same property, it consists of several, all of which apply.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The name of a property, or else the keyword.
    pub name: &'a str,
    /// The place of the first schema in the file.
    pub at: String,
    /// The first schema.
    pub value: &'a Value,
    /// The other schemas with their places.
    pub(super) others: Vec<(String, &'a Value)>,
}

impl<'a> Part<'a> {
    /// A part that consists of a single schema.
    pub(crate) fn new(name: &'a str, at: String, value: &'a Value) -> Self {
        Self {
            name,
            at,
            value,
            others: Vec::new(),
        }
    }

    /// All schemas with their places.
    pub(super) fn schemas(&self) -> impl Iterator<Item = (&str, &'a Value)> {
        let first = (self.at.as_str(), self.value);
        let others = self.others.iter().map(|(at, value)| (at.as_str(), *value));
        std::iter::once(first).chain(others)
    }

    /// A key that only this part has: the places of its schemas.
    pub(crate) fn key(&self) -> String {
        joined(&self.at, self.others.iter().map(|(at, _)| at.as_str()))
    }

    /// Whether both consist of equal schemas.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let ours = self.schemas().map(|(_, value)| value);
        ours.eq(other.schemas().map(|(_, value)| value))
    }

    /// Adds the schemas of `other`, except those that it already has.
    pub(super) fn add(&mut self, other: &Self) {
        for (at, value) in other.schemas() {
            let is_known = self.schemas().any(|(_, known)| std::ptr::eq(known, value));
            if !is_known {
                self.others.push((at.to_owned(), value));
            }
        }
    }
}

impl<'a> Node<'a> {
    /// The components that the schema includes with `allOf`, and the schema's own component.
    pub(crate) fn bases(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.bases.clone().into_iter()
    }

    /// A schema at `at` without keywords.
    pub(super) fn at(at: &str) -> Self {
        Self {
            at: at.to_owned(),
            ..Self::default()
        }
    }

    /// A schema at `at` with these `alternatives`.
    pub(crate) fn one_of(alternatives: Vec<Part<'a>>, at: &str) -> Self {
        Self {
            at: at.to_owned(),
            alternatives,
            ..Self::default()
        }
    }

    /// A key that only this schema has: its place, and those of the other schemas that apply.
    pub(crate) fn key(&self) -> String {
        joined(&self.at, self.others.iter().map(String::as_str))
    }

    /// The value of a keyword, such as `example`.
    pub fn keyword(&self, keyword: &str) -> Option<&'a Value> {
        self.keywords.get(keyword).copied()
    }

    /// The value of a keyword, if it is a text.
    pub fn text(&self, keyword: &str) -> Option<&'a str> {
        self.keywords.get(keyword)?.as_str()
    }

    /// The description, or else the title.
    pub fn prose(&self) -> Option<&'a str> {
        let is_there = |text: &&str| !text.trim().is_empty();
        self.text("description")
            .filter(is_there)
            .or_else(|| self.text("title").filter(is_there))
    }

    /// The value of a keyword, if it is a number.
    pub fn number(&self, keyword: &str) -> Option<&'a Value> {
        self.keywords
            .get(keyword)
            .copied()
            .filter(|value| value.is_number())
    }

    /// Whether the value of a keyword is `true`.
    pub fn is_true(&self, keyword: &str) -> bool {
        self.keywords
            .get(keyword)
            .is_some_and(|value| **value == Value::Bool(true))
    }

    /// The value of a keyword, if it is an object.
    pub fn object(&self, keyword: &str) -> Option<&'a Map<String, Value>> {
        self.keywords.get(keyword)?.as_object()
    }

    /// The items of a keyword. Empty if it is not a list.
    pub fn list(&self, keyword: &str) -> &'a [Value] {
        self.keywords
            .get(keyword)
            .and_then(|value| value.as_array())
            .map_or(&[], Vec::as_slice)
    }

    /// The values of `enum` without `null`, or the value of `const`.
    pub fn values(&self) -> Option<Vec<&'a Value>> {
        self.values.clone()
    }

    /// The declared type, or else the type that other keywords imply. `None` if neither is known, or if the schema
    /// contradicts itself.
    pub fn kind(&self) -> Option<&'a str> {
        if self.is_contradictory {
            return None;
        }
        if self.kind.is_some() {
            return self.kind;
        }
        if !self.properties.is_empty() || self.rest.is_some() {
            return Some("object");
        }
        if self.items.is_some() {
            return Some("array");
        }
        let is_string = self.has_only_strings() || self.text("pattern").is_some();
        is_string.then_some("string")
    }

    /// Whether `enum` or `const` lists only strings. A number without quotes in YAML was kept as a string too, and is
    /// marked as unquoted.
    fn has_only_strings(&self) -> bool {
        let values = self.values().unwrap_or_default();
        !values.is_empty() && values.iter().all(|it| it.is_string()) && !self.is_true(UNQUOTED)
    }

    /// Whether the schema does not restrict the value.
    pub(super) fn is_annotation(&self) -> bool {
        self.component.is_none()
            && self.kind().is_none()
            && !self.is_contradictory
            && self.alternatives.is_empty()
            && self.values.is_none()
            && !self.keywords.contains_key("format")
    }
}

fn joined<'p>(first: &str, others: impl Iterator<Item = &'p str>) -> String {
    others.fold(first.to_owned(), |key, place| format!("{key}|{place}"))
}
