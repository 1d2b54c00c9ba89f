//! Seeds rows that no request creates, when they are first read, and fills the values of rows.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::Engine;
use super::actions::{Action, Kind};
use super::request::Request;
use super::serve::{exists, links_in, single_id};
use super::tables::Table;
use super::values::{Fill, ValueMaker};
use super::words::{plain, singular};
use crate::description::Shape;
use crate::domain::state::{Rejected, State};

/// The number of rows of a list that no request fills.
const SEEDS: usize = 3;
/// The maximum number of attempts to draw an id that is not in use.
const DRAWS: usize = 20;

impl Engine {
    /// Whether a read finds no rows because no request creates them.
    pub(super) fn needs_seeds(&self, state: &State, action: &Action, request: Request<'_>) -> bool {
        let parents = action.parents.iter();
        let needs_parent = parents.clone().any(|parent| {
            let Some(table) = parent.table.map(|at| &self.tables[at]) else {
                return false;
            };
            let id = request.parameter(&parent.parameter).unwrap_or_default();
            is_found_by_id_only(table) && !exists(state, table, id)
        });
        let needs_list = parents.into_iter().any(|parent| {
            let table = parent.table.map(|at| &self.tables[at]);
            table
                .is_some_and(|table| is_listed_only(table) && !has_seeds(state, table, &table.name))
        });
        needs_parent || needs_list || self.needs_rows(state, action, request)
    }

    fn needs_rows(&self, state: &State, action: &Action, request: Request<'_>) -> bool {
        let table = &self.tables[action.table];
        if table.has_create {
            return false;
        }
        match &action.key {
            Some(key) if is_found_by_id_only(table) => {
                let id = request.parameter(key).unwrap_or_default();
                !exists(state, table, id)
            }
            None if action.kind == Kind::ReadSingle || table.is_single => {
                !exists(state, table, &single_id(action, request))
            }
            _ => !has_seeds(state, table, &scope(table, action, request)),
        }
    }

    /// Makes the rows that a request needs and that no request creates.
    pub(super) fn seed_for(
        &self,
        state: &mut State,
        action: &Action,
        request: Request<'_>,
    ) -> Result<(), Rejected> {
        for parent in &action.parents {
            let Some(at) = parent.table else { continue };
            let table = &self.tables[at];
            let id = request.parameter(&parent.parameter).unwrap_or_default();
            if is_found_by_id_only(table) && !exists(state, table, id) {
                self.seed(state, at, Some(id.to_owned()), &BTreeMap::new());
            } else if is_listed_only(table) && !has_seeds(state, table, &table.name) {
                state.rows.seed(table.name.clone());
                for _ in 0..SEEDS {
                    self.seed(state, at, None, &BTreeMap::new());
                }
            }
            if !exists(state, table, id) {
                return Err(Rejected::NotFound);
            }
        }
        if self.needs_rows(state, action, request) {
            self.seed_rows(state, action, request);
        }
        Ok(())
    }

    fn seed_rows(&self, state: &mut State, action: &Action, request: Request<'_>) {
        let table = &self.tables[action.table];
        let parents = action.parents.iter();
        let links: BTreeMap<_, _> = parents
            .filter_map(|parent| {
                let id = request.parameter(&parent.parameter)?;
                Some((parent.parameter.clone(), id.to_owned()))
            })
            .collect();
        match &action.key {
            Some(key) if is_found_by_id_only(table) => {
                let id = request.parameter(key).map(str::to_owned);
                self.seed(state, action.table, id, &links);
            }
            None if action.kind == Kind::ReadSingle || table.is_single => {
                let id = single_id(action, request);
                self.seed(state, action.table, Some(id), &links);
            }
            _ => {
                state.rows.seed(scope(table, action, request));
                for _ in 0..SEEDS {
                    self.seed(state, action.table, None, &links);
                }
            }
        }
    }

    /// Makes a row with all of its fields, and returns its number.
    fn seed(
        &self,
        state: &mut State,
        at: usize,
        id: Option<String>,
        links: &BTreeMap<String, String>,
    ) -> u64 {
        let known: Map<String, Value> = links
            .iter()
            .map(|(name, id)| (name.clone(), json!(id)))
            .collect();
        let known = self.filled(state, at, &Value::Object(known), Fill::All);
        self.insert(state, at, id, &known, links.clone())
    }

    /// Makes the rows that a new state has.
    pub(crate) fn begin(&self, state: &mut State) {
        for (at, table) in self.tables.iter().enumerate() {
            let lifecycle = self.lifecycles.of(&table.name);
            let rows = lifecycle.and_then(|lifecycle| lifecycle.rows.as_ref());
            for fields in rows.into_iter().flatten() {
                let fields = Value::Object(fields.clone());
                self.insert(state, at, None, &fields, BTreeMap::new());
            }
        }
    }

