//! Derives the action of an operation on a table from its method, path and response.

use std::collections::BTreeSet;

use http::Method;

use super::responses::{Content, content};
use super::tables::{SAME, Table, ends_with_parameter, properties_at, template, with_verb};
use crate::description::{Description, Operation};

/// The action of an operation on its table.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) kind: Kind,
    /// The index of the table.
    pub(super) table: usize,
    pub(super) content: Content,
    /// The parameter with the id of the row.
    pub(super) key: Option<String>,
    /// The other parameters in the path, from left to right.
    pub(super) parents: Vec<Parent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Read,
    List,
    /// Reads the only row at its path.
    ReadSingle,
    Update {
        /// Whether fields that the body does not have get their defaults.
        replaces: bool,
        /// Whether the row is created if it does not exist.
        creates: bool,
    },
    Delete,
    /// Makes a row do what the last segment of the path says, such as `cancel`.
    Act(String),
}

/// A parameter that names another resource.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) parameter: String,
    /// The index of the table of that resource, if there is one.
    pub(super) table: Option<usize>,
}

/// Derives the actions of all operations, in the order of the description.
pub(super) fn actions(
    description: &Description,
    tables: &mut [Table],
    of_operation: &[usize],
) -> Vec<Action> {
    let operations = description.operations();
    let mut actions = Vec::new();
    for (operation, table) in operations.iter().zip(of_operation) {
        let reader = Reader {
            description,
            operation,
            tables,
            own: *table,
            path: with_verb(&operation.path),
        };
        actions.push(reader.action());
    }
    for action in &actions {
        let creates = match action.kind {
            Kind::Create => true,
            Kind::Update { creates, .. } => creates && action.key.is_some(),
            _ => false,
        };
        // A request that makes an existing row do something creates no row.
        tables[action.table].has_create |= creates;
    }
    actions
}

struct Reader<'a> {
    description: &'a Description,
    operation: &'a Operation,
    tables: &'a [Table],
    /// The index of the table at the path.
    own: usize,
    path: String,
}

impl Reader<'_> {
    fn action(&self) -> Action {
        let content = content(self.description.schemas(), self.operation);
        let mut kind = self.kind(&content);
        let path = &self.path;
        let names = parameters(path);
        let target = match &kind {
            Kind::Act(_) => self.table_before(names.last().copied()),
            _ => Some(self.own),
        };
        if target.is_none() {
            kind = Kind::Create;
        }
        let has_key = match &kind {
            Kind::Create | Kind::List | Kind::ReadSingle => false,
            Kind::Act(_) => true,
            _ => !self.table().is_single,
        };
        let key = names.last().copied().filter(|_| has_key);
        let parents = names.iter().filter(|name| Some(**name) != key);
        let parents = parents.map(|name| Parent {
            parameter: (*name).to_owned(),
            table: self.table_before(Some(name)).filter(|at| *at != self.own),
        });
        Action {
            parents: parents.collect(),
            key: key.map(str::to_owned),
            table: target.unwrap_or(self.own),
            kind,
            content,
        }
    }

    fn kind(&self, content: &Content) -> Kind {
        let operation = self.operation;
        let has_key = ends_with_parameter(&self.path);
        let is_single = self.table().is_single;
        let last = self.path.trim_end_matches('/').rsplit('/').next();
        let verb = last.unwrap_or_default().to_owned();
        match operation.method {
            Method::GET | Method::HEAD => match content {
                Content::List { .. } => Kind::List,
                _ if has_key => Kind::Read,
                _ => Kind::ReadSingle,
            },
            Method::POST if has_key => Kind::Update {
                replaces: false,
                creates: false,
            },
            Method::POST if is_single => Kind::Update {
                replaces: true,
                creates: true,
            },
            Method::POST if self.asks_for_something(content) => Kind::Act(verb),
            Method::POST => Kind::Create,
            Method::DELETE if has_key || is_single => Kind::Delete,
            Method::PUT | Method::PATCH if has_key || is_single => Kind::Update {
                replaces: operation.method == Method::PUT,
                creates: operation.method == Method::PUT
                    && (operation.answers(201) || !self.is_created_by_post()),
            },
            Method::PUT | Method::PATCH if self.has_id_in_body() => Kind::Update {
                replaces: operation.method == Method::PUT,
                creates: operation.method == Method::PUT,
            },
            _ => Kind::Act(verb),
        }
    }

    /// Whether the body of a request to a collection has the id of a row.
    fn has_id_in_body(&self) -> bool {
        let body = self.operation.bodies.first();
        let schema = body.and_then(|body| body.schema.as_ref());
        let id = self.table().id.as_ref();
        schema.zip(id).is_some_and(|(schema, id)| {
            properties_at(self.description.schemas(), schema.place()).contains(id)
        })
    }

    fn table(&self) -> &Table {
        &self.tables[self.own]
    }

    fn is_created_by_post(&self) -> bool {
        self.table().has_create
    }

    /// Whether the operation makes an existing row do something, as `POST /orders/{id}/cancel` does, and creates no
    /// row.
    fn asks_for_something(&self, content: &Content) -> bool {
        let mut segments = self.path.trim_matches('/').rsplit('/').skip(1);
        let follows_parameter = segments.next().is_some_and(|it| it.contains('{'));
        let table = self.table();
        let is_read = self
            .description
            .operations()
            .iter()
            .any(|it| it.method == Method::GET && table.has_path(&template(&it.path)));
        if !follows_parameter || is_read {
            return false;
        }
        let parent = self.table_before(parameters(&self.path).last().copied());
        let Some(place) = content.place() else {
            return true;
        };
        let properties: BTreeSet<_> = properties_at(self.description.schemas(), place);
        let is_parent = |at: usize| self.tables[at].likeness(&properties) >= SAME;
        parent.is_some_and(is_parent) || !properties.contains("id")
    }

    /// Returns the table of the resource that a parameter names.
    fn table_before(&self, parameter: Option<&str>) -> Option<usize> {
        let path = &self.path;
        let (before, _) = path.split_once(&format!("{{{}}}", parameter?))?;
        let template = template(before);
        let collection = template.rsplit('/').find(|segment| *segment != "*")?;
        let mut tables = self.tables.iter().enumerate();
        let own = |(_, table): &(usize, &Table)| !table.is_single && table.has_path(&template);
        let same = |(_, table): &(usize, &Table)| {
            !table.is_single && table.collection == collection && table.id.is_some()
        };
        let found = tables.clone().find(own).or_else(|| tables.find(same));
        found.map(|(at, _)| at)
    }
}

/// Returns the names of the parameters of a path.
fn parameters(path: &str) -> Vec<&str> {
    let opened = path.split('{').skip(1);
    opened
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .collect()
}
