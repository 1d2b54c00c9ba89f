//! Restores texts that YAML reads as numbers or booleans because they are not quoted. Each becomes the text of the
//! source again: `0123` may be a code.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};
use crate::pointer;

/// The source texts of numbers that JSON writes differently, by their places.
pub(super) type Sources = HashMap<String, String>;

/// Marks a schema without a type whose values are numbers in the source that JSON writes differently.
pub(crate) const UNQUOTED: &str = "x-unquoted-numbers";

/// The keywords that contain values of the schema.
const VALUES: [&str; 5] = ["enum", "const", "default", "example", "examples"];

/// The keywords whose values become types or names in the code, so that their exact text matters.
const EXACT: [&str; 2] = ["enum", "const"];

/// Replaces the numbers and booleans in schemas of texts. Without `sources`, a value whose exact text matters is an
/// error.
pub(super) fn restore(document: &mut Value, sources: Option<&Sources>) -> Result<()> {
    let mut restoring = Restoring {
        document,
        sources,
        restored: Vec::new(),
        missing: None,
    };
    restoring.visit(document, &mut String::new(), Around::Nothing);
    if let Some(at) = restoring.missing {
        return Err(Error::at(at, "the texts are not quoted", "quote them"));
    }
    for Restored { at, key, value } in restoring.restored {
        if let Some(Value::Object(object)) = document.pointer_mut(&at) {
            object.insert(key, value);
        }
    }
    Ok(())
}

/// The type of the values of a schema, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Other,
    Unknown,
}

/// A schema and its surroundings.
#[derive(Clone, Copy)]
struct Scope<'s, 'v> {
    schema: &'v Map<String, Value>,
    around: Around<'s, 'v>,
}

#[derive(Clone, Copy)]
enum Around<'s, 'v> {
    Nothing,
    /// Another schema of the same value, such as the schema with the `allOf`.
    Same(&'s Scope<'s, 'v>),
    /// The schema with this property.
    Property(&'s Scope<'s, 'v>, &'v str),
}

/// The new value of a member of the object at a place.
struct Restored {
    at: String,
    key: String,
    value: Value,
}

struct Restoring<'v> {
    document: &'v Value,
    sources: Option<&'v Sources>,
    restored: Vec<Restored>,
    /// The place of a value whose exact text is needed but not known.
    missing: Option<String>,
}

