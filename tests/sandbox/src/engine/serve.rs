//! Serves requests: each kind of operation is one function.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Engine;
use super::actions::{Action, Kind};
use super::references::id_text;
use super::request::{Request, Response};
use super::responses::Content;
use super::tables::Table;
use super::values::instant;
use super::words::{self, is_one_of, plain};
use crate::domain::rows::Row;
use crate::domain::state::{Rejected, State};

/// The reason of a resource that a client ended.
pub(super) const BY_CLIENT: &str = "requested by the client";

type Served<T> = Result<T, Rejected>;

impl Engine {
    /// Serves a request that changes nothing. `None` if rows have to be seeded first, or the request changes something.
    pub(crate) fn read(
        &self,
        at: usize,
        state: &State,
        request: Request<'_>,
    ) -> Option<Served<Response>> {
        let action = &self.actions[at];
        let reads = matches!(action.kind, Kind::Read | Kind::List | Kind::ReadSingle);
        if !reads || self.needs_seeds(state, action, request) {
            return None;
        }
        Some(self.serve_read(at, state, request))
    }

    /// Serves a request.
    pub(crate) fn serve(
        &self,
        at: usize,
        state: &mut State,
        request: Request<'_>,
    ) -> Served<Response> {
        let action = &self.actions[at];
        let body = unwrapped(&action.content, request.body);
        let request = Request { body, ..request };
        self.seed_for(state, action, request)?;
        match &action.kind {
            Kind::Create => self.create(at, state, request),
            Kind::Update { replaces, creates } => {
                self.update(at, state, request, *replaces, *creates)
            }
            Kind::Delete => self.delete(at, state, request),
            Kind::Act(verb) => self.act(at, state, request, verb),
            Kind::Read | Kind::List | Kind::ReadSingle => self.serve_read(at, state, request),
        }
    }

    fn serve_read(&self, at: usize, state: &State, request: Request<'_>) -> Served<Response> {
        let action = &self.actions[at];
        let now = state.timeline.now;
        self.check_parents(state, action, request)?;
        if action.kind == Kind::List {
            let page = self.page(state, self.operation(at), action, request);
            return Ok(self.response_with_page(at, &page, now, request));
        }
        let row = self.find(state, action, request)?;
        Ok(self.response_with(at, Some(row), now, request))
    }

    fn create(&self, at: usize, state: &mut State, request: Request<'_>) -> Served<Response> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(state, action, request)?;
        self.check_references(state, request.body)?;
        let body = self.writable(table, request.body);
        let own_id = table.id.as_ref().and_then(|id| id_text(body.get(id)?));
        if let Some(id) = &own_id
            && self.with_id(state, action, request, id).is_some()
        {
            return Err(Rejected::Conflict(format!(
                "a resource with the id `{id}` already exists"
            )));
        }
        let mut fields = with_path_parameters(&body, action, request);
        if self.description.has_rules() {
            fields = state.check_new(&table.name, fields)?;
        }
        let links = links(action, request);
        let number = self.insert(state, action.table, own_id, &fields, links);
        self.begin_row(state, action.table, number, &["CREATED"]);
        self.update_dependents(state, action.table, number);
        let row = state.rows.get(&table.name, number);
        Ok(self.response_with(at, row, state.timeline.now, request))
    }

