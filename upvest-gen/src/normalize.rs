//! Reads a schema of any supported OpenAPI version into a uniform form.
//!
//! It follows references, merges `allOf`, and turns `null` into a flag. The document itself is not changed, so
//! that errors contain the places in the file.
//!
//! ```
//! use serde_json::json;
//! use upvest_gen::normalize::Schemas;
//!
//! let document = json!({
//!     "components": { "schemas": {
//!         "Order": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "required": ["id"] }] },
//!         "Base": { "properties": { "id": { "type": ["string", "null"] } } },
//!     } },
//! });
//! let schemas = Schemas::new(&document);
//! let order = schemas.read(&document["components"]["schemas"]["Order"], "/components/schemas/Order")?;
//! assert_eq!(order.kind(), Some("object"));
//! assert!(order.required.contains("id"));
//! let id = schemas.read_part(&order.properties[0])?;
//! assert_eq!((id.kind(), id.nullable), (Some("string"), true));
//! # Ok::<(), upvest_gen::Error>(())
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::document;
use crate::error::{Error, Result};
use crate::pointer;

/// A longer chain of references is circular.
const LONGEST_CHAIN: usize = 32;

/// Reads the schemas of a document, each of them once.
#[derive(Debug)]
pub struct Schemas<'a> {
    document: &'a Value,
    /// The schemas that have been read, by their addresses in the document.
    known: RefCell<HashMap<usize, Result<Rc<Node<'a>>>>>,
}

impl<'a> Schemas<'a> {
    /// The schemas of `document`, to which references lead.
    pub fn new(document: &'a Value) -> Self {
        Self {
            document,
            known: RefCell::default(),
        }
    }

    /// Reads the schema `value` at the place `at`, a JSON pointer.
    ///
    /// # Errors
    ///
    /// The schema is invalid, or a reference in it has no target.
    pub fn read(&self, value: &'a Value, at: &str) -> Result<Rc<Node<'a>>> {
        let address = std::ptr::from_ref(value).addr();
        if let Some(known) = self.known.borrow().get(&address) {
            return known.clone();
        }
        let node = normalize(self.document, value, at).map(Rc::new);
        self.known.borrow_mut().insert(address, node.clone());
        node
    }

    /// Reads a nested schema.
    ///
    /// # Errors
    ///
    /// As [`Schemas::read`].
    pub fn read_part(&self, part: &Part<'a>) -> Result<Rc<Node<'a>>> {
        self.read(part.value, &part.at)
    }
}

/// A schema.
#[derive(Clone, Debug, Default)]
pub struct Node<'a> {
    /// The place in the file.
    pub at: String,
    /// The component to which it refers, if it adds only annotations to the reference.
    pub component: Option<&'a str>,
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
    keywords: BTreeMap<&'a str, &'a Value>,
}

/// A nested schema with its place in the file.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The name of a property, or else the keyword.
    pub name: &'a str,
    /// The place in the file.
    pub at: String,
    /// The schema.
    pub value: &'a Value,
}

impl<'a> Node<'a> {
    /// A schema at `at` with these `alternatives`.
    pub(crate) fn one_of(alternatives: Vec<Part<'a>>, at: &str) -> Self {
        Self {
            at: at.to_owned(),
            alternatives,
            ..Self::default()
        }
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

    /// The values of `enum`, or that of `const`.
    pub fn values(&self) -> Option<Vec<&'a Value>> {
        let constant = self.keywords.get("const").map(|value| vec![*value]);
        let values = self
            .keywords
            .get("enum")
            .and_then(|values| values.as_array());
        constant.or_else(|| Some(values?.iter().filter(|value| !value.is_null()).collect()))
    }

