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
//! let order = schemas.read(
//!     &document["components"]["schemas"]["Order"],
//!     "/components/schemas/Order",
//! )?;
//! assert_eq!(order.kind(), Some("object"));
//! assert!(order.required.contains("id"));
//! let id = schemas.read_part(&order.properties[0])?;
//! assert_eq!((id.kind(), id.nullable), (Some("string"), true));
//! # Ok::<(), upvest_gen::Error>(())
//! ```

mod merge;
mod node;
mod unexpressed;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

pub use node::{Node, Part};

use crate::document;
use crate::error::{Error, Result};
use crate::pointer;

/// The maximum depth of schemas that are read inside each other, through references, `allOf` and single alternatives.
/// It keeps the stack small.
const DEEPEST: usize = 200;

/// Reads the schemas of a document, each of them once.
#[derive(Debug)]
pub struct Schemas<'a> {
    document: &'a Value,
    /// The schemas that have been read, or that are being read.
    known: RefCell<HashMap<Key, State<'a>>>,
    /// The number of schemas that are being read.
    depth: Cell<usize>,
    notes: RefCell<Vec<Error>>,
}

/// The addresses of the schemas that all apply to a value.
type Key = Vec<usize>;

#[derive(Clone, Debug)]
enum State<'a> {
    Open,
    Done(Result<Rc<Node<'a>>>),
}

impl<'a> Schemas<'a> {
    /// The schemas of `document`, to which references lead.
    pub fn new(document: &'a Value) -> Self {
        Self {
            document,
            known: RefCell::default(),
            depth: Cell::default(),
            notes: RefCell::default(),
        }
    }

    /// Reads the schema `value` at the place `at`, a JSON pointer.
    ///
    /// # Errors
    ///
    /// The schema is invalid, or a reference in it has no target.
    pub fn read(&self, value: &'a Value, at: &str) -> Result<Rc<Node<'a>>> {
        self.once(vec![address(value)], at, || self.schema(value, at))
    }

    /// Reads a nested schema.
    ///
    /// # Errors
    ///
    /// As [`Schemas::read`].
    pub fn read_part(&self, part: &Part<'a>) -> Result<Rc<Node<'a>>> {
        let key: Key = part.schemas().map(|(_, value)| address(value)).collect();
        if key.len() == 1 {
            return self.read(part.value, &part.at);
        }
        self.once(key, &part.at, || {
            let mut whole = Node::at(&part.at);
            let mut places = Vec::new();
            for (at, value) in part.schemas() {
                let schema = self.read(value, at)?;
                let known = whole.values();
                self.merge(&mut whole, &schema)?;
                // The type of a component already has the values of its own properties.
                if part.at.contains("/allOf/") {
                    self.note_excluded(known, &whole, &part.at);
                }
                if !schema.is_annotation() {
                    places.push(at.to_owned());
                }
            }
            // The last schema belongs to the most specific object.
            if whole.component.is_none() {
                whole.at = places.pop().unwrap_or_else(|| part.at.clone());
                whole.others = places;
            }
            Ok(whole)
        })
    }

    /// Reads an alternative of `base`, with the keywords that `base` has beside its alternatives.
    ///
    /// # Errors
    ///
    /// As [`Schemas::read`].
    pub fn read_alternative(&self, part: &Part<'a>, base: &Node<'a>) -> Result<Node<'a>> {
        let mut alternative = Rc::unwrap_or_clone(self.read_part(part)?);
        let conflicts = alternative.add_base(base)?;
        self.note(conflicts);
        Ok(alternative)
    }

    /// The document that contains the schemas.
    pub(crate) fn document(&self) -> &'a Value {
        self.document
    }

    /// The conflicts in the schemas that have been read.
    pub fn notes(&self) -> Vec<Error> {
        self.notes.borrow().clone()
    }

    fn note(&self, conflicts: Vec<Error>) {
        let mut notes = self.notes.borrow_mut();
        for conflict in conflicts {
            if !notes.contains(&conflict) {
                notes.push(conflict);
            }
        }
    }