    fn update(
        &self,
        at: usize,
        state: &mut State,
        request: Request<'_>,
        replaces: bool,
        creates: bool,
    ) -> Served<Response> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(state, action, request)?;
        self.check_references(state, request.body)?;
        let number = match self.find(state, action, request) {
            Ok(row) => row.number,
            Err(_) if creates => return Ok(self.create_at_path(at, state, request)),
            Err(rejected) => return Err(rejected),
        };
        let mut body = self.writable(table, request.body);
        self.check_request(state, action.table, number, &body)?;
        if self.description.has_rules()
            && let Some(row) = state.rows.get(&table.name, number)
        {
            body = state.check_change(&table.name, row, body)?;
        }
        let before = self.change(state, action.table, number, &body, replaces);
        self.send_change_event(state, action.table, number, before.as_deref());
        self.update_dependents(state, action.table, number);
        let row = state.rows.get(&table.name, number);
        Ok(self.response_with(at, row, state.timeline.now, request))
    }

    /// Checks that the status of a row allows a change by a request.
    fn check_request(&self, state: &State, at: usize, number: u64, body: &Value) -> Served<()> {
        let table = &self.tables[at];
        let row = state.rows.get(&table.name, number);
        let from = row
            .and_then(|row| status_of(table, row))
            .unwrap_or_default();
        let status = table.status.as_ref();
        let to = status.and_then(|status| body.get(&status.name)?.as_str());
        let lifecycle = self.lifecycles.of(&table.name);
        let checked = lifecycle.map_or(Ok(()), |lifecycle| lifecycle.check_request(&from, to));
        checked.map_err(Rejected::Conflict)
    }

    /// Creates the row that a path names.
    fn create_at_path(&self, at: usize, state: &mut State, request: Request<'_>) -> Response {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        let body = self.writable(table, request.body);
        let known = with_path_parameters(&body, action, request);
        let links = links(action, request);
        let id = row_id(table, action, request);
        let id = Some(id).filter(|id| table.is_single || !id.is_empty());
        let number = self.insert(state, action.table, id, &known, links);
        self.begin_row(state, action.table, number, &["CREATED"]);
        self.update_dependents(state, action.table, number);
        let row = state.rows.get(&table.name, number);
        let mut response = self.response_with(at, row, state.timeline.now, request);
        if self.operation(at).answers(201) {
            response.status = 201;
        }
        response
    }

    fn delete(&self, at: usize, state: &mut State, request: Request<'_>) -> Served<Response> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(state, action, request)?;
        let number = self.find(state, action, request)?.number;
        let is_later = self.status_of_response(at) == 202;
        self.end_row(state, action.table, number, is_later, BY_CLIENT)?;
        self.follow_subscription(state, action.table, number);
        let row = state.rows.get(&table.name, number).cloned();
        Ok(self.response_with(at, row.as_ref(), state.timeline.now, request))
    }

    fn act(
        &self,
        at: usize,
        state: &mut State,
        request: Request<'_>,
        verb: &str,
    ) -> Served<Response> {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        self.check_parents(state, action, request)?;
        self.check_references(state, request.body)?;
        let number = self.find(state, action, request)?.number;
        self.change_as_asked(state, action.table, number, verb);
        let row = state.rows.get(&table.name, number);
        Ok(self.response_with(at, row, state.timeline.now, request))
    }

    /// Checks that the resources in the path exist.
    fn check_parents(&self, state: &State, action: &Action, request: Request<'_>) -> Served<()> {
        for parent in &action.parents {
            let Some(table) = parent.table.map(|at| &self.tables[at]) else {
                continue;
            };
            let id = request.parameter(&parent.parameter).unwrap_or_default();
            if !exists(state, table, id) {
                return Err(Rejected::NotFound);
            }
        }
        Ok(())
    }

    fn check_references(&self, state: &State, body: &Value) -> Served<()> {
        match self.unknown_reference(state, body) {
            Some(field) => Err(Rejected::Unknown(field)),
            None => Ok(()),
        }
    }

    /// Removes the fields that only the server sets from a body.
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

    /// Returns the row that the path names.
    fn find<'a>(&self, state: &'a State, action: &Action, request: Request<'_>) -> Served<&'a Row> {
        let table = &self.tables[action.table];
        let id = row_id(table, action, request);
        self.with_id(state, action, request, &id)
            .ok_or(Rejected::NotFound)
    }

    /// Returns the row with an id, if it belongs to the resources in the path.
    fn with_id<'a>(
        &self,
        state: &'a State,
        action: &Action,
        request: Request<'_>,
        id: &str,
    ) -> Option<&'a Row> {
        let table = &self.tables[action.table];
        let all = state.rows.table(&table.name)?;
        let mut found = all.with_id(id);
        if let (None, Some(key)) = (&table.id, &action.key)
            && found.is_empty()
        {
            found = all.all().filter(|row| row.is_about(key, id)).collect();
        }
        found.into_iter().find(|row| {
            action.parents.iter().all(|parent| {
                let id = request.parameter(&parent.parameter).unwrap_or_default();
                parent.table == Some(action.table)
                    || self.belongs(state, row, &parent.parameter, id)
            })
        })
    }

    /// Inserts a row with as many of its known values as its schema allows, and returns its number.
    pub(super) fn insert(
        &self,
        state: &mut State,
        at: usize,
        id: Option<String>,
        known: &Value,
        links: BTreeMap<String, String>,
    ) -> u64 {
        let table = &self.tables[at];
        let now = instant(state.timeline.now);
        let mut fields = known.as_object().cloned().unwrap_or_default();
        self.set_times(table, &mut fields, &now, true);
        if let Some(status) = &table.status {
            let first = self.first_status(table, status);
            fields.entry(&status.name).or_insert(json!(first));
        }
        self.inherit_ids(state, table, &mut fields, &links);
        let count = state.rows.count(&table.name);
        let id = id.unwrap_or_else(|| self.new_id(state, table, count, &fields));
        if let Some(name) = &table.id {
            fields.insert(name.clone(), self.id_value(table, name, &id));
        }
        let value = self.row_value(state, at, &Value::Object(fields));
        state.rows.insert(&table.name, id, value, links)
    }

    /// Changes the fields of a row. Returns the status that it had before.
    fn change(
        &self,
        state: &mut State,
        at: usize,
        number: u64,
        body: &Value,
        replaces: bool,
    ) -> Option<String> {
        let table = &self.tables[at];
        let row = state.rows.get(&table.name, number)?.clone();
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
            self.set_times(table, fields, &instant(state.timeline.now), false);
        }
        let value = self.row_value(state, at, &value);
        if let Some(row) = state.rows.get_mut(&table.name, number) {
            row.value = value;
        }
        before
    }

    /// Sets the time of the last change, and for a new row the time of its creation.
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

