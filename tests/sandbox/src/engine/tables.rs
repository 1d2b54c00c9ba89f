//! Derives tables from the paths: a table holds the rows of one schema in one collection, which is the last fixed
//! segment of a path.
//!
//! `/accounts/{id}/orders` and `/orders/{id}` have the same orders, because their collections and schemas are the same.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use super::responses::{Content, content};
use super::words::{self, is_one_of, plain, singular};
use crate::description::{Description, Operation, Schema, Shape};

/// Two schemas count as the same if they have this share of their properties in common.
pub(super) const SAME: f64 = 0.6;

/// The rows of one schema in one collection.
#[derive(Debug)]
pub(super) struct Table {
    /// The collection, or the whole path if several tables have the same collection.
    pub(super) name: String,
    pub(super) collection: String,
    /// The paths of the collection, with `*` for each parameter.
    pub(super) templates: Vec<String>,
    /// Whether a path leads to one resource without an id, such as `/accounts/{id}/balance`.
    pub(super) is_single: bool,
    /// The schema of a row.
    pub(super) schema: Option<Schema>,
    /// The field with the id of a row. Without one, ids are only in paths.
    pub(super) id: Option<String>,
    pub(super) status: Option<StatusField>,
    /// Whether requests create rows, or a file lists the rows at the start. Otherwise the sandbox invents rows.
    pub(super) has_create: bool,
    pub(super) has_list: bool,
    properties: BTreeSet<String>,
}

/// The field with the status of a row.
#[derive(Debug)]
pub(super) struct StatusField {
    pub(super) name: String,
    pub(super) values: Vec<String>,
    pub(super) default: Option<String>,
}

impl Table {
    /// Whether the path of an operation belongs to this table.
    pub(super) fn has_path(&self, template: &str) -> bool {
        self.templates.iter().any(|own| own == template)
    }