impl<'v> Restoring<'v> {
    /// Visits a value at `at`, and everything in it.
    fn visit(&mut self, value: &'v Value, at: &mut String, around: Around<'_, 'v>) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.visit_below(&index.to_string(), item, at, around);
                }
            }
            Value::Object(schema) => {
                let scope = Scope { schema, around };
                self.restore_values(&scope, at);
                self.restore_examples(schema, at);
                for (key, value) in schema {
                    self.visit_member(&scope, key, value, at);
                }
            }
            _ => {}
        }
    }

    fn visit_below(
        &mut self,
        key: &str,
        value: &'v Value,
        at: &mut String,
        around: Around<'_, 'v>,
    ) {
        let length = at.len();
        *at = pointer::join(at, key);
        self.visit(value, at, around);
        at.truncate(length);
    }

    fn visit_member(
        &mut self,
        scope: &Scope<'_, 'v>,
        key: &'v str,
        value: &'v Value,
        at: &mut String,
    ) {
        match (key, value) {
            ("allOf" | "oneOf" | "anyOf", Value::Array(_)) => {
                self.visit_below(key, value, at, Around::Same(scope));
            }
            ("properties", Value::Object(properties)) => {
                let place = pointer::join(at, key);
                for (name, property) in properties {
                    let around = Around::Property(scope, name);
                    self.visit_below(name, property, &mut place.clone(), around);
                }
            }
            _ => self.visit_below(key, value, at, Around::Nothing),
        }
    }

    /// Replaces the values of a schema.
    fn restore_values(&mut self, scope: &Scope<'_, 'v>, at: &str) {
        let has_any = |key: &&&str| scope.schema.get(**key).is_some_and(has_unquoted);
        let keys: Vec<&str> = VALUES.iter().filter(has_any).copied().collect();
        if keys.is_empty() {
            return;
        }
        match self.kind(scope) {
            Kind::Text => {
                for key in keys {
                    self.replace(scope.schema, key, at);
                }
            }
            Kind::Unknown => {
                for key in EXACT {
                    self.restore_untyped(scope.schema, key, at);
                }
            }
            Kind::Other => {}
        }
    }

    /// Replaces the examples beside a schema, such as those of a parameter.
    fn restore_examples(&mut self, holder: &'v Map<String, Value>, at: &str) {
        let examples = ["example", "examples"].map(|key| holder.get(key));
        if examples.iter().all(Option::is_none) {
            return;
        }
        if !holder
            .get("schema")
            .is_some_and(|it| self.own_kind(it) == Kind::Text)
        {
            return;
        }
        let [single, several] = examples;
        if single.is_some_and(has_unquoted) {
            self.replace(holder, "example", at);
        }
        for (name, example) in several.and_then(Value::as_object).into_iter().flatten() {
            let at = pointer::join(&pointer::join(at, "examples"), name);
            if let Some(example) = example.as_object().filter(|it| it.contains_key("value")) {
                self.replace(example, "value", &at);
            }
        }
    }

    /// Replaces the values of a schema without a type, if JSON would write one of them differently. Values that look
    /// like JSON numbers may be numbers, so the schema is marked.
    fn restore_untyped(&mut self, schema: &'v Map<String, Value>, key: &str, at: &str) {
        let Some(values) = schema.get(key) else {
            return;
        };
        let place = pointer::join(at, key);
        let scalars = scalars(values, &place);
        let Some(sources) = self.sources else {
            if scalars.iter().any(|(_, value)| value.is_f64()) {
                self.missing = Some(place);
            }
            return;
        };
        let texts = scalars.iter().filter_map(|(at, _)| sources.get(at));
        let texts: Vec<&String> = texts.collect();
        if texts.is_empty() {
            return;
        }
        let has_text = scalars.iter().any(|(_, value)| value.is_string());
        let is_number = |text: &&String| serde_json::from_str::<Number>(text).is_ok();
        let are_numbers = texts.iter().all(is_number);
        self.replace(schema, key, at);
        if are_numbers && !has_text {
            self.restored.push(Restored {
                at: at.to_owned(),
                key: UNQUOTED.to_owned(),
                value: Value::Bool(true),
            });
        }
    }

    /// Replaces the numbers and booleans in one member of the object at `at`.
    fn replace(&mut self, object: &Map<String, Value>, key: &str, at: &str) {
        let Some(value) = object.get(key).filter(|value| has_unquoted(value)) else {
            return;
        };
        let place = pointer::join(at, key);
        if self.sources.is_none() && EXACT.contains(&key) {
            self.missing = Some(place);
            return;
        }
        let value = self.as_text(value, &place);
        self.restored.push(Restored {
            at: at.to_owned(),
            key: key.to_owned(),
            value,
        });
    }

    fn as_text(&self, value: &Value, at: &str) -> Value {
        match value {
            Value::Number(_) | Value::Bool(_) => {
                let source = self.sources.and_then(|sources| sources.get(at));
                source.cloned().unwrap_or_else(|| value.to_string()).into()
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| self.as_text(item, &format!("{at}/{index}")))
                    .collect()
            }
            other => other.clone(),
        }
    }

    /// Returns the type of the values of a schema: its own type, or the type of a schema around it that applies too.
    fn kind(&self, scope: &Scope<'_, 'v>) -> Kind {
        let mut scope = scope;
        loop {
            let own = self.kind_of(scope.schema);
            match scope.around {
                _ if own != Kind::Unknown => return own,
                Around::Nothing => return Kind::Unknown,
                Around::Same(outer) => scope = outer,
                Around::Property(owner, name) => return self.kind_of_property(owner, name),
            }
        }
    }

    /// Returns the type of a property, from all schemas that apply to its object.
    fn kind_of_property(&self, owner: &Scope<'_, 'v>, name: &str) -> Kind {
        let mut owner = owner;
        loop {
            let kind = self.property_in(owner.schema, name);
            match owner.around {
                _ if kind != Kind::Unknown => return kind,
                Around::Same(outer) => owner = outer,
                Around::Nothing | Around::Property(..) => return Kind::Unknown,
            }
        }
    }

    fn property_in(&self, schema: &'v Map<String, Value>, name: &str) -> Kind {
        self.find_kind(schema, |schema| {
            let property = schema.get("properties").and_then(|it| it.get(name));
            property.map_or(Kind::Unknown, |property| self.own_kind(property))
        })
    }

    fn own_kind(&self, schema: &'v Value) -> Kind {
        schema
            .as_object()
            .map_or(Kind::Unknown, |schema| self.kind_of(schema))
    }

    /// Returns the type that a schema requires through its keywords, its reference or its `allOf`.
    fn kind_of(&self, schema: &'v Map<String, Value>) -> Kind {
        self.find_kind(schema, kind_of_keywords)
    }

    /// Returns the first type that `look` finds in a schema, or in the other schemas that apply to its values.
    fn find_kind(
        &self,
        schema: &'v Map<String, Value>,
        look: impl Fn(&'v Map<String, Value>) -> Kind,
    ) -> Kind {
        let mut waiting = vec![schema];
        let mut seen = HashSet::new();
        while let Some(schema) = waiting.pop() {
            let is_new = seen.insert(std::ptr::from_ref(schema).addr());
            if !is_new || seen.len() > MAX_PARTS {
                continue;
            }
            let kind = look(schema);
            if kind != Kind::Unknown {
                return kind;
            }
            let parts = self.parts(schema).into_iter().rev();
            waiting.extend(parts.filter_map(Value::as_object));
        }
        Kind::Unknown
    }

    /// Returns the other schemas that apply to the values of a schema.
    fn parts(&self, schema: &'v Map<String, Value>) -> Vec<&'v Value> {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let place = reference.and_then(pointer::of_reference);
        let target = place.and_then(|place| self.document.pointer(&place));
        let members = schema.get("allOf").and_then(Value::as_array);
        target
            .into_iter()
            .chain(members.into_iter().flatten())
            .collect()
    }
}

/// The maximum number of schemas in which a type is searched.
const MAX_PARTS: usize = 200;

fn kind_of_keywords(schema: &Map<String, Value>) -> Kind {
    let is_text = |name: &Value| *name == "string";
    match schema.get("type") {
        Some(Value::Array(names)) => {
            let are_texts = names.iter().all(|name| is_text(name) || *name == "null");
            if are_texts && names.iter().any(is_text) {
                Kind::Text
            } else {
                Kind::Other
            }
        }
        Some(name) if is_text(name) => Kind::Text,
        Some(_) => Kind::Other,
        None if schema.get("pattern").is_some_and(Value::is_string) => Kind::Text,
        None => Kind::Unknown,
    }
}

/// Whether a value is a number or a boolean, or a list with one.
fn has_unquoted(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::Array(items) => items.iter().any(has_unquoted),
        _ => false,
    }
}

/// Returns the value itself, or the values in it if it is a list, with their places.
fn scalars<'v>(value: &'v Value, at: &str) -> Vec<(String, &'v Value)> {
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| (format!("{at}/{index}"), item))
                .collect()
        }
        value => vec![(at.to_owned(), value)],
    }
}