/// Returns the fields that stay when a request replaces a row.
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

/// Collects the ids in a body.
pub(super) fn links_in(body: &Value) -> BTreeMap<String, String> {
    let fields = body.as_object().into_iter().flatten();
    let ids = fields.filter(|(name, _)| plain(name).ends_with("id"));
    ids.filter_map(|(name, value)| Some((name.clone(), id_text(value)?)))
        .collect()
}

/// Collects the ids in the path and the body.
fn links(action: &Action, request: Request<'_>) -> BTreeMap<String, String> {
    let mut links = links_in(request.body);
    for parent in &action.parents {
        if let Some(id) = request.parameter(&parent.parameter) {
            links.insert(parent.parameter.clone(), id.to_owned());
        }
    }
    links
}

/// Returns the resource in a body. The body can have the same envelope as the response.
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

/// Adds the ids in the path of a request to its body.
fn with_path_parameters(body: &Value, action: &Action, request: Request<'_>) -> Value {
    let mut fields = body.as_object().cloned().unwrap_or_default();
    let parents = action.parents.iter().map(|parent| &parent.parameter);
    for name in parents.chain(&action.key) {
        if let Some(id) = request.parameter(name) {
            fields.entry(name).or_insert(json!(id));
        }
    }
    Value::Object(fields)
}

/// Returns the id of the row of a request, from the path, or else from the body.
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

/// Returns the id of the only row at a path. It consists of the ids in the path.
pub(super) fn single_id(action: &Action, request: Request<'_>) -> String {
    let parents = action.parents.iter();
    let ids = parents.filter_map(|parent| request.parameter(&parent.parameter));
    ids.collect::<Vec<_>>().join("/")
}

pub(super) fn exists(state: &State, table: &Table, id: &str) -> bool {
    let rows = state.rows.table(&table.name);
    rows.is_some_and(|rows| !rows.with_id(id).is_empty())
        || state.resource(&table.name, id).is_some()
}

/// Merges a body into a value as RFC 7396 says, except that a null stays, as the schema may require the field.
pub(super) fn merge(value: &mut Value, body: &Value) {
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
