//! Serves requests: each kind of operation is one function.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::actions::{Action, Kind};
use super::references::id_text;
use super::request::{Rejection, Reply, Request};
use super::responses::Content;
use super::rows::{Row, Rows};
use super::tables::Table;
use super::values::instant;
use super::words::{self, is_one_of, plain};
use super::{Engine, World};

type Served<T> = Result<T, Rejection>;

impl Engine {
    /// Serves a request that changes nothing. `None` if rows have to be seeded first, or the request changes
    /// something.
    pub(crate) fn read(
        &self,
        at: usize,
        rows: &Rows,
        now: DateTime<Utc>,
        request: Request<'_>,
    ) -> Option<Served<Reply>> {
        let action = &self.actions[at];
        let reads = matches!(action.kind, Kind::Read | Kind::List | Kind::ReadSingle);
        if !reads || self.needs_seeds(rows, action, request) {
            return None;
        }
        Some(self.serve_read(at, rows, now, request))
    }

    /// Serves a request.
    pub(crate) fn serve(
        &self,
        at: usize,
        world: &mut World<'_>,
        request: Request<'_>,
    ) -> Served<Reply> {
        let action = &self.actions[at];
        let body = unwrapped(&action.content, request.body);
        let request = Request { body, ..request };
        self.seed_for(world, action, request)?;
        match &action.kind {
            Kind::Create => self.create(at, world, request),
            Kind::Update { replaces, creates } => {
                self.update(at, world, request, *replaces, *creates)
            }
            Kind::Delete => self.delete(at, world, request),
            Kind::Act(verb) => self.act(at, world, request, verb),
            Kind::Read | Kind::List | Kind::ReadSingle => {
                self.serve_read(at, world.rows, world.time.now, request)
            }
        }
    }

    fn serve_read(
        &self,
        at: usize,
        rows: &Rows,
        now: DateTime<Utc>,
        request: Request<'_>,
    ) -> Served<Reply> {
        let action = &self.actions[at];
        self.check_parents(rows, action, request)?;
        if action.kind == Kind::List {
            let page = self.page(rows, self.operation(at), action, request);
            return Ok(self.reply_with_page(at, &page, now, request));
        }
        let row = self.find(rows, action, request)?;
        Ok(self.reply_with(at, Some(row), now, request))
    }

