//! The events of a description, under `webhooks` or `x-webhooks`, and the tables whose rows they are about.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tables::{SAME, Table};
use super::words::{self, is_one_of};
use crate::description::{Description, Shape, resolve};
use crate::domain::events::EventKind;

/// A type of event.
#[derive(Debug)]
pub(super) struct EventType {
    pub(super) kind: &'static EventKind,
    /// The last part of its name, which says what happened.
    action: String,
    /// The index of the table whose rows the event is about.
    pub(super) table: Option<usize>,
    /// The schema of the event's `object`.
    pub(super) object: Option<Value>,
}

/// Finds the type with a category and a name.
type KindOf = fn(&str, &str) -> &'static EventKind;

/// All types of events of a description, each once.
#[derive(Debug, Default)]
pub(super) struct EventTypes(Vec<EventType>);

impl EventTypes {
    pub(super) fn read(description: &Description, tables: &[Table]) -> Self {
        let document: &Value = description.schemas();
        let kind = if description.has_rules() {
            EventKind::of_rules
        } else {
            EventKind::described
        };
        let mut all = Self::default();
        for section in ["webhooks", "x-webhooks"] {
            let webhooks = document[section].as_object().into_iter().flatten();
            for (_, item) in webhooks {
                let operation = &resolve(document, item)["post"];
                let body = resolve(document, &operation["requestBody"]);
                let content = body["content"].as_object().into_iter().flatten();
                for (_, content) in content {
                    all.add(document, &content["schema"], tables, kind);
                }
            }
        }
        all
    }

    /// Reads the schema of an event, or of several ones.
    fn add(&mut self, document: &Value, schema: &Value, tables: &[Table], kind: KindOf) {
        let shape = Shape::of(document, schema);
        let named = property_schema(&shape, &words::EVENT_TYPE);
        let types = named.map(|schema| Shape::of(document, schema));
        let types = types.and_then(|types| types.values()).unwrap_or_default();
        if types.is_empty() {
            // Events can be in a list within an envelope.
            let lists = shape.properties();
            let lists = lists.iter().map(|(_, schema)| Shape::of(document, schema));
            for items in lists.filter_map(|list| list.items()) {
                self.add(document, items, tables, kind);
            }
            return;
        }
        let object = property_schema(&shape, &words::EVENT_OBJECT);
        let properties = object.map(|object| {
            let shape = Shape::of(document, object);
            let properties = shape.properties().into_iter();
            properties.map(|(name, _)| name.to_owned()).collect()
        });
        for name in types.iter().filter_map(|name| name.as_str()) {
            if self.named(name).is_some() {
                continue;
            }
            let (category, action) = parts(name);
            let table = table_of(tables, &category, properties.as_ref());
            self.0.push(EventType {
                kind: kind(&category, name),
                action,
                table,
                object: object.cloned(),
            });
        }
    }

    pub(super) fn named(&self, name: &str) -> Option<&EventType> {
        self.0.iter().find(|event| event.kind.event_type == name)
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|event| event.kind.event_type).collect()
    }

    /// Returns the event whose name ends with one of `actions`, such as a status.
    pub(super) fn after(&self, table: usize, actions: &[&str]) -> Option<&EventType> {
        actions.iter().find_map(|action| {
            let mut events = self.0.iter();
            events.find(|event| event.table == Some(table) && event.action == words::plain(action))
        })
    }
}

impl EventType {
    /// Returns the value in `values` after which the event is named, such as a status.
    pub(super) fn value_in<'a>(&self, values: &'a [String]) -> Option<&'a String> {
        values
            .iter()
            .find(|value| words::plain(value) == self.action)
    }
}

/// The schema of the first property that has one of these names.
fn property_schema<'a>(shape: &Shape<'a>, names: &[&str]) -> Option<&'a Value> {
    let mut properties = shape.properties().into_iter();
    let (_, schema) = properties.find(|(name, _)| is_one_of(name, names))?;
    Some(schema)
}

/// Splits the name of an event into category and action: `ORDER.FILLED` into `ORDER` and `FILLED`.
fn parts(name: &str) -> (String, String) {
    let (category, action) = name
        .rsplit_once(['.', ':', '/'])
        .or_else(|| name.rsplit_once(['_', '-']))
        .unwrap_or((name, ""));
    (category.to_ascii_uppercase(), words::plain(action))
}

/// Finds the table whose name is the category, or else its last words. If there are several, takes the table whose rows
/// resemble the event's resource.
fn table_of(
    tables: &[Table],
    category: &str,
    properties: Option<&BTreeSet<String>>,
) -> Option<usize> {
    let category = words::plain(category);
    let mut best: Option<(bool, f64, usize)> = None;
    for (at, table) in tables.iter().enumerate() {
        let names = table.names();
        let mut names = names.iter().map(|name| words::plain(name));
        let is_same = names
            .clone()
            .any(|name| name == category || name + "s" == category);
        let is_similar = names.any(|name| category.ends_with(&name));
        let likeness = properties.map_or(0.0, |properties| table.likeness(properties));
        let is_about = is_same || is_similar && likeness >= SAME;
        let is_better = |(same, most, _): (bool, f64, usize)| (is_same, likeness) > (same, most);
        if is_about && best.is_none_or(is_better) {
            best = Some((is_same, likeness, at));
        }
    }
    best.map(|(_, _, at)| at)
}
