//! Follows the values of the description and of the model side by side, from the operations and the events inwards.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::items::{Item, ItemKind, Items, Presence};
use super::links::Links;
use super::members::{MemberReader, Members, Place};
use crate::document;
use crate::model::{Alternative, Api, PAGE_FIELDS, Schema, Shape, Type};

/// The crate's counterpart of a value of the description.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Held {
    /// A value of this type.
    Typed(Type),
    /// One object of a union, whose objects are distinguished by the field `tag`.
    Alternative { schema: String, tag: String },
    /// A list response of the runtime, with items of this type.
    List(Type),
    /// A struct of the runtime with these fields.
    Fields(&'static [&'static str]),
    /// A value of the runtime, with everything in it.
    Whole,
    /// A part of an untyped value, such as JSON.
    Untyped,
    /// Nothing, as the operation or a part of it is left out.
    Nothing,
}

impl Held {
    /// The name of the type, if it is an object.
    pub(crate) fn schema(&self) -> Option<&str> {
        match (self, self.kind()) {
            (Self::Alternative { schema, .. }, _) | (_, Some(Type::Schema(schema))) => Some(schema),
            _ => None,
        }
    }

    /// The name of the type, if it is an enum.
    pub(crate) fn enumeration(&self) -> Option<&str> {
        match self.kind() {
            Some(Type::Enum(name)) => Some(name),
            _ => None,
        }
    }

    /// Says in words which type the crate has. `None` inside an untyped value.
    fn words(&self) -> Option<&'static str> {
        let kind = match self {
            Self::Typed(kind) => kind.present(),
            Self::Alternative { .. } => return Some("another object"),
            Self::List(_) => return Some("a list response"),
            Self::Fields(_) | Self::Whole => return Some("a value of the runtime"),
            Self::Untyped | Self::Nothing => return None,
        };
        Some(match kind {
            Type::Json => "any JSON",
            Type::Text => "any text",
            Type::I64 | Type::U32 | Type::U64 => "any integer",
            Type::F64 | Type::Decimal => "any number",
            Type::Map(_) => "a map",
            Type::List(_) => "a list",
            Type::Schema(_) => "another object",
            Type::Enum(_) => "an enum with other values",
            _ => "a value of another type",
        })
    }

    /// Whether the value has a type of the model.
    pub(crate) fn is_typed(&self) -> bool {
        match self.kind() {
            Some(kind) => *kind != Type::Json,
            None => matches!(self, Self::List(_) | Self::Alternative { .. }),
        }
    }

    fn kind(&self) -> Option<&Type> {
        let Self::Typed(kind) = self else {
            return None;
        };
        Some(kind.present())
    }
}

/// The part of the crate that holds a value, for the facts about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Site {
    /// The operation or the type.
    pub(crate) what: String,
    /// The parameter or the field.
    pub(crate) part: String,
    /// The path from the parameter or field to the value, such as `items.`.
    pub(crate) way: String,
}

impl Site {
    pub(crate) fn new(what: impl Into<String>, part: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            part: part.into(),
            way: String::new(),
        }
    }

    pub(crate) fn further(&self, step: &str) -> Self {
        Self {
            way: format!("{}{step}.", self.way),
            ..self.clone()
        }
    }
}

/// A value of the description, with its counterpart in the crate.
#[derive(Clone, Debug)]
pub(crate) struct Start<'a> {
    pub(crate) places: Vec<Place<'a>>,
    pub(crate) held: Held,
    pub(crate) site: Site,
    /// The place from which the value is reached.
    pub(crate) link: Option<usize>,
    /// Whether the value belongs to an error response or to the transport. The runtime handles these, so they are not
    /// counted.
    pub(crate) is_foreign: bool,
}

/// A value that was visited.
pub(crate) struct Visit<'a> {
    pub(crate) members: Rc<Members<'a>>,
    pub(crate) held: Held,
    pub(crate) site: Site,
}