    fn create(&self, at: usize, world: &mut World<'_>, request: Request<'_>) -> Served<Reply> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(world.rows, action, request)?;
        self.check_references(world.rows, request.body)?;
        let body = self.writable(table, request.body);
        let own_id = table.id.as_ref().and_then(|id| id_text(body.get(id)?));
        if let Some(id) = &own_id
            && self.with_id(world.rows, action, request, id).is_some()
        {
            return Err(Rejection::Conflict(format!(
                "a resource with the id `{id}` already exists"
            )));
        }
        let known = with_path(&body, action, request);
        let links = links(action, request);
        let number = self.insert(world, action.table, own_id, &known, links);
        self.begin_life(world, action.table, number, &["CREATED"]);
        self.follow_subscription(world, action.table, number);
        let row = world.rows.get(&table.name, number);
        Ok(self.reply_with(at, row, world.time.now, request))
    }

    fn update(
        &self,
        at: usize,
        world: &mut World<'_>,
        request: Request<'_>,
        replaces: bool,
        creates: bool,
    ) -> Served<Reply> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(world.rows, action, request)?;
        self.check_references(world.rows, request.body)?;
        let number = match self.find(world.rows, action, request) {
            Ok(row) => row.number,
            Err(_) if creates => return Ok(self.create_at_path(at, world, request)),
            Err(rejection) => return Err(rejection),
        };
        let body = self.writable(table, request.body);
        let before = self.change(world, action.table, number, &body, replaces);
        self.tell_change(world, action.table, number, before.as_deref());
        self.follow_subscription(world, action.table, number);
        let row = world.rows.get(&table.name, number);
        Ok(self.reply_with(at, row, world.time.now, request))
    }

    /// Creates the row that a path names.
    fn create_at_path(&self, at: usize, world: &mut World<'_>, request: Request<'_>) -> Reply {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        let body = self.writable(table, request.body);
        let known = with_path(&body, action, request);
        let links = links(action, request);
        let id = row_id(table, action, request);
        let id = Some(id).filter(|id| table.is_single || !id.is_empty());
        let number = self.insert(world, action.table, id, &known, links);
        self.begin_life(world, action.table, number, &["CREATED"]);
        self.follow_subscription(world, action.table, number);
        let row = world.rows.get(&table.name, number);
        let mut reply = self.reply_with(at, row, world.time.now, request);
        if self.operation(at).answers(201) {
            reply.status = 201;
        }
        reply
    }

    fn delete(&self, at: usize, world: &mut World<'_>, request: Request<'_>) -> Served<Reply> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(world.rows, action, request)?;
        let number = self.find(world.rows, action, request)?.number;
        let is_later = self.status_of_reply(at) == 202;
        self.end_life(world, action.table, number, is_later)?;
        self.follow_subscription(world, action.table, number);
        let row = world.rows.get(&table.name, number).cloned();
        Ok(self.reply_with(at, row.as_ref(), world.time.now, request))
    }

    fn act(
        &self,
        at: usize,
        world: &mut World<'_>,
        request: Request<'_>,
        verb: &str,
    ) -> Served<Reply> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(world.rows, action, request)?;
        self.check_references(world.rows, request.body)?;
        let number = self.find(world.rows, action, request)?.number;
        self.change_as_asked(world, action.table, number, verb);
        let row = world.rows.get(&table.name, number);
        Ok(self.reply_with(at, row, world.time.now, request))
    }

    /// Checks that the resources in the path exist.
    fn check_parents(&self, rows: &Rows, action: &Action, request: Request<'_>) -> Served<()> {
        for parent in &action.parents {
            let Some(table) = parent.table.map(|at| &self.tables[at]) else {
                continue;
            };
            let id = request.parameter(&parent.parameter).unwrap_or_default();
            if !exists(rows, table, id) {
                return Err(Rejection::NotFound);
            }
        }
        Ok(())
    }

    fn check_references(&self, rows: &Rows, body: &Value) -> Served<()> {
        match self.unknown_reference(rows, body) {
            Some(field) => Err(Rejection::Unknown { field }),
            None => Ok(()),
        }
    }

    /// A body without the fields that only the server sets.
    fn writable(&self, table: &Table, body: &Value) -> Value {
        let read_only = self.read_only_fields(table);
        let Value::Object(fields) = body else {
            return body.clone();
        };
        let fields = fields.iter().filter(|(name, _)| !read_only.contains(name));
        Value::Object(
            fields
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    /// The row that the path names.
    fn find<'a>(&self, rows: &'a Rows, action: &Action, request: Request<'_>) -> Served<&'a Row> {
        let table = &self.tables[action.table];
        let id = row_id(table, action, request);
        self.with_id(rows, action, request, &id)
            .ok_or(Rejection::NotFound)
    }

    /// The row with an id that belongs to the resources in the path.
    fn with_id<'a>(
        &self,
        rows: &'a Rows,
        action: &Action,
        request: Request<'_>,
        id: &str,
    ) -> Option<&'a Row> {
        let table = &self.tables[action.table];
        let all = rows.table(&table.name)?;
        let mut found = all.with_id(id);
        if let (None, Some(key)) = (&table.id, &action.key)
            && found.is_empty()
        {
            found = all.all().filter(|row| row.is_about(key, id)).collect();
        }
        found.into_iter().find(|row| {
            action.parents.iter().all(|parent| {
                let id = request.parameter(&parent.parameter).unwrap_or_default();
                parent.table == Some(action.table) || self.belongs(rows, row, &parent.parameter, id)
            })
        })
    }

    /// Inserts a row with as much as possible of what is known of it, and returns its number.
    pub(super) fn insert(
        &self,
        world: &mut World<'_>,
        at: usize,
        id: Option<String>,
        known: &Value,
        links: BTreeMap<String, String>,
    ) -> u64 {
        let table = &self.tables[at];
        let now = instant(world.time.now);
        let mut fields = known.as_object().cloned().unwrap_or_default();
        self.set_times(table, &mut fields, &now, true);
        if let Some(status) = &table.status {
            let first = self.first_status(table, status);
            fields.entry(&status.name).or_insert(json!(first));
        }
        let count = world
            .rows
            .table(&table.name)
            .map_or(0, super::rows::TableRows::len);
        let id = id.unwrap_or_else(|| self.new_id(world, table, count, &fields));
        if let Some(name) = &table.id {
            fields.insert(name.clone(), self.id_value(table, name, &id));
        }
        let value = self.row_value(world, at, &Value::Object(fields));
        world.rows.insert(&table.name, id, value, links)
    }

    /// Changes the fields of a row. Returns the status that it had before.
    fn change(
        &self,
        world: &mut World<'_>,
        at: usize,
        number: u64,
        body: &Value,
        replaces: bool,
    ) -> Option<String> {
        let table = &self.tables[at];
        let row = world.rows.get(&table.name, number)?.clone();
        let before = status_of(table, &row);
        let mut value = row.value.clone();
        if replaces {
            value = kept(table, &row.value);
        }
        merge(&mut value, body);
        if let Value::Object(fields) = &mut value {
            if let Some(name) = &table.id {
                fields.insert(name.clone(), row.value[name].clone());
            }
            self.set_times(table, fields, &instant(world.time.now), false);
        }
        let value = self.row_value(world, at, &value);
        if let Some(row) = world.rows.get_mut(&table.name, number) {
            row.value = value;
        }
        before
    }

    /// Sets the time of the last change, and that of the creation of a new row.
    pub(super) fn set_times(
        &self,
        table: &Table,
        fields: &mut Map<String, Value>,
        now: &str,
        is_new: bool,
    ) {
        for name in self.field_names(table) {
            let is_set = is_one_of(&name, &words::UPDATED_AT)
                || is_new && is_one_of(&name, &words::CREATED_AT);
            if is_set {
                fields.insert(name, json!(now));
            }
        }
    }
}

