//! Collects the properties, items, values and keywords of one value from all schemas that describe it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::document;
use crate::pointer;

/// A schema and its place in the description.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) at: String,
    pub(crate) schema: &'a Value,
}

/// The properties, items and values of all schemas that describe a value: the schema itself, those to which it refers,
/// those of `allOf`, and each alternative.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    /// The places of these schemas.
    pub(crate) places: Vec<String>,
    pub(crate) properties: BTreeMap<&'a str, Vec<Place<'a>>>,
    /// The items of a list.
    pub(crate) items: Vec<Place<'a>>,
    /// The values of a map.
    pub(crate) values: Vec<Place<'a>>,
    /// The values of `enum` and `const`.
    pub(crate) enumerated: Vec<EnumValue>,
    /// The keywords that the model expresses by a type: `type`, `nullable` and `required`.
    pub(crate) structure: BTreeMap<&'a str, BTreeSet<String>>,
    /// The other keywords, such as `maximum` and `default`. Prose and examples are left out.
    pub(crate) keywords: BTreeMap<&'a str, BTreeSet<String>>,
}

/// A value of `enum` or `const`.
#[derive(Clone, Debug)]
pub(crate) struct EnumValue {
    /// The place of the schema that lists it.
    pub(crate) at: String,
    pub(crate) text: String,
}

/// Reads schemas, each of them once.
pub(crate) struct MemberReader<'a> {
    document: &'a Value,
    /// For the place of each base schema, the components that inherit from it with `allOf`.
    heirs: HashMap<String, Vec<Place<'a>>>,
}

impl<'a> MemberReader<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self {
            document,
            heirs: heirs(document),
        }
    }

    /// Collects the members of one value from the schemas at `places` and the schemas that they include.
    pub(crate) fn read(&self, places: &[Place<'a>]) -> Members<'a> {
        let mut members = Members::default();
        let mut seen = HashSet::new();
        let mut open: Vec<Open<'a>> = places.iter().rev().cloned().map(Open::new).collect();
        while let Some(next) = open.pop() {
            if seen.insert(next.place.at.clone()) {
                open.extend(self.included(&next).into_iter().rev());
                members.add(&next.place);
            }
        }
        members
    }

    /// Returns the schemas that `from` includes and that describe the same value, such as those of `allOf`.
    fn included(&self, from: &Open<'a>) -> Vec<Open<'a>> {
        let Place { at, schema } = &from.place;
        let mut parts = Vec::new();
        let (target, found) = document::resolve_at(self.document, schema, at);
        if target != *at {
            let place = Place {
                at: target,
                schema: found,
            };
            parts.push(Open {
                place,
                is_base: from.is_base,
            });
        }
        let bases = branches(schema, at, "allOf");
        parts.extend(bases.map(|place| Open {
            place,
            is_base: true,
        }));
        for keyword in ["oneOf", "anyOf"] {
            parts.extend(branches(schema, at, keyword).map(Open::new));
        }
        for keyword in ["then", "else"] {
            let part = schema.get(keyword).map(|schema| Place {
                at: pointer::join(at, keyword),
                schema,
            });
            parts.extend(part.map(Open::new));
        }
        parts.extend(named(schema, at, "dependentSchemas").map(|(_, place)| Open::new(place)));
        // A value of a base type can be any type that inherits from it. This does not hold if an inheriting type has
        // led to the base: then the value has that type.
        if schema.get("discriminator").is_some() && !from.is_base {
            let heirs = self.heirs.get(at).into_iter().flatten();
            parts.extend(heirs.cloned().map(Open::new));
        }
        parts
    }
}

/// The keywords that [`Members::keywords`] leaves out: those with schemas of the same value, prose, and extensions for
/// which the model has a field.
const NOT_COUNTED: [&str; 19] = [
    "$ref",
    "allOf",
    "oneOf",
    "anyOf",
    "then",
    "else",
    "dependentSchemas",
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "$comment",
    "x-rust-name",
    "x-type-name",
    "x-public",
    "x-final",
];

/// The keywords whose value `false` means the same as their absence.
const FLAGS: [&str; 5] = [
    "deprecated",
    "readOnly",
    "writeOnly",
    "uniqueItems",
    "nullable",
];

/// A schema that is still to be read.
struct Open<'a> {
    place: Place<'a>,
    /// Whether another schema inherits from it.
    is_base: bool,
}

impl<'a> Open<'a> {
    fn new(place: Place<'a>) -> Self {
        Self {
            place,
            is_base: false,
        }
    }
}

impl<'a> Members<'a> {
    /// Adds the keywords of one schema.
    fn add(&mut self, place: &Place<'a>) {
        let Place { at, schema } = place;
        self.places.push(at.clone());
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            let keyword = keyword.as_str();
            match keyword {
                _ if NOT_COUNTED.contains(&keyword) => {}
                "properties" => self.add_properties(schema, at),
                "prefixItems" => self.items.extend(branches(schema, at, keyword)),
                "patternProperties" => {
                    self.values
                        .extend(named(schema, at, keyword).map(|(_, place)| place));
                }
                "items" if value.is_object() => self.items.push(nested(value, at, keyword)),
                "additionalProperties" | "unevaluatedProperties" if value.is_object() => {
                    self.values.push(nested(value, at, keyword));
                }
                "enum" => {
                    for value in value.as_array().into_iter().flatten() {
                        self.add_value(value, at);
                    }
                }
                "const" => self.add_value(value, at),
                _ if FLAGS.contains(&keyword) && *value == Value::Bool(false) => {}
                "type" | "nullable" | "required" => {
                    self.structure
                        .entry(keyword)
                        .or_default()
                        .insert(text(value));
                }
                _ => {
                    self.keywords
                        .entry(keyword)
                        .or_default()
                        .insert(text(value));
                }
            }
        }
    }

    fn add_properties(&mut self, schema: &'a Value, at: &str) {
        for (name, place) in named(schema, at, "properties") {
            self.properties.entry(name).or_default().push(place);
        }
    }

    /// Adds a value of an enum if it is a text, a number or a boolean. `null` only makes the enum nullable. An enum has
    /// no variants for objects and lists.
    fn add_value(&mut self, value: &Value, at: &str) {
        if value.is_string() || value.is_number() || value.is_boolean() {
            self.enumerated.push(EnumValue {
                at: at.to_owned(),
                text: text(value),
            });
        }
    }
}