/// Visits values and counts what they contain.
pub(crate) struct Walk<'a> {
    document: &'a Value,
    reader: MemberReader<'a>,
    schemas: HashMap<&'a str, &'a Schema>,
    values: HashMap<&'a str, BTreeSet<&'a str>>,
    known: HashMap<Vec<String>, Rc<Members<'a>>>,
    opened: HashSet<(Vec<String>, Held, bool)>,
    pub(crate) links: Links,
    pub(crate) items: Items,
    pub(crate) visits: Vec<Visit<'a>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(document: &'a Value, api: &'a Api) -> Self {
        let schemas = api.schemas.iter();
        let values = api.enums.iter().map(|item| {
            let values = item.variants.iter().map(|variant| variant.wire.as_str());
            (item.name.as_str(), values.collect())
        });
        Self {
            document,
            reader: MemberReader::new(document),
            schemas: schemas
                .map(|schema| (schema.name.as_str(), schema))
                .collect(),
            values: values.collect(),
            known: HashMap::new(),
            opened: HashSet::new(),
            links: Links::default(),
            items: Items::default(),
            visits: Vec::new(),
        }
    }

    /// Collects the members of one value from the schemas at `places`. Results are remembered.
    pub(crate) fn members(&mut self, places: &[Place<'a>]) -> Rc<Members<'a>> {
        let key: Vec<String> = places.iter().map(|place| place.at.clone()).collect();
        let members = self
            .known
            .entry(key)
            .or_insert_with(|| Rc::new(self.reader.read(places)));
        Rc::clone(members)
    }

    /// Visits a value, and everything in it.
    pub(crate) fn visit(&mut self, start: Start<'a>) {
        let mut open = vec![start];
        while let Some(next) = open.pop() {
            let members = self.members(&next.places);
            let places = next.places.iter().map(|place| place.at.clone());
            let places = places.chain(members.places.iter().cloned()).collect();
            let link = self.links.add_schemas(places, next.link, next.held.words());
            if !next.is_foreign {
                self.count_values(&next.held, &members, link);
            }
            let key = next.places.iter().map(|place| place.at.clone()).collect();
            if self
                .opened
                .insert((key, next.held.clone(), next.is_foreign))
            {
                let inner = self.inner(&next, &members, link);
                open.extend(inner.into_iter().rev());
            }
            self.visits.push(Visit {
                members,
                held: next.held,
                site: next.site,
            });
        }
    }

    /// Counts the values of an enum.
    fn count_values(&mut self, held: &Held, members: &Members<'a>, link: usize) {
        for value in &members.enumerated {
            let is_known = match held {
                Held::Typed(kind) => self.has_value(kind, &value.text),
                Held::Whole => true,
                _ => false,
            };
            let presence = match held {
                Held::Nothing => Presence::Absent(link),
                _ if is_known => Presence::Present,
                _ => Presence::Lost(link),
            };
            let name = format!("{} = {:?}", value.at, value.text);
            self.items
                .add(Item::new(ItemKind::EnumValue, name), presence);
        }
    }

    /// Whether a type distinguishes this value from others.
    fn has_value(&self, kind: &Type, value: &str) -> bool {
        match kind.present() {
            Type::Enum(name) => self
                .values
                .get(name.as_str())
                .is_some_and(|known| known.contains(value)),
            // A code or a flag has each of its values. Only the server checks a number.
            Type::Currency | Type::Country | Type::Isin | Type::Bool => true,
            _ => false,
        }
    }

    /// Returns the values inside a value.
    fn inner(&mut self, from: &Start<'a>, members: &Members<'a>, link: usize) -> Vec<Start<'a>> {
        let site = self.site_of_inner(from);
        let mut inner = self.alternatives(from, members, link);
        let alternatives: HashSet<String> = inner
            .iter()
            .flat_map(|alternative| self.reader.read(&alternative.places).places)
            .collect();
        for (name, places) in &members.properties {
            let is_shared = |place: &&Place<'a>| !alternatives.contains(owner(&place.at));
            let places: Vec<Place<'a>> = places.iter().filter(is_shared).cloned().collect();
            if places.is_empty() {
                continue;
            }
            let (held, site_of_field) = self.field(&from.held, name, &site);
            inner.push(Start {
                places: places.clone(),
                held: held.clone(),
                site: site_of_field,
                link: Some(link),
                is_foreign: from.is_foreign,
            });
            if from.is_foreign {
                continue;
            }
            let presence = match held {
                Held::Nothing => Presence::Absent(link),
                Held::Untyped => Presence::Lost(link),
                _ => Presence::Present,
            };
            for place in places {
                self.items
                    .add(Item::new(ItemKind::Field, place.at), presence);
            }
        }
        let mut nested = |places: &[Place<'a>], held: Held, step: &str| {
            inner.extend(places.iter().map(|place| Start {
                places: vec![place.clone()],
                held: held.clone(),
                site: site.further(step),
                link: Some(link),
                is_foreign: from.is_foreign,
            }));
        };
        nested(&members.items, items(&from.held), "items");
        nested(&members.values, self.rest(&from.held), "values");
        inner
    }

    /// Returns the objects of a union, each as a value of its own.
    fn alternatives(&self, from: &Start<'a>, members: &Members<'a>, link: usize) -> Vec<Start<'a>> {
        let Some(union) = from.held.schema().and_then(|name| self.schemas.get(name)) else {
            return Vec::new();
        };
        let Shape::Union { tag, variants } = &union.shape else {
            return Vec::new();
        };
        let alternatives = variants.iter().filter_map(|variant| {
            let Type::Schema(name) = &variant.kind else {
                return None;
            };
            let own = &self.schemas.get(name.as_str())?.pointer;
            // A base that is one of its own alternatives has no place of its own.
            if *own == union.pointer {
                return None;
            }
            let is_inner = |at: &&String| from.places.iter().all(|it| it.at != **at);
            let inner = members.places.iter().filter(is_inner);
            // Equal alternatives at several places are one type, whose place is that of the first.
            let place = match inner.clone().find(|at| *at == own) {
                Some(at) => self.place(at),
                None => inner
                    .filter_map(|at| self.place(at))
                    .find(|place| self.has_tag_of(place, tag, variant)),
            };
            Some(Start {
                places: vec![place?],
                held: Held::Alternative {
                    schema: name.clone(),
                    tag: tag.clone(),
                },
                site: from.site.clone(),
                link: Some(link),
                is_foreign: from.is_foreign,
            })
        });
        alternatives.collect()
    }

    fn place(&self, at: &str) -> Option<Place<'a>> {
        let schema = self.document.pointer(at)?;
        let at = at.to_owned();
        Some(Place { at, schema })
    }

    /// Whether the field `tag` of an object has only values of this alternative.
    fn has_tag_of(&self, place: &Place<'a>, tag: &str, variant: &Alternative) -> bool {
        let object = self.reader.read(std::slice::from_ref(place));
        let Some(places) = object.properties.get(tag) else {
            return false;
        };
        let field = self.reader.read(places);
        let values = field.enumerated.iter().map(|value| &value.text);
        let default = field.keywords.get("default").into_iter().flatten();
        let values: Vec<&String> = if field.enumerated.is_empty() {
            default.collect()
        } else {
            values.collect()
        };
        let is_of_variant =
            |value: &&String| variant.wire == **value || variant.other_wires.contains(value);
        !values.is_empty() && values.iter().all(is_of_variant)
    }

    /// Returns the part of the crate for facts about the inner values of a value without fields. A component without a
    /// type of its own is its own part, so that its facts do not depend on which value refers to it first.
    fn site_of_inner(&self, from: &Start<'a>) -> Site {
        let [place] = from.places.as_slice() else {
            return from.site.clone();
        };
        let (at, _) = document::resolve_at(self.document, place.schema, &place.at);
        let is_new = at != place.at || from.site.way.is_empty();
        let is_page = matches!(from.held, Held::Fields(_));
        let has_site = is_page || from.held.is_typed();
        if has_site || !(at.starts_with("/components/") && is_new) {
            return from.site.clone();
        }
        let kind = if from.is_foreign { "error" } else { "JSON" };
        Site::new(format!("{kind} {at}"), "")
    }

    /// Returns the crate's counterpart of a field, and the part that holds it.
    fn field(&self, held: &Held, name: &str, site: &Site) -> (Held, Site) {
        if let Held::Alternative { tag, .. } = held
            && tag == name
        {
            // The type of the alternative implies the value of the tag.
            return (Held::Whole, site.further(name));
        }
        if let Some(schema) = held.schema() {
            return self.field_of(schema, name, site);
        }
        match held {
            Held::List(item) => {
                let items = Type::List(Box::new(item.clone()));
                match name {
                    "data" => (Held::Typed(items), site.further(name)),
                    "meta" => (Held::Fields(&PAGE_FIELDS), Site::new("page", "")),
                    _ => (Held::Untyped, site.further(name)),
                }
            }
            Held::Fields(known) if known.contains(&name) => (Held::Whole, site.further(name)),
            Held::Whole => (Held::Whole, site.further(name)),
            Held::Nothing => (Held::Nothing, site.further(name)),
            _ => (Held::Untyped, site.further(name)),
        }
    }

    /// Finds the field of an object, or of one of the alternatives of a union.
    fn field_of(&self, schema: &str, name: &str, site: &Site) -> (Held, Site) {
        let mut open = vec![schema];
        let mut seen = HashSet::new();
        while let Some(next) = open.pop() {
            let Some(schema) = self.schemas.get(next).filter(|_| seen.insert(next)) else {
                continue;
            };
            match &schema.shape {
                Shape::Object(fields) => {
                    if let Some(field) = fields.iter().find(|field| field.name == name) {
                        let site =
                            Site::new(format!("type {}", schema.name), format!("field {name}"));
                        return (Held::Typed(field.kind.clone()), site);
                    }
                }
                Shape::Union { tag, variants } => {
                    if tag == name {
                        return (Held::Whole, site.further(name));
                    }
                    open.extend(variants.iter().rev().filter_map(|it| match &it.kind {
                        Type::Schema(name) => Some(name.as_str()),
                        _ => None,
                    }));
                }
            }
        }
        (Held::Untyped, site.further(name))
    }

    /// Returns the crate's counterpart of the values of a map, or of the additional fields of an object.
    fn rest(&self, held: &Held) -> Held {
        if let Some(schema) = held.schema() {
            let schema = self.schemas.get(schema);
            let fields = schema.into_iter().flat_map(|schema| schema.fields());
            let mut extra = fields.filter(|field| field.extra);
            return extra.next().map_or(Held::Untyped, |field| {
                self.rest(&Held::Typed(field.kind.clone()))
            });
        }
        match (held, held.kind()) {
            (_, Some(Type::Map(values))) => Held::Typed((**values).clone()),
            (Held::Whole | Held::Nothing, _) => held.clone(),
            _ => Held::Untyped,
        }
    }
}

/// Returns the place of the object that has the property at this place.
fn owner(property: &str) -> &str {
    property
        .rsplit_once("/properties/")
        .map_or(property, |(owner, _)| owner)
}

/// Returns the crate's counterpart of the items of a list.
fn items(held: &Held) -> Held {
    match (held, held.kind()) {
        (_, Some(Type::List(items))) => Held::Typed((**items).clone()),
        (Held::Whole | Held::Nothing, _) => held.clone(),
        _ => Held::Untyped,
    }
}