    /// Adds a note about each value in `known` that another schema of the `allOf` at `at` excludes.
    fn note_excluded(&self, known: Option<Vec<&'a Value>>, node: &Node<'a>, at: &str) {
        let (Some(known), Some(values)) = (known, &node.values) else {
            return;
        };
        let (kept, excluded): (Vec<&Value>, Vec<&Value>) =
            known.into_iter().partition(|value| values.contains(value));
        // If no value remains, that is a conflict, which has its own note.
        if !kept.is_empty() && !excluded.is_empty() {
            let list = merge::list(&excluded);
            self.note(vec![Error::at(
                at,
                format!("another schema of the `allOf` excludes {list}"),
                "remove the values that do not occur",
            )]);
        }
    }

    fn merge(&self, node: &mut Node<'a>, other: &Rc<Node<'a>>) -> Result<()> {
        let conflicts = node.merge(Node::clone(other))?;
        self.note(conflicts);
        Ok(())
    }

    /// Returns the result of `read` for the schemas `key` at the place `at`. Each is read only once.
    fn once(
        &self,
        key: Key,
        at: &str,
        read: impl FnOnce() -> Result<Node<'a>>,
    ) -> Result<Rc<Node<'a>>> {
        match self.known.borrow().get(&key) {
            Some(State::Done(known)) => return known.clone(),
            Some(State::Open) => {
                return Err(Error::at(
                    at,
                    "the reference is circular",
                    "remove the cycle",
                ));
            }
            None => {}
        }
        if self.depth.get() >= DEEPEST {
            return Err(Error::at(
                at,
                format!("a chain of `$ref` and `allOf` has more than {DEEPEST} schemas"),
                "merge some of them into one",
            ));
        }
        self.known.borrow_mut().insert(key.clone(), State::Open);
        self.depth.update(|depth| depth + 1);
        let node = read().map(Rc::new);
        self.depth.update(|depth| depth - 1);
        self.known
            .borrow_mut()
            .insert(key, State::Done(node.clone()));
        node
    }

    /// Reads the schema `value` at `at`: first its reference, then its `allOf`, then its own keywords.
    fn schema(&self, value: &'a Value, at: &str) -> Result<Node<'a>> {
        let mut node = Node::at(at);
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
        let mut place_of_part = None;
        if let Some(reference) = schema.get("$ref") {
            let Target {
                component,
                place,
                schema,
            } = target(self.document, reference, at)?;
            let mut target = Rc::unwrap_or_clone(self.read(schema, &place)?);
            target.component = target.component.or(component);
            target.bases.extend(component);
            place_of_part = component.is_none().then(|| target.at.clone());
            self.merge(&mut node, &Rc::new(target))?;
        }
        for (index, branch) in array(schema, "allOf", at)?.iter().enumerate() {
            let branch = self.read(branch, &format!("{at}/allOf/{index}"))?;
            let known = node.values();
            self.merge(&mut node, &branch)?;
            self.note_excluded(known, &node, at);
        }
        let mut own = own(schema, at)?;
        self.note(unexpressed::notes(self.document, schema, at));
        for keyword in ["oneOf", "anyOf"] {
            self.alternatives(schema, keyword, at, &mut own)?;
        }
        let is_only_reference = own.is_annotation() && !schema.contains_key("allOf");
        self.merge(&mut node, &Rc::new(own))?;
        if let Some(component) = node.component {
            node.at = pointer::join(document::SCHEMAS, component);
        } else if let Some(place) = place_of_part.filter(|_| is_only_reference) {
            node.at = place;
        }
        Ok(node)
    }

    /// Reads `oneOf` or `anyOf`. A single branch besides `null` is merged into the schema. Branches that only list
    /// required properties are ignored, because a type cannot express them. Beside a branch with a type, one that has
    /// only annotations stands for an empty value.
    fn alternatives(
        &self,
        schema: &'a Map<String, Value>,
        keyword: &'static str,
        at: &str,
        node: &mut Node<'a>,
    ) -> Result<()> {
        let branches = array(schema, keyword, at)?;
        node.nullable |= branches.iter().any(is_null);
        let is_typed = |value: &Value| !is_null(value) && restricts_value(value);
        let has_typed = branches.iter().any(is_typed);
        let parts = branches
            .iter()
            .enumerate()
            .filter(|(_, value)| is_typed(value) || has_typed && has_only_annotations(value));
        let parts: Vec<Part<'a>> = parts
            .map(|(index, value)| Part::new(keyword, format!("{at}/{keyword}/{index}"), value))
            .collect();
        match parts.as_slice() {
            [] => Ok(()),
            [only] => {
                // The branch comes first, as its keywords are those of the value.
                let mut whole = Node::clone(&*self.read_part(only)?);
                at.clone_into(&mut whole.at);
                let own = std::mem::replace(node, whole);
                self.merge(node, &Rc::new(own))
            }
            _ => node.merge_alternatives(parts),
        }
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema.get("const") == Some(&Value::Null)
}

/// Reads the keywords of the schema itself.
fn own<'a>(schema: &'a Map<String, Value>, at: &str) -> Result<Node<'a>> {
    let mut node = Node::at(at);
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
                // Each integer is a number.
                ["integer", "number"] | ["number", "integer"] => Some("number"),
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
    let part = |(name, value): (&'a String, &'a Value)| {
        Part::new(name, pointer::join(&place, name), value)
    };
    node.properties = object(schema, "properties", at)?.map(part).collect();
    node.required = array(schema, "required", at)?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let part = |name: &'static str| {
        let value = schema.get(name)?;
        Some(Part::new(name, pointer::join(at, name), value))
    };
    node.items = unexpressed::tuple(schema, at).or_else(|| part("items"));
    let rest = |name| part(name).filter(|rest| rest.value.is_object());
    let rest = rest("additionalProperties").or_else(|| rest("unevaluatedProperties"));
    node.rest = rest.or_else(|| unexpressed::by_pattern(schema, at));
    node.values = values(schema);
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
        let are_several_types = read == "type" && node.kind.is_none();
        if !are_several_types {
            node.keywords.remove(read);
        }
    }
    Ok(node)
}