    /// The type, or else the type that follows from other keywords.
    pub fn kind(&self) -> Option<&'a str> {
        let is_text = || {
            self.values()
                .is_some_and(|values| !values.is_empty() && values.iter().all(|it| it.is_string()))
        };
        match self.kind {
            Some(kind) => Some(kind),
            None if !self.properties.is_empty() || self.rest.is_some() => Some("object"),
            None if self.items.is_some() => Some("array"),
            None if is_text() || self.text("pattern").is_some() => Some("string"),
            None => None,
        }
    }

    /// Adds the keywords of the schema of which this is an alternative.
    pub(crate) fn add_base(&mut self, base: &Self) {
        let own = std::mem::take(self);
        *self = Node {
            alternatives: Vec::new(),
            component: None,
            ..base.clone()
        };
        for annotation in ["title", "description", "discriminator"] {
            self.keywords.remove(annotation);
        }
        let is_whole = self.is_annotation();
        let at = own.at.clone();
        let component = own.component;
        let alternatives = own.alternatives.clone();
        self.merge(own);
        (self.at, self.alternatives) = (at, alternatives);
        self.component = component.filter(|_| is_whole);
    }

    /// Whether it does not restrict the value.
    fn is_annotation(&self) -> bool {
        self.component.is_none()
            && self.kind().is_none()
            && self.alternatives.is_empty()
            && self
                .keywords
                .keys()
                .all(|keyword| !matches!(*keyword, "enum" | "const" | "format"))
    }

    /// Adds the keywords of `other`, which take precedence.
    fn merge(&mut self, other: Self) {
        // A reference with annotations still is the component, unless it requires more fields than the component does.
        match (self.is_annotation(), other.is_annotation()) {
            (true, false) if self.required.is_subset(&other.required) => {
                self.component = other.component;
            }
            (false, true) if other.required.is_subset(&self.required) => {}
            _ => self.component = None,
        }
        self.kind = other.kind.or(self.kind);
        self.nullable |= other.nullable;
        for part in other.properties {
            match self
                .properties
                .iter_mut()
                .find(|known| known.name == part.name)
            {
                Some(known) => *known = part,
                None => self.properties.push(part),
            }
        }
        self.required.extend(other.required);
        self.items = other.items.or(self.items.take());
        self.rest = other.rest.or(self.rest.take());
        if !other.alternatives.is_empty() {
            self.alternatives = other.alternatives;
        }
        self.keywords.extend(other.keywords);
    }
}

/// Reads the schema `value` at `at`.
pub(crate) fn normalize<'a>(document: &'a Value, value: &'a Value, at: &str) -> Result<Node<'a>> {
    read(document, value, at, 0)
}

fn read<'a>(document: &'a Value, value: &'a Value, at: &str, depth: usize) -> Result<Node<'a>> {
    let mut node = Node {
        at: at.to_owned(),
        ..Node::default()
    };
    let schema = match value {
        Value::Object(schema) => schema,
        Value::Bool(true) => return Ok(node),
        _ => {
            return Err(Error::at(
                at,
                format!("{value} is not a schema"),
                "write an object that describes the value",
            ));
        }
    };
    if depth > LONGEST_CHAIN {
        return Err(Error::at(
            at,
            "the reference is circular",
            "remove the cycle",
        ));
    }
    if let Some(reference) = schema.get("$ref") {
        let (name, place, target) = component(document, reference, at)?;
        let mut target = read(document, target, &place, depth + 1)?;
        target.component = target.component.or(Some(name));
        node.merge(target);
    }
    for (index, branch) in array(schema, "allOf", at)?.iter().enumerate() {
        node.merge(read(
            document,
            branch,
            &format!("{at}/allOf/{index}"),
            depth + 1,
        )?);
    }
    let mut own = own(schema, at)?;
    for keyword in ["oneOf", "anyOf"] {
        alternatives(document, schema, keyword, at, depth, &mut own)?;
    }
    node.merge(own);
    if let Some(component) = node.component {
        node.at = pointer::join(document::SCHEMAS, component);
    }
    Ok(node)
}

/// Reads the keywords of the schema itself.
fn own<'a>(schema: &'a Map<String, Value>, at: &str) -> Result<Node<'a>> {
    let mut node = Node {
        at: at.to_owned(),
        ..Node::default()
    };
    node.nullable = schema.get("nullable") == Some(&Value::Bool(true));
    node.kind = match schema.get("type") {
        None => None,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => {
            let others: Vec<&str> = names
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| *name != "null")
                .collect();
            node.nullable |= others.len() < names.len();
            match others.as_slice() {
                [] => Some("null"),
                [only] => Some(only),
                // A schema with several types becomes any JSON.
                _ => None,
            }
        }
        Some(other) => {
            return Err(Error::at(
                pointer::join(at, "type"),
                format!("{other} is not a type"),
                "name one, such as `string`",
            ));
        }
    };
    let place = pointer::join(at, "properties");
    let part = |(name, value): (&'a String, &'a Value)| Part {
        name,
        at: pointer::join(&place, name),
        value,
    };
    node.properties = object(schema, "properties", at)?.map(part).collect();
    node.required = array(schema, "required", at)?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let part = |name: &'static str| {
        let value = schema.get(name)?;
        Some(Part {
            name,
            at: pointer::join(at, name),
            value,
        })
    };
    node.items = part("items");
    node.rest = part("additionalProperties").filter(|rest| rest.value.is_object());
    node.keywords = schema
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    for read in [
        "$ref",
        "allOf",
        "oneOf",
        "anyOf",
        "type",
        "nullable",
        "properties",
        "required",
        "items",
    ] {
        node.keywords.remove(read);
    }
    Ok(node)
}

