//! Finds which rows belong to which resources, from the ids in rows and requests.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Engine;
use super::serve::exists;
use super::tables::Table;
use super::words::{plain, singular};
use crate::domain::rows::Row;
use crate::domain::state::State;

/// The maximum number of tables between a row and the resource that it belongs to.
const FARTHEST: usize = 2;

impl Engine {
    /// Whether a row belongs to the resource with this `id`. The row must contain the id, or belong to another resource
    /// that contains it.
    pub(super) fn belongs(&self, state: &State, row: &Row, parameter: &str, id: &str) -> bool {
        self.is_within(state, row, parameter, id, FARTHEST)
    }

    fn is_within(&self, state: &State, row: &Row, parameter: &str, id: &str, steps: usize) -> bool {
        if let Some(named) = row.named(parameter) {
            return named == id;
        }
        if contains_id(&row.value, id) || row.links.values().any(|link| link == id) {
            return true;
        }
        if steps == 0 {
            return false;
        }
        row.references().into_iter().any(|(name, reference)| {
            let tables = self
                .tables
                .iter()
                .filter(|table| is_named_after(&name, table));
            let rows_with_id = tables
                .filter_map(|table| state.rows.table(&table.name))
                .flat_map(|table| table.with_id(&reference));
            let mut others = rows_with_id.filter(|other| other.number != row.number);
            others.any(|other| self.is_within(state, other, parameter, id, steps - 1))
        })
    }

    /// Copies missing ids to a new row from the rows that it names. For example, a row of an account also gets the id
    /// of the account's group.
    pub(super) fn inherit_ids(
        &self,
        state: &State,
        table: &Table,
        fields: &mut Map<String, Value>,
        links: &BTreeMap<String, String>,
    ) {
        let named = self.named_rows(state, fields, links);
        for name in self.field_names(table) {
            let is_own = plain(&name) == "id" || table.id.as_ref() == Some(&name);
            if is_own || !plain(&name).ends_with("id") || fields.contains_key(&name) {
                continue;
            }
            if let Some(id) = named.iter().find_map(|row| row.named(&name)) {
                let id = self.id_value(table, &name, &id);
                fields.insert(name, id);
            }
        }
    }

    /// Returns the rows whose ids are in the fields and the links of a row.
    fn named_rows<'a>(
        &self,
        state: &'a State,
        fields: &Map<String, Value>,
        links: &BTreeMap<String, String>,
    ) -> Vec<&'a Row> {
        let mut named = Vec::new();
        let of_fields = fields.iter();
        let of_fields = of_fields.filter_map(|(name, value)| Some((name, id_text(value)?)));
        let of_links = links.iter().map(|(name, id)| (name, id.clone()));
        for (name, id) in of_fields.chain(of_links) {
            let tables = self.tables.iter();
            let tables = tables.filter(|table| is_named_after(name, table));
            let tables = tables.filter_map(|table| state.rows.table(&table.name));
            named.extend(tables.flat_map(|table| table.with_id(&id)));
        }
        named
    }

    /// Returns the first field of a body with the id of a resource that does not exist.
    pub(super) fn unknown_reference(&self, state: &State, body: &Value) -> Option<String> {
        let mut references = Vec::new();
        collect(body, "", "", &mut references);
        let unknown = references
            .into_iter()
            .find(|reference| !self.is_known(state, &reference.name, &reference.id));
        unknown.map(|reference| reference.field)
    }

    /// Whether a resource exists. Only tables whose rows requests create or list can tell; for others, the answer is
    /// yes.
    fn is_known(&self, state: &State, name: &str, id: &str) -> bool {
        let tables = self.tables.iter();
        let named: Vec<_> = tables.filter(|table| is_named_after(name, table)).collect();
        let can_tell = |table: &&Table| {
            table.id.is_some()
                && (table.has_create || table.has_list && looks_like_id(table, state, id))
        };
        if named.is_empty() || !named.iter().all(can_tell) {
            return true;
        }
        named.iter().any(|table| exists(state, table, id))
    }
}

/// Whether an id has the form of the ids of a table that was seeded. A body can name resources by other ids, such as
/// ISINs.
fn looks_like_id(table: &Table, state: &State, id: &str) -> bool {
    let rows = state.rows.table(&table.name);
    let known = rows.and_then(|rows| rows.all().next());
    known.is_some_and(|row| row.id.len() == id.len())
}

/// Whether a field is named after a table: `account_id`, `accountId` and `account_ids` after `accounts`.
pub(super) fn is_named_after(field: &str, table: &Table) -> bool {
    let field = plain(field);
    let stem = field
        .strip_suffix("ids")
        .or_else(|| field.strip_suffix("id"));
    let one = plain(&singular(&table.collection));
    !table.is_single && stem.is_some_and(|stem| stem == one)
}

/// An id in a body.
struct Reference {
    /// The path of the field.
    field: String,
    /// The name from which the table follows, such as `account_id`.
    name: String,
    id: String,
}

fn collect(value: &Value, field: &str, parent: &str, found: &mut Vec<Reference>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = join(field, name);
                // `users: [{ id }]` names a user. The own id of a body names nothing.
                let name = match name.as_str() {
                    "id" if parent.is_empty() => continue,
                    "id" => format!("{}_id", singular(parent)),
                    name => name.to_owned(),
                };
                collect(value, &path, &name, found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, &join(field, &at.to_string()), parent, found);
            }
        }
        value => {
            if let Some(id) = id_text(value)
                && plain(parent).ends_with("id") | plain(parent).ends_with("ids")
            {
                found.push(Reference {
                    field: field.to_owned(),
                    name: parent.to_owned(),
                    id,
                });
            }
        }
    }
}

fn join(field: &str, name: &str) -> String {
    if field.is_empty() {
        name.to_owned()
    } else {
        format!("{field}.{name}")
    }
}

impl Row {
    /// Returns the id that the row has under a name.
    fn named(&self, name: &str) -> Option<String> {
        if let Some(link) = self.links.get(name) {
            return Some(link.clone());
        }
        let fields = self.value.as_object()?;
        let wanted = plain(name);
        let (_, value) = fields.iter().find(|(name, _)| plain(name) == wanted)?;
        id_text(value)
    }

    /// Whether the row has an id in the object that a parameter is named after: `instrument_id` is an id in
    /// `instrument`. The id can have a prefix, such as `isin:`.
    pub(super) fn is_about(&self, parameter: &str, id: &str) -> bool {
        let wanted = plain(parameter);
        let wanted = wanted.strip_suffix("id").unwrap_or(&wanted);
        let fields = self.value.as_object().into_iter().flatten();
        let mut objects = fields.filter(|(name, _)| plain(name) == wanted);
        let id = id.rsplit(':').next().unwrap_or(id);
        objects.any(|(_, object)| {
            let ids = object.as_object().into_iter().flatten();
            ids.into_iter().any(|(_, value)| value == id)
        })
    }

    /// Returns the ids of other resources, with their names.
    fn references(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect(&self.value, "", "", &mut found);
        let of_value = found.into_iter().map(|it| (it.name, it.id));
        let of_links = self.links.iter();
        of_value
            .chain(of_links.map(|(name, id)| (name.clone(), id.clone())))
            .collect()
    }
}

/// Whether a nested field contains an id.
fn contains_id(value: &Value, id: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| match value {
            Value::Object(_) => contains_id(value, id),
            Value::Array(items) => items
                .iter()
                .any(|item| contains_id(item, id) || plain(name).ends_with("ids") && item == id),
            value => plain(name).ends_with("id") && value == id,
        }),
        _ => false,
    }
}

/// An id as a text.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
