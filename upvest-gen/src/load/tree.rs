//! A parsed text before it becomes a document. It still has duplicate keys and the places of all values.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned};

use super::texts::Sources;
use crate::error::{Error, Result};
use crate::pointer;

/// A value whose inner values are of the type `N`, and whose keys are of the type `K`.
#[derive(Debug)]
pub(super) enum Tree<N, K> {
    Scalar(Value),
    /// A number that JSON does not have, such as `.inf` and `1e999`.
    NotFinite,
    List(Vec<N>),
    Object(Vec<(K, N)>),
}

/// A value of a JSON text. It has no place.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct InJson(Tree<Self, String>);

/// A value of a YAML text.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct InYaml(Spanned<Tree<Self, Spanned<String>>>);

/// A value with its place, if it has one.
pub(super) trait Node: Sized {
    type Key: Key;

    fn location(&self) -> Option<Location>;

    fn into_tree(self) -> Tree<Self, Self::Key>;
}

/// A key with its place, if it has one.
pub(super) trait Key {
    fn location(&self) -> Option<Location>;

    fn into_text(self) -> String;
}

impl Node for InJson {
    type Key = String;

    fn location(&self) -> Option<Location> {
        None
    }

    fn into_tree(self) -> Tree<Self, String> {
        self.0
    }
}

impl Node for InYaml {
    type Key = Spanned<String>;

    fn location(&self) -> Option<Location> {
        Some(self.0.defined)
    }

    fn into_tree(self) -> Tree<Self, Spanned<String>> {
        self.0.value
    }
}

impl Key for String {
    fn location(&self) -> Option<Location> {
        None
    }

    fn into_text(self) -> String {
        self
    }
}

impl Key for Spanned<String> {
    fn location(&self) -> Option<Location> {
        Some(self.referenced)
    }

    fn into_text(self) -> String {
        self.value
    }
}

impl<'de, N: Deserialize<'de>, K: Deserialize<'de>> Deserialize<'de> for Tree<N, K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<N, K>(PhantomData<(N, K)>);

impl<'de, N: Deserialize<'de>, K: Deserialize<'de>> Visitor<'de> for Reader<N, K> {
    type Value = Tree<N, K>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Self::Value, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Self::Value, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Self::Value, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Self::Value, E> {
        let number = serde_json::Number::from_f64(value);
        Ok(number.map_or(Tree::NotFinite, |number| Tree::Scalar(number.into())))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut list: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut object: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}

/// Returns the value of `tree`, which was read from `text`, and the source texts of numbers that JSON writes
/// differently. A duplicate key is an error.
pub(super) fn value<N: Node>(tree: N, text: &str) -> Result<(Value, Sources)> {
    let mut converter = Converter {
        text,
        sources: Sources::new(),
    };
    let value = converter.value(tree, "")?;
    Ok((value, converter.sources))
}

/// Formats a place for an error.
pub(super) fn place(location: Location) -> String {
    format!("line {} column {}", location.line(), location.column())
}

struct Converter<'t> {
    text: &'t str,
    sources: Sources,
}

impl<'t> Converter<'t> {
    /// The value of `node`.
    fn value<N: Node>(&mut self, node: N, at: &str) -> Result<Value> {
        let location = node.location();
        match node.into_tree() {
            Tree::Scalar(Value::Number(number)) => Ok(self.number(number, location, at)),
            Tree::Scalar(value) => Ok(value),
            Tree::NotFinite => {
                let source = location.and_then(|location| self.source(location));
                Ok(source.unwrap_or_default().into())
            }
            Tree::List(items) => {
                let items = (0..).zip(items);
                items
                    .map(|(index, item)| self.value(item, &format!("{at}/{index}")))
                    .collect()
            }
            Tree::Object(members) => self.object(members, at),
        }
    }

    fn object<N: Node>(&mut self, members: Vec<(N::Key, N)>, at: &str) -> Result<Value> {
        let mut places: HashMap<String, Option<Location>> = HashMap::new();
        let mut object = Map::new();
        for (key, node) in members {
            let place = key.location();
            let key = key.into_text();
            if let Some(first) = places.insert(key.clone(), place) {
                return Err(duplicate(&key, at, first, place));
            }
            let value = self.value(node, &pointer::join(at, &key))?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }

    /// Returns a number, and keeps its source text if JSON writes it differently. The YAML parser reads `0123` and
    /// `1e3` as floats, although they are integers.
    fn number(&mut self, number: Number, location: Option<Location>, at: &str) -> Value {
        let source = location.and_then(|location| self.source(location));
        let Some(source) = source.filter(|source| *source != number.to_string()) else {
            return number.into();
        };
        self.sources.insert(at.to_owned(), source.to_owned());
        let integer = number
            .to_string()
            .strip_suffix(".0")
            .and_then(|it| it.parse::<i64>().ok());
        match integer.filter(|_| !source.contains('.')) {
            Some(integer) => integer.into(),
            None => number.into(),
        }
    }

    /// The text of the scalar at `location`.
    fn source(&self, location: Location) -> Option<&'t str> {
        let start = usize::try_from(location.span().byte_offset()?).ok()?;
        let length = usize::try_from(location.span().byte_len()?).ok()?;
        self.text.get(start..start + length)
    }
}

fn duplicate(key: &str, at: &str, first: Option<Location>, second: Option<Location>) -> Error {
    let at = if at.is_empty() { "the document" } else { at };
    let first = first.map_or_else(
        || "before".to_owned(),
        |first| format!("at {}", place(first)),
    );
    Error::at(
        second.map(place).unwrap_or_default(),
        format!("the key {key:?} of {at} is duplicated: here and {first}"),
        "remove one of them, or merge both",
    )
}