fn values(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    if let Some(constant) = schema.get("const") {
        return Some(vec![constant]);
    }
    let values = schema.get("enum")?.as_array()?;
    Some(values.iter().filter(|value| !value.is_null()).collect())
}

/// Keywords that restrict a value.
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

/// Whether a branch restricts the value.
fn restricts_value(branch: &Value) -> bool {
    MEANINGFUL
        .iter()
        .any(|keyword| branch.get(keyword).is_some())
}

/// Whether a schema has no keywords except annotations.
pub(crate) fn has_only_annotations(schema: &Value) -> bool {
    const ANNOTATIONS: [&str; 8] = [
        "$comment",
        "default",
        "deprecated",
        "description",
        "example",
        "examples",
        "externalDocs",
        "title",
    ];
    let is_annotation =
        |keyword: &String| ANNOTATIONS.contains(&keyword.as_str()) || keyword.starts_with("x-");
    match schema {
        Value::Object(schema) => schema.keys().all(is_annotation),
        schema => *schema == true,
    }
}

/// The schema to which a reference leads.
struct Target<'a> {
    /// The name of the component. `None` if the reference leads to a part of a component.
    component: Option<&'a str>,
    /// The place in the file.
    place: String,
    schema: &'a Value,
}

/// Returns the component schema, or the part of one, to which a reference leads.
fn target<'a>(document: &'a Value, reference: &'a Value, at: &str) -> Result<Target<'a>> {
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
    if !place.is_empty() && !place.starts_with('/') {
        return wrong(
            format!("the reference `{target}` names an anchor, which is not looked for"),
            "refer to the place of its target, such as `#/components/schemas/Order`",
        );
    }
    let Some(schema) = document.pointer(&place) else {
        return wrong(
            format!("the target of `{target}` does not exist"),
            "correct the reference, or add its target",
        );
    };
    if is_another_object(schema) {
        return wrong(
            format!("the target of `{target}` is not a schema"),
            "refer to the schema in it",
        );
    }
    let component = document::component_name(document, &place);
    let place = match component {
        Some(name) => pointer::join(document::SCHEMAS, name),
        None => place,
    };
    Ok(Target {
        component,
        place,
        schema,
    })
}

/// Whether a value is the description of something else: the document, a path, an operation, a parameter, a body or a
/// response.
fn is_another_object(value: &Value) -> bool {
    const OTHERS: [&str; 5] = ["openapi", "paths", "responses", "content", "in"];
    let has_any = |names: &[&str]| names.iter().any(|name| value.get(name).is_some());
    has_any(&OTHERS) && !has_any(&MEANINGFUL)
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

#[cfg(test)]
mod tests;