    /// Adds a row by hand, with facts for the rules of its table. Returns its id.
    pub(crate) fn add(
        &self,
        state: &mut State,
        table: &str,
        fields: &Value,
        facts: Value,
    ) -> Result<String, String> {
        let at = self.table_named(table)?;
        let links = links_in(fields);
        let number = self.insert(state, at, None, fields, links);
        if let Some(row) = state.rows.get_mut(table, number) {
            row.facts = facts;
        }
        self.begin_row(state, at, number, &["CREATED"]);
        self.update_dependents(state, at, number);
        let row = state.rows.get(table, number);
        Ok(row.map(|row| row.id.clone()).unwrap_or_default())
    }

    /// Makes rows of a table by hand, with all of their fields. The table gets no others. An error names the first
    /// field that the rows cannot have.
    pub(crate) fn seed_table(
        &self,
        state: &mut State,
        name: &str,
        count: usize,
        fields: &Value,
    ) -> Result<Vec<String>, String> {
        let at = self.table_named(name)?;
        self.check_seed(state, at, count, fields)?;
        state.rows.seed(by_hand(&self.tables[at]));
        let mut ids = Vec::new();
        for _ in 0..count {
            let known = self.filled(state, at, fields, Fill::All);
            ids.push(self.add(state, name, &known, Value::Null)?);
        }
        Ok(ids)
    }

    fn check_seed(
        &self,
        state: &mut State,
        at: usize,
        count: usize,
        fields: &Value,
    ) -> Result<(), String> {
        let Some(given) = fields.as_object().filter(|fields| !fields.is_empty()) else {
            return Ok(());
        };
        let made = self.filled(state, at, fields, Fill::All);
        let table = &self.tables[at];
        for (name, value) in given {
            // A null leaves out a field that cannot be null.
            let is_left_out = value.is_null() && made.get(name).is_none();
            if !is_left_out && !made.get(name).is_some_and(|made| has_kept(made, value)) {
                return Err(format!(
                    "the rows of `{}` cannot have this value in `{name}`, or have no such field",
                    table.name
                ));
            }
        }
        let Some(name) = &table.id else { return Ok(()) };
        let id = given.get(name).and_then(super::references::id_text);
        let is_taken = id.is_some_and(|id| count > 1 || exists(state, table, &id));
        if is_taken {
            return Err(format!(
                "two rows of `{}` cannot have the same `{name}`",
                table.name
            ));
        }
        Ok(())
    }

    /// Returns the index of the table with a name.
    pub(super) fn table_named(&self, name: &str) -> Result<usize, String> {
        let found = self.tables.iter().position(|table| table.name == name);
        found.ok_or_else(|| {
            let known: Vec<_> = self.tables.iter().map(|it| it.name.as_str()).collect();
            format!(
                "there is no table `{name}`; the tables are {}",
                known.join(", ")
            )
        })
    }

    /// Returns the value of a row: the known fields, and those that its schema requires.
    pub(super) fn row_value(&self, state: &mut State, at: usize, known: &Value) -> Value {
        self.filled(state, at, known, Fill::Known)
    }

    fn filled(&self, state: &mut State, at: usize, known: &Value, fill: Fill) -> Value {
        let random = state.timeline.next_rng();
        let Some(schema) = &self.tables[at].schema else {
            return known.clone();
        };
        let name = &self.tables[at].collection;
        let mut maker = self.maker(state.timeline.now, random, fill);
        if fill == Fill::All {
            maker.references = self.references(state, at);
        }
        maker.valid_value(schema, Some(known), name)
    }

    /// Returns the ids of the first rows of the other tables, by the names of the fields that refer to them.
    fn references(&self, state: &State, own: usize) -> BTreeMap<String, String> {
        let others = self.tables.iter().enumerate();
        let others = others.filter(|(at, table)| *at != own && !table.is_single);
        let mut references = BTreeMap::new();
        for (_, table) in others {
            let first = state
                .rows
                .table(&table.name)
                .and_then(|rows| rows.all().next());
            if let Some(row) = first.filter(|_| table.id.is_some()) {
                let name = format!("{}id", plain(&singular(&table.collection)));
                references.entry(name).or_insert_with(|| row.id.clone());
            }
        }
        references
    }

