//! Serves lists: selects the rows that match a request, sorts them, cuts a page, and makes the fields around it.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::Engine;
use super::actions::Action;
use super::references::id_text;
use super::request::Request;
use super::tables::Table;
use super::words::{self, is_one_of, plain};
use crate::description::{Operation, Parameter, Shape};
use crate::domain::rows::{Row, TableRows};
use crate::domain::state::State;

/// The page size of a list whose description gives none.
const USUAL_LIMIT: u64 = 100;

/// A page of a list.
pub(super) struct Page<'a> {
    pub(super) rows: Vec<&'a Row>,
    facts: PageFacts,
}

/// The facts about a page that a response can contain.
#[derive(Clone, Copy)]
struct PageFacts {
    offset: u64,
    limit: u64,
    count: u64,
    total: u64,
}

impl Engine {
    /// Returns the page of a list that a request asks for.
    pub(super) fn page<'a>(
        &self,
        state: &'a State,
        operation: &Operation,
        action: &Action,
        request: Request<'_>,
    ) -> Page<'a> {
        let table = &self.tables[action.table];
        let filters = self.filters(table, operation, request);
        let all = state.rows.table(&table.name);
        let mut found: Vec<_> = all
            .into_iter()
            .flat_map(|rows| candidates(rows, action, request))
            .filter(|row| self.is_asked_for(state, row, action, request))
            .filter(|row| filters.iter().all(|filter| filter.fits(row)))
            .collect();
        sort(&mut found, operation, request);
        let total = found.len() as u64;
        let bounds = Bounds::of(operation, request);
        let offset = usize::try_from(bounds.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(bounds.limit).unwrap_or(usize::MAX);
        let rows: Vec<_> = found.into_iter().skip(offset).take(limit).collect();
        let facts = PageFacts {
            offset: bounds.offset,
            limit: bounds.limit,
            count: rows.len() as u64,
            total,
        };
        Page { rows, facts }
    }

    /// Whether a row belongs to the resources in the path.
    fn is_asked_for(
        &self,
        state: &State,
        row: &Row,
        action: &Action,
        request: Request<'_>,
    ) -> bool {
        action.parents.iter().all(|parent| {
            let id = request.parameter(&parent.parameter).unwrap_or_default();
            let is_own_id = parent.table.is_none() && row.id == id;
            is_own_id || self.belongs(state, row, &parent.parameter, id)
        })
    }

    /// Returns what the query asks for. A parameter that is not given has its default.
    fn filters<'a>(
        &self,
        table: &Table,
        operation: &'a Operation,
        request: Request<'_>,
    ) -> Vec<Filter<'a>> {
        let parameters = operation.parameters.iter().filter(|it| !it.is_path);
        let parameters = parameters.filter(|it| !is_of_pages(&it.name));
        let filters = parameters.map(|parameter| {
            let given = request
                .query
                .iter()
                .filter(|(name, _)| *name == parameter.name);
            let mut wanted: Vec<String> = given
                .flat_map(|(_, value)| parameter.values(value))
                .map(str::to_owned)
                .collect();
            if wanted.is_empty() {
                wanted = self.default_values(table, parameter);
            }
            Filter {
                parameter: &parameter.name,
                wanted,
            }
        });
        filters.filter(|it| !it.wanted.is_empty()).collect()
    }

    /// Returns the default of a parameter, if it is meant as a filter: all of its values are values of the field.
    /// `ALL` is not, if it is no status.
    fn default_values(&self, table: &Table, parameter: &Parameter) -> Vec<String> {
        let defaults = match &parameter.default {
            Some(Value::Array(items)) => items.iter().filter_map(text_of).collect(),
            Some(Value::String(text)) => {
                let values = parameter.values(text).into_iter();
                values.map(str::to_owned).collect()
            }
            Some(value) => text_of(value).into_iter().collect(),
            None => Vec::new(),
        };
        let known = if defaults.is_empty() {
            Vec::new()
        } else {
            self.values_of_field(table, &parameter.name)
        };
        let is_filter = defaults
            .iter()
            .all(|value| !value.is_empty() && known.contains(value));
        if is_filter { defaults } else { Vec::new() }
    }

    /// Returns the values that the schema lists for the field after which a parameter is named, or for its items.
    fn values_of_field(&self, table: &Table, parameter: &str) -> Vec<String> {
        let properties = self.shape(table).map(|shape| shape.properties());
        let properties = properties.unwrap_or_default().into_iter();
        let Some(schema) = named_after(parameter, properties) else {
            return Vec::new();
        };
        let document = self.description.schemas();
        let field = Shape::of(document, schema);
        let items = field.items().map(|items| Shape::of(document, items));
        let values = items.unwrap_or(field).values().unwrap_or_default();
        values.into_iter().filter_map(text_of).collect()
    }
}