/// The fields that a request that replaces a row does not set.
fn kept(table: &Table, value: &Value) -> Value {
    let status = table.status.as_ref().map(|status| status.name.as_str());
    let is_kept = |name: &str| {
        table.id.as_deref() == Some(name)
            || status == Some(name)
            || is_one_of(name, &words::CREATED_AT)
            || plain(name).ends_with("id")
    };
    let fields = value.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, _)| is_kept(name));
    Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

pub(super) fn status_of(table: &Table, row: &Row) -> Option<String> {
    let status = table.status.as_ref()?;
    row.value[&status.name].as_str().map(str::to_owned)
}

/// The ids in the path, and those in the body.
fn links(action: &Action, request: Request<'_>) -> BTreeMap<String, String> {
    let mut links = BTreeMap::new();
    for (name, value) in request.body.as_object().into_iter().flatten() {
        if let Some(id) = id_text(value).filter(|_| plain(name).ends_with("id")) {
            links.insert(name.clone(), id);
        }
    }
    for parent in &action.parents {
        if let Some(id) = request.parameter(&parent.parameter) {
            links.insert(parent.parameter.clone(), id.to_owned());
        }
    }
    links
}

/// The resource in a body that has the same envelope as the response.
fn unwrapped<'a>(content: &Content, body: &'a Value) -> &'a Value {
    let Content::Item {
        field: Some(field), ..
    } = content
    else {
        return body;
    };
    let inner = body.get(field).filter(|inner| inner.is_object());
    inner.unwrap_or(body)
}

/// The body of a request, and the ids in its path.
fn with_path(body: &Value, action: &Action, request: Request<'_>) -> Value {
    let mut fields = body.as_object().cloned().unwrap_or_default();
    let parents = action.parents.iter().map(|parent| &parent.parameter);
    for name in parents.chain(&action.key) {
        if let Some(id) = request.parameter(name) {
            fields.entry(name).or_insert(json!(id));
        }
    }
    Value::Object(fields)
}

/// The id of the row of a request: in the path, or else in the body.
fn row_id(table: &Table, action: &Action, request: Request<'_>) -> String {
    if let Some(key) = &action.key {
        return request.parameter(key).unwrap_or_default().to_owned();
    }
    if table.is_single || action.kind == Kind::ReadSingle {
        return single_id(action, request);
    }
    let id = table.id.as_ref().and_then(|id| request.body.get(id));
    id.and_then(id_text).unwrap_or_default()
}

/// The id of the only row at a path: the ids in the path.
pub(super) fn single_id(action: &Action, request: Request<'_>) -> String {
    let parents = action.parents.iter();
    let ids = parents.filter_map(|parent| request.parameter(&parent.parameter));
    ids.collect::<Vec<_>>().join("/")
}

pub(super) fn exists(rows: &Rows, table: &Table, id: &str) -> bool {
    let rows = rows.table(&table.name);
    rows.is_some_and(|rows| !rows.with_id(id).is_empty())
}

/// Merges a body into a value (RFC 7396): null removes a field.
fn merge(value: &mut Value, body: &Value) {
    let (Value::Object(fields), Value::Object(changes)) = (value, body) else {
        return;
    };
    for (name, change) in changes {
        match (fields.get_mut(name), change) {
            (_, Value::Null) => {
                fields.insert(name.clone(), Value::Null);
            }
            (Some(field @ Value::Object(_)), Value::Object(_)) => merge(field, change),
            _ => {
                fields.insert(name.clone(), change.clone());
            }
        }
    }
}