    /// Returns the names of one of the table's resources, such as `ORDER` and `PORTFOLIO_ORDER` for
    /// `/portfolios/orders`.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for template in &self.templates {
            let fixed: Vec<_> = template.split('/').filter(|it| *it != "*").collect();
            for from in (0..fixed.len()).rev() {
                let words: Vec<_> = fixed[from..].iter().map(|word| singular(word)).collect();
                let name = words.join("_").replace('-', "_").to_ascii_uppercase();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Returns the share of `properties` that the table's schema has.
    pub(super) fn likeness(&self, properties: &BTreeSet<String>) -> f64 {
        likeness(&self.properties, properties)
    }
}

/// Derives all tables, and for each operation the index of its table.
pub(super) fn tables(description: &Description) -> (Vec<Table>, Vec<usize>) {
    let mut groups: Vec<Group> = Vec::new();
    for (at, operation) in description.operations().iter().enumerate() {
        let template = template(&operation.path);
        match groups.iter_mut().find(|group| group.template == template) {
            Some(group) => group.operations.push(at),
            None => groups.push(Group {
                template,
                operations: vec![at],
            }),
        }
    }
    let mut tables: Vec<Table> = Vec::new();
    let mut of_operation = vec![0; description.operations().len()];
    // Larger schemas come first, so that a response with an id alone finds the table of the whole resource.
    let mut found: Vec<_> = groups
        .iter()
        .map(|group| (group, group.table(description)))
        .collect();
    found.sort_by_key(|(group, table)| {
        (
            std::cmp::Reverse(table.properties.len()),
            group.template.matches('/').count(),
        )
    });
    for (group, table) in found {
        let same = tables.iter().position(|known| {
            known.collection == table.collection
                && known.is_single == table.is_single
                && known.likeness(&table.properties) >= SAME
        });
        let same = same.or_else(|| tables.iter().position(|known| is_view(&table, known)));
        let at = same.unwrap_or(tables.len());
        match tables.get_mut(at) {
            Some(known) => known.absorb(table),
            None => tables.push(table),
        }
        for operation in &group.operations {
            of_operation[*operation] = at;
        }
    }
    name_all(&mut tables);
    (tables, of_operation)
}

/// Whether `table` is only a list of the rows of `of`. `/pets/findByStatus` is one of the rows of `/pets`: no operation
/// creates rows in it.
fn is_view(table: &Table, of: &Table) -> bool {
    let mut templates = table.templates.iter();
    let is_below = templates.any(|template| {
        let collection = template.rsplit_once('/').map(|(collection, _)| collection);
        collection.is_some_and(|collection| of.has_path(collection))
    });
    is_below
        && table.has_list
        && !table.has_create
        && !of.is_single
        && table.properties == of.properties
}

/// The operations on one path, with and without an id at its end.
struct Group {
    template: String,
    operations: Vec<usize>,
}

impl Group {
    fn table(&self, description: &Description) -> Table {
        let operations: Vec<_> = self
            .operations
            .iter()
            .map(|at| &description.operations()[*at])
            .collect();
        let document = description.schemas();
        let mut schema: Option<(usize, String)> = None;
        let mut properties = BTreeSet::new();
        let mut has_list = false;
        let mut reads_without_id = false;
        for operation in &operations {
            let content = content(document, operation);
            has_list |= matches!(content, Content::List { .. }) && operation.method == Method::GET;
            reads_without_id |= matches!(content, Content::Item { .. })
                && operation.method == Method::GET
                && !ends_with_parameter(&operation.path);
            let Some(place) = content.place() else {
                continue;
            };
            let own = properties_at(document, place);
            // The schema of an operation on the resource itself takes precedence over that of a list.
            if schema.as_ref().is_none_or(|(most, _)| own.len() > *most) {
                schema = Some((own.len(), place.to_owned()));
                properties = own;
            }
        }
        let has_item_path = operations.iter().any(|it| ends_with_parameter(&it.path));
        let is_single = reads_without_id && !has_list && !has_item_path;
        let has_create = operations.iter().any(|it| creates(it));
        let parameter = operations.iter().find_map(|it| last_parameter(&it.path));
        let collection = fixed_segments(&self.template).last().cloned();
        let collection = collection.unwrap_or_default();
        let schema = schema.map(|(_, place)| description.schema_at(&place));
        let shape = schema.as_ref().and_then(|it| document.pointer(it.place()));
        let shape = shape.map(|schema| Shape::of(document, schema));
        Table {
            name: String::new(),
            id: shape
                .as_ref()
                .and_then(|shape| id_field(shape, &collection, parameter)),
            status: shape.as_ref().and_then(|it| status_field(document, it)),
            collection,
            templates: vec![self.template.clone()],
            is_single,
            schema,
            has_create,
            has_list,
            properties,
        }
    }
}

impl Table {
    fn absorb(&mut self, other: Table) {
        self.templates.extend(other.templates);
        self.has_create |= other.has_create;
        self.has_list |= other.has_list;
        self.id = self.id.take().or(other.id);
        self.status = self.status.take().or(other.status);
        self.schema = self.schema.take().or(other.schema);
    }
}

/// Gives the tables the shortest names that differ.
fn name_all(tables: &mut [Table]) {
    let collections: Vec<_> = tables
        .iter()
        .map(|table| table.collection.clone())
        .collect();
    for table in tables {
        let same = collections.iter().filter(|it| **it == table.collection);
        table.templates.sort_by_key(String::len);
        table.name = match (same.count(), table.templates.first()) {
            (2.., Some(template)) => fixed_segments(template).join("/"),
            _ => table.collection.clone(),
        };
    }
}

/// Turns a verb after a colon into a segment of its own: `/orders/{id}:cancel` into `/orders/{id}/cancel`.
pub(super) fn with_verb(path: &str) -> String {
    path.replace("}:", "}/")
}

/// Returns a path without the parameters at its end, and with `*` for the other parameters.
pub(super) fn template(path: &str) -> String {
    let path = with_verb(path);
    let segments = path.trim_matches('/').split('/');
    let mut segments: Vec<_> = segments
        .map(|segment| if segment.contains('{') { "*" } else { segment })
        .collect();
    while segments.last() == Some(&"*") {
        segments.pop();
    }
    segments.join("/")
}

pub(super) fn ends_with_parameter(path: &str) -> bool {
    with_verb(path).trim_end_matches('/').ends_with('}')
}

/// Returns the name of the parameter at the end of a path.
pub(super) fn last_parameter(path: &str) -> Option<&str> {
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    let (_, name) = last.rsplit_once('{')?;
    name.strip_suffix('}')
}

fn fixed_segments(template: &str) -> Vec<String> {
    let segments = template.split('/').filter(|segment| *segment != "*");
    segments.map(str::to_owned).collect()
}

/// Whether an operation creates a row, with `POST` to a collection.
fn creates(operation: &Operation) -> bool {
    operation.method == Method::POST && !ends_with_parameter(&operation.path)
}

pub(super) fn properties_at(document: &Value, place: &str) -> BTreeSet<String> {
    let schema = document.pointer(place);
    let shape = schema.map(|schema| Shape::of(document, schema));
    let properties = shape.map(|shape| shape.properties()).unwrap_or_default();
    properties
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Returns the share of properties that two schemas have in common. A schema of few properties, such as an id,
/// resembles every schema that has all of them.
fn likeness(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let common = one.intersection(other).count();
    let fewer = one.len().min(other.len());
    if fewer == 0 || fewer <= 3 && common == fewer {
        return 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "schemas have few properties")]
    let share = common as f64 / one.union(other).count() as f64;
    share
}

/// Finds the field with the id: its name is that of the parameter, or `id`, or that of the parameter without the
/// collection.
fn id_field(shape: &Shape<'_>, collection: &str, parameter: Option<&str>) -> Option<String> {
    let properties = shape.properties();
    let find = |wanted: &str| {
        let named = properties.iter().find(|(name, _)| plain(name) == wanted);
        named.map(|(name, _)| (*name).to_owned())
    };
    let one = plain(&singular(collection));
    let by_parameter = parameter.and_then(|parameter| {
        let parameter = plain(parameter);
        let short = parameter.strip_prefix(&one).map(str::to_owned);
        find(&parameter)
            .filter(|_| parameter != one || find("id").is_none())
            .or_else(|| find(&short.filter(|short| !short.is_empty())?))
    });
    by_parameter
        .or_else(|| find("id"))
        .or_else(|| find(&format!("{one}id")))
        .or_else(|| find("uuid"))
        .or_else(|| find("key"))
}

fn status_field(document: &Value, shape: &Shape<'_>) -> Option<StatusField> {
    let properties = shape.properties();
    let (name, schema) = properties
        .iter()
        .find(|(name, _)| is_one_of(name, &words::STATUS))?;
    let status = Shape::of(document, schema);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let values: Vec<_> = status.values()?.into_iter().filter_map(text).collect();
    (!values.is_empty()).then(|| StatusField {
        name: (*name).to_owned(),
        values,
        default: status.keyword("default").and_then(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_parameters_are_those_of_the_path() {
        assert_eq!(template("/accounts/{id}/orders"), "accounts/*/orders");
        assert_eq!(template("/fees/{group}/{id}"), "fees");
        assert_eq!(template("/orders/{id}:cancel"), "orders/*/cancel");
        assert_eq!(last_parameter("/orders/{order_id}"), Some("order_id"));
        assert_eq!(last_parameter("/orders"), None);
    }
}
