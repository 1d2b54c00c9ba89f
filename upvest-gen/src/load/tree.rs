//! A parsed text before it becomes a document: with keys that occur twice, and with the places of all values.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use crate::error::{Error, Result};
use crate::pointer;

/// The members of a schema that are texts, if its `type` is.
const VALUES: [&str; 5] = ["enum", "const", "default", "example", "examples"];

/// Those whose values are types or names in the code, so that their exact text matters. Without it, the parser for YAML
/// reads them.
const EXACT: [&str; 2] = ["enum", "const"];

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

    fn place(&self) -> Option<Location>;

    fn tree(&self) -> &Tree<Self, Self::Key>;

    fn into_tree(self) -> Tree<Self, Self::Key>;
}

/// A key with its place, if it has one.
pub(super) trait Key {
    fn place(&self) -> Option<Location>;

    fn text(&self) -> &str;

    fn into_text(self) -> String;
}

impl Node for InJson {
    type Key = String;

    fn place(&self) -> Option<Location> {
        None
    }

    fn tree(&self) -> &Tree<Self, String> {
        &self.0
    }

    fn into_tree(self) -> Tree<Self, String> {
        self.0
    }
}

impl Node for InYaml {
    type Key = Spanned<String>;

    fn place(&self) -> Option<Location> {
        Some(self.0.defined)
    }

    fn tree(&self) -> &Tree<Self, Spanned<String>> {
        &self.0.value
    }

    fn into_tree(self) -> Tree<Self, Spanned<String>> {
        self.0.value
    }
}

impl Key for String {
    fn place(&self) -> Option<Location> {
        None
    }

    fn text(&self) -> &str {
        self
    }

    fn into_text(self) -> String {
        self
    }
}

impl Key for Spanned<String> {
    fn place(&self) -> Option<Location> {
        Some(self.referenced)
    }

    fn text(&self) -> &str {
        &self.value
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

/// The value of `tree`, which was read from `text`. A key that occurs twice is an error.
pub(super) fn value<N: Node>(tree: N, text: &str) -> Result<Value> {
    Converter { text }.value(tree, "", false)
}

/// A place as the position of an error.
pub(super) fn place(location: Location) -> String {
    format!("line {} column {}", location.line(), location.column())
}

struct Converter<'t> {
    text: &'t str,
}

impl Converter<'_> {
    /// The value of `node`. `as_text`: whether a number or a boolean is the text of the source, as `0123` may be a
    /// code.
    fn value<N: Node>(&self, node: N, at: &str, as_text: bool) -> Result<Value> {
        let location = node.place();
        match node.into_tree() {
            Tree::Scalar(value @ (Value::Number(_) | Value::Bool(_))) if as_text => {
                let source = location.and_then(|location| self.source(location));
                Ok(source.map_or(value, Value::from))
            }
            Tree::Scalar(value) => Ok(value),
            Tree::NotFinite => {
                let source = location.and_then(|location| self.source(location));
                Ok(source.unwrap_or_default().into())
            }
            Tree::List(items) => {
                let items = (0..).zip(items);
                items
                    .map(|(index, item)| self.value(item, &format!("{at}/{index}"), as_text))
                    .collect()
            }
            Tree::Object(members) => self.object(members, at),
        }
    }

    fn object<N: Node>(&self, members: Vec<(N::Key, N)>, at: &str) -> Result<Value> {
        let is_text = self.is_of_text(&members);
        let mut places: HashMap<String, Option<Location>> = HashMap::new();
        let mut object = Map::new();
        for (key, node) in members {
            let place = key.place();
            let key = key.into_text();
            if let Some(first) = places.insert(key.clone(), place) {
                return Err(duplicate(&key, at, first, place));
            }
            let as_text = is_text && VALUES.contains(&key.as_str());
            if as_text && EXACT.contains(&key.as_str()) && is_without_source(&node) {
                let at = pointer::join(at, &key);
                return Err(Error::at(at, "the texts are not quoted", "quote them"));
            }
            let value = self.value(node, &pointer::join(at, &key), as_text)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }

    /// Whether the object is the schema of a text: by its `type`, or because its `enum` contains texts and a number
    /// that JSON would write in another way, such as `0123`.
    fn is_of_text<N: Node>(&self, members: &[(N::Key, N)]) -> bool {
        match find(members, "type") {
            Some(Tree::Scalar(name)) => name == "string",
            Some(Tree::List(names)) => {
                let is_text = |node: &N| is_named(node, "string");
                names.iter().any(is_text)
                    && names
                        .iter()
                        .all(|node| is_text(node) || is_named(node, "null"))
            }
            Some(Tree::Object(_) | Tree::NotFinite) => false,
            None => match find(members, "enum") {
                Some(Tree::List(values)) => {
                    let is_text = |node: &N| matches!(node.tree(), Tree::Scalar(Value::String(_)));
                    values.iter().any(is_text)
                        && values.iter().any(|value| self.is_written_otherwise(value))
                }
                _ => false,
            },
        }
    }

    fn is_written_otherwise<N: Node>(&self, node: &N) -> bool {
        let source = node.place().and_then(|location| self.source(location));
        match node.tree() {
            Tree::Scalar(Value::Number(number)) => source != Some(number.to_string().as_str()),
            tree => matches!(tree, Tree::NotFinite),
        }
    }

    /// The text of the scalar at `location`.
    fn source(&self, location: Location) -> Option<&str> {
        let start = usize::try_from(location.span().byte_offset()?).ok()?;
        let length = usize::try_from(location.span().byte_len()?).ok()?;
        self.text.get(start..start + length)
    }
}

/// Whether a value is a number or a boolean, or contains one, without a place that leads to its text.
fn is_without_source<N: Node>(node: &N) -> bool {
    match node.tree() {
        Tree::Scalar(Value::Number(_) | Value::Bool(_)) => node.place().is_none(),
        Tree::List(items) => items.iter().any(is_without_source),
        _ => false,
    }
}

fn find<'m, N: Node>(members: &'m [(N::Key, N)], name: &str) -> Option<&'m Tree<N, N::Key>> {
    let (_, node) = members.iter().find(|(key, _)| key.text() == name)?;
    Some(node.tree())
}

fn is_named<N: Node>(node: &N, name: &str) -> bool {
    matches!(node.tree(), Tree::Scalar(found) if found == name)
}

fn duplicate(key: &str, at: &str, first: Option<Location>, second: Option<Location>) -> Error {
    let at = if at.is_empty() { "the document" } else { at };
    let first = first.map_or_else(
        || "before".to_owned(),
        |first| format!("at {}", place(first)),
    );
    Error::at(
        second.map(place).unwrap_or_default(),
        format!("the key {key:?} of {at} stands here and {first}"),
        "remove one of them, or merge both",
    )
}