/// The values that the field after which a parameter is named must have.
struct Filter<'a> {
    parameter: &'a str,
    wanted: Vec<String>,
}

impl Filter<'_> {
    /// Whether a row has one of the values, or no such field.
    fn fits(&self, row: &Row) -> bool {
        match field_of(row, self.parameter) {
            Some(Value::Array(items)) => items.iter().any(|item| is_any(item, &self.wanted)),
            Some(value) => is_any(value, &self.wanted),
            None => match row.links.get(self.parameter) {
                Some(link) => self.wanted.contains(link),
                None => true,
            },
        }
    }
}

/// Returns the rows that can belong to the resources in the path. If each row of the table has a link, they are looked
/// up instead of scanned.
fn candidates<'a>(rows: &'a TableRows, action: &Action, request: Request<'_>) -> Vec<&'a Row> {
    let parent = action.parents.iter().find(|it| it.table.is_some());
    let linked = parent.and_then(|parent| {
        let id = request.parameter(&parent.parameter)?;
        rows.linked(&parent.parameter, id)
    });
    linked.unwrap_or_else(|| rows.all().collect())
}

/// Returns the field after which a parameter is named.
fn field_of<'a>(row: &'a Row, parameter: &str) -> Option<&'a Value> {
    let fields = row.value.as_object()?.iter();
    named_after(
        parameter,
        fields.map(|(name, value)| (name.as_str(), value)),
    )
}

/// Returns the one of `fields` after which a parameter is named. The name of a parameter with a list is a plural.
fn named_after<'a>(
    parameter: &str,
    mut fields: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
) -> Option<&'a Value> {
    let wanted = plain(parameter);
    let one = plain(&words::singular(parameter));
    let same = fields.clone().find(|(name, _)| plain(name) == wanted);
    let (_, value) = same.or_else(|| fields.find(|(name, _)| plain(name) == one))?;
    Some(value)
}

fn is_any(value: &Value, wanted: &[String]) -> bool {
    text_of(value).is_some_and(|text| wanted.contains(&text))
}

/// A value as it stands in a query.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        value => id_text(value),
    }
}

fn is_of_pages(name: &str) -> bool {
    let words = [
        words::LIMIT.as_slice(),
        &words::OFFSET,
        &words::PAGE,
        &words::CURSOR,
        &words::SORT,
        &words::ORDER,
    ];
    words.iter().any(|words| is_one_of(name, words))
}

/// The start of a page, and its maximum number of items.
struct Bounds {
    offset: u64,
    limit: u64,
}

impl Bounds {
    fn of(operation: &Operation, request: Request<'_>) -> Self {
        let has_pages = operation.parameters.iter().any(|it| {
            let name = &it.name;
            is_one_of(name, &words::LIMIT)
                || is_one_of(name, &words::OFFSET)
                || is_one_of(name, &words::PAGE)
                || is_one_of(name, &words::CURSOR)
        });
        let usual = if has_pages { USUAL_LIMIT } else { u64::MAX };
        let limit = number(operation, request, &words::LIMIT).unwrap_or(usual);
        let offset = number(operation, request, &words::OFFSET);
        let cursor = || number(operation, request, &words::CURSOR);
        let page = || {
            let page = number(operation, request, &words::PAGE)?;
            Some(page.saturating_sub(1).saturating_mul(limit))
        };
        Self {
            offset: offset.or_else(cursor).or_else(page).unwrap_or(0),
            limit,
        }
    }
}

/// Returns a number in the query, or else its default.
fn number(operation: &Operation, request: Request<'_>, words: &[&str]) -> Option<u64> {
    let mut parameters = operation.parameters.iter();
    let parameter = parameters.find(|it| !it.is_path && is_one_of(&it.name, words))?;
    let mut given = request.query.iter();
    match given.find(|(name, _)| *name == parameter.name) {
        // A number that is too large is after the end of every list.
        Some((_, text)) if !text.is_empty() => Some(text.parse().unwrap_or(u64::MAX)),
        _ => parameter.default.as_ref()?.as_u64(),
    }
}