/// Returns, for the place of each base schema, the components that inherit from it with `allOf`.
fn heirs(document: &Value) -> HashMap<String, Vec<Place<'_>>> {
    let mut heirs: HashMap<String, Vec<Place<'_>>> = HashMap::new();
    let Some(components) = document.get("components") else {
        return heirs;
    };
    for (_, heir) in named(components, "/components", "schemas") {
        for base in branches(heir.schema, &heir.at, "allOf") {
            let (target, _) = document::resolve_at(document, base.schema, &base.at);
            if target != base.at {
                heirs.entry(target).or_default().push(heir.clone());
            }
        }
    }
    heirs
}

fn nested<'a>(schema: &'a Value, at: &str, keyword: &str) -> Place<'a> {
    Place {
        at: pointer::join(at, keyword),
        schema,
    }
}

/// The schemas in a list, such as `oneOf`.
fn branches<'a>(
    schema: &'a Value,
    at: &str,
    keyword: &'a str,
) -> impl Iterator<Item = Place<'a>> + use<'a> {
    let at = pointer::join(at, keyword);
    let list = schema.get(keyword).and_then(Value::as_array);
    let list = list.into_iter().flatten().enumerate();
    list.map(move |(index, schema)| Place {
        at: format!("{at}/{index}"),
        schema,
    })
}

/// The schemas in an object, such as `properties`.
fn named<'a>(
    schema: &'a Value,
    at: &str,
    keyword: &'a str,
) -> impl Iterator<Item = (&'a str, Place<'a>)> + use<'a> {
    let at = pointer::join(at, keyword);
    let members = schema.get(keyword).and_then(Value::as_object);
    members.into_iter().flatten().map(move |(name, schema)| {
        let at = pointer::join(&at, name);
        (name.as_str(), Place { at, schema })
    })
}

/// Formats a value for people. Descriptions are left out.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| *key != "description");
            let members = members.map(|(key, value)| format!("{key} {}", text(value)));
            members.collect::<Vec<_>>().join(", ")
        }
    }
}