/// Reads `oneOf` or `anyOf`. A single branch besides `null` is merged into the schema. Branches that only
/// list required properties are ignored, as a type cannot express them.
fn alternatives<'a>(
    document: &'a Value,
    schema: &'a Map<String, Value>,
    keyword: &'static str,
    at: &str,
    depth: usize,
    node: &mut Node<'a>,
) -> Result<()> {
    let is_null = |value: &Value| {
        value["type"] == "null" || value["const"] == Value::Null && value.get("const").is_some()
    };
    let branches = array(schema, keyword, at)?;
    node.nullable |= branches.iter().any(is_null);
    let parts = branches
        .iter()
        .enumerate()
        .filter(|(_, value)| !is_null(value) && says_something(value));
    let parts: Vec<Part<'a>> = parts
        .map(|(index, value)| Part {
            name: keyword,
            at: format!("{at}/{keyword}/{index}"),
            value,
        })
        .collect();
    match parts.as_slice() {
        [] => {}
        [only] => {
            let only = read(document, only.value, &only.at, depth + 1)?;
            let own = std::mem::replace(
                node,
                Node {
                    at: at.to_owned(),
                    ..only
                },
            );
            node.merge(own);
        }
        _ => node.alternatives = parts,
    }
    Ok(())
}

/// Whether a branch restricts the value.
fn says_something(branch: &Value) -> bool {
    const MEANINGFUL: [&str; 11] = [
        "$ref",
        "type",
        "properties",
        "items",
        "additionalProperties",
        "allOf",
        "oneOf",
        "anyOf",
        "enum",
        "const",
        "pattern",
    ];
    MEANINGFUL
        .iter()
        .any(|keyword| branch.get(keyword).is_some())
}

/// The component schema to which a reference refers: its name, its place, and the schema.
fn component<'a>(
    document: &'a Value,
    reference: &'a Value,
    at: &str,
) -> Result<(&'a str, String, &'a Value)> {
    let wrong = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
    let Some(target) = reference.as_str() else {
        return wrong(
            format!("{reference} is not a reference"),
            "write it as a text",
        );
    };
    let Some(place) = pointer::of_reference(target) else {
        return wrong(
            format!("the reference `{target}` points outside of the document"),
            "copy its target into `components`",
        );
    };
    let Some(name) = place
        .strip_prefix(document::SCHEMAS)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return wrong(
            format!("the reference `{target}` does not lead to a component schema"),
            "move its target into `components/schemas`, and refer to it there",
        );
    };
    if name.contains('/') {
        return wrong(
            format!("the reference `{target}` points to a part of a component"),
            "make this part a component, and refer to that",
        );
    }
    let schemas = document
        .pointer(document::SCHEMAS)
        .and_then(Value::as_object);
    match schemas.and_then(|schemas| schemas.get_key_value(&pointer::unescaped(name))) {
        Some((name, value)) => Ok((name, pointer::join(document::SCHEMAS, name), value)),
        None => wrong(
            format!("the target of `{target}` does not exist"),
            "correct it, or add its target",
        ),
    }
}

fn array<'a>(schema: &'a Map<String, Value>, keyword: &str, at: &str) -> Result<&'a [Value]> {
    match schema.get(keyword) {
        None => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        // In OpenAPI 2, and in some descriptions of version 3, a property itself has `required: true`.
        Some(Value::Bool(_)) if keyword == "required" => Ok(&[]),
        Some(_) => Err(Error::at(
            pointer::join(at, keyword),
            format!("`{keyword}` is not a list"),
            "write a list",
        )),
    }
}

fn object<'a>(
    schema: &'a Map<String, Value>,
    keyword: &str,
    at: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)> + use<'a>> {
    match schema.get(keyword) {
        Some(other) if !other.is_object() => Err(Error::at(
            pointer::join(at, keyword),
            format!("`{keyword}` is not an object"),
            "write an object",
        )),
        found => Ok(found.and_then(Value::as_object).into_iter().flatten()),
    }
}