/// Sorts by the field that the request names. Without one, rows are in the order of their creation.
fn sort(rows: &mut [&Row], operation: &Operation, request: Request<'_>) {
    let text = |words: &[&str]| {
        let mut parameters = operation.parameters.iter();
        let parameter = parameters.find(|it| !it.is_path && is_one_of(&it.name, words))?;
        let mut given = request.query.iter();
        let given = given.find(|(name, _)| *name == parameter.name);
        let default = || parameter.default.as_ref()?.as_str();
        given.map(|(_, text)| text.as_str()).or_else(default)
    };
    let field = text(&words::SORT);
    let order = text(&words::ORDER).unwrap_or_default().to_ascii_lowercase();
    let descends = order.starts_with("desc") || field.is_some_and(|it| it.starts_with('-'));
    if let Some(field) = field {
        let field = field.trim_start_matches(['-', '+']);
        rows.sort_by(|one, other| compare(field_of(one, field), field_of(other, field)));
    }
    if descends {
        rows.reverse();
    }
}

fn compare(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => {
            let one = one.as_f64().unwrap_or_default();
            one.total_cmp(&other.as_f64().unwrap_or_default())
        }
        (Some(Value::String(one)), Some(Value::String(other))) => one.cmp(other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

impl Page<'_> {
    /// Returns the known values of the fields around the items. The usual names of such fields identify them.
    pub(super) fn envelope(&self, document: &Value, schema: &Value, request: Request<'_>) -> Value {
        self.facts.fields(document, schema, request, 0)
    }

    /// Returns the total, if a header with this name is for the total.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.facts.named(name).filter(Value::is_u64)?;
        Some(value.to_string())
    }
}

impl PageFacts {
    fn fields(self, document: &Value, schema: &Value, request: Request<'_>, depth: usize) -> Value {
        let shape = Shape::of(document, schema);
        let required = shape.required();
        let mut fields = Map::new();
        let mut has_total = false;
        for (name, schema) in shape.properties() {
            let is_total = is_one_of(name, &words::TOTAL);
            // The total is written only once if the description has several fields for it.
            if is_total && has_total && !required.contains(&name) {
                continue;
            }
            has_total |= is_total;
            let property = Shape::of(document, schema);
            let kind = property.kind();
            let value = match kind {
                Some("object") if depth < 2 => {
                    Some(self.fields(document, schema, request, depth + 1))
                }
                Some("array") => None,
                _ => of_request(name, request).or_else(|| self.named(name)),
            };
            let Some(value) = value else { continue };
            // A cursor can be a text, and a next page a number.
            let value = match (kind, value) {
                (Some("string"), Value::Number(number)) => json!(number.to_string()),
                (Some("string"), Value::Bool(_)) => continue,
                (_, value) => value,
            };
            fields.insert(name.to_owned(), value);
        }
        Value::Object(fields)
    }

    fn named(self, name: &str) -> Option<Value> {
        let is = |words: &[&str]| is_one_of(name, words);
        let page = self.offset.checked_div(self.limit).unwrap_or(0);
        let page = page.saturating_add(1);
        let end = self.offset.saturating_add(self.count);
        let has_more = end < self.total;
        if is(&words::TOTAL) {
            Some(json!(self.total))
        } else if is(&words::COUNT) {
            Some(json!(self.count))
        } else if is(&words::LIMIT) {
            Some(json!(self.limit.min(self.total.max(USUAL_LIMIT))))
        } else if is(&words::OFFSET) {
            Some(json!(self.offset))
        } else if is(&words::PAGES) {
            Some(json!(self.total.div_ceil(self.limit.max(1))))
        } else if is(&words::PAGE) {
            Some(json!(page))
        } else if is(&words::MORE) {
            Some(json!(has_more))
        } else if is(&words::NEXT) {
            Some(if has_more { json!(end) } else { Value::Null })
        } else {
            None
        }
    }
}

/// Returns the value of a field that repeats a parameter, such as `sort` or an id in the path.
fn of_request(name: &str, request: Request<'_>) -> Option<Value> {
    let mut given = request.path.iter().chain(request.query);
    let is_number = is_one_of(name, &words::LIMIT) || is_one_of(name, &words::OFFSET);
    let (_, value) = given.find(|(known, _)| known == name && !is_number)?;
    Some(json!(value))
}