    pub(super) fn maker(
        &self,
        now: chrono::DateTime<chrono::Utc>,
        random: StdRng,
        fill: Fill,
    ) -> ValueMaker<'_> {
        ValueMaker::new(self.description.schemas(), &self.texts, now, random, fill)
    }

    /// The names of the fields of a row.
    pub(super) fn field_names(&self, table: &Table) -> Vec<String> {
        let properties = self.shape(table).map(|shape| shape.properties());
        let properties = properties.unwrap_or_default().into_iter();
        properties.map(|(name, _)| name.to_owned()).collect()
    }

    /// The names of the fields that only the server sets.
    pub(super) fn read_only_fields(&self, table: &Table) -> Vec<String> {
        let document = self.description.schemas();
        let properties = self.shape(table).map(|shape| shape.properties());
        let properties = properties.unwrap_or_default().into_iter();
        let read_only =
            properties.filter(|(_, schema)| Shape::of(document, schema).is_true("readOnly"));
        read_only.map(|(name, _)| name.to_owned()).collect()
    }

    pub(super) fn shape(&self, table: &Table) -> Option<Shape<'_>> {
        let document = self.description.schemas();
        let schema = document.pointer(table.schema.as_ref()?.place())?;
        Some(Shape::of(document, schema))
    }

    /// Returns a new id that matches its schema.
    pub(super) fn new_id(
        &self,
        state: &mut State,
        table: &Table,
        count: usize,
        known: &Map<String, Value>,
    ) -> String {
        let shape = self.shape(table);
        let name = table.id.as_deref().unwrap_or("id");
        if let Some(id) = known.get(name).and_then(super::references::id_text)
            && !exists(state, table, &id)
        {
            return id;
        }
        let document = self.description.schemas();
        let schema = shape.and_then(|shape| shape.property(name));
        let kind = schema.and_then(|schema| Shape::of(document, schema).kind());
        if matches!(kind, Some("integer" | "number")) {
            let mut number = count + 1;
            while exists(state, table, &number.to_string()) {
                number += 1;
            }
            return number.to_string();
        }
        let is_uuid = schema.is_none_or(|schema| is_free_text(&Shape::of(document, schema)));
        if let Some(schema) = schema.filter(|_| !is_uuid) {
            for _ in 0..DRAWS {
                let random = state.timeline.next_rng();
                let mut maker = self.maker(state.timeline.now, random, Fill::Known);
                let id = super::references::id_text(&maker.new_id(schema));
                if let Some(id) = id.filter(|id| !exists(state, table, id)) {
                    return id;
                }
            }
        }
        state.timeline.id().to_string()
    }

    /// Returns an id in the type of its schema: a number or a text.
    pub(super) fn id_value(&self, table: &Table, name: &str, id: &str) -> Value {
        let document = self.description.schemas();
        let schema = self.shape(table).and_then(|shape| shape.property(name));
        let kind = schema.and_then(|schema| Shape::of(document, schema).kind());
        match (kind, id.parse::<i64>()) {
            (Some("integer" | "number"), Ok(number)) => json!(number),
            _ => json!(id),
        }
    }
}

/// Whether a made value has all of a given one.
fn has_kept(made: &Value, given: &Value) -> bool {
    match (made, given) {
        (Value::Object(made), Value::Object(given)) => given.iter().all(|(name, given)| {
            let made = made.get(name);
            made.map_or(given.is_null(), |made| has_kept(made, given))
        }),
        (Value::Array(made), Value::Array(given)) => {
            let mut pairs = made.iter().zip(given);
            made.len() == given.len() && pairs.all(|(made, given)| has_kept(made, given))
        }
        (made, given) => made == given,
    }
}

/// Whether an id can be any text that has room for a UUID.
fn is_free_text(shape: &Shape<'_>) -> bool {
    let has_room = |limit: &Value| limit.as_u64().is_none_or(|limit| limit >= 36);
    let is_plain = shape.text("format").is_none_or(|format| format == "uuid");
    is_plain
        && shape.keyword("pattern").is_none()
        && shape.values().is_none()
        && shape.keyword("maxLength").is_none_or(has_room)
}

/// Whether a row can only be found by its id, so that a client must already know the id.
fn is_found_by_id_only(table: &Table) -> bool {
    !table.has_create && !table.has_list && !table.is_single
}

/// Whether requests list rows but do not create them.
fn is_listed_only(table: &Table) -> bool {
    !table.has_create
        && table.has_list
        && !table.is_single
        && table.templates.iter().any(|it| !it.contains('*'))
}

/// Whether the rows with the key `scope` were made: when they were read, or by hand.
fn has_seeds(state: &State, table: &Table, scope: &str) -> bool {
    state.rows.is_seeded(scope) || state.rows.is_seeded(&by_hand(table))
}

/// Returns the key of a table whose rows are made by hand.
fn by_hand(table: &Table) -> String {
    format!("{} by hand", table.name)
}

/// Returns the key of the rows that are seeded together: those of a table that belong to the resources in the path.
fn scope(table: &Table, action: &Action, request: Request<'_>) -> String {
    let parents = single_id(action, request);
    if parents.is_empty() || action.key.is_some() && action.parents.is_empty() {
        table.name.clone()
    } else {
        format!("{} of {parents}", table.name)
    }
}
