//! Writes responses with the status, the headers, the media type and the body that the description defines.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::Engine;
use super::actions::Kind;
use super::listing::Page;
use super::request::{Request, Response};
use super::responses::Content;
use super::tables::SAME;
use super::tables::properties_at;
use super::values::Fill;
use crate::description::{self, Schema, is_json};
use crate::domain::rows::Row;

/// The smallest file that programs open as a PDF.
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";
/// Headers that the server sets itself. The description's values for these headers are ignored.
const SERVER_HEADERS: [&str; 7] = [
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "upvest-request-id",
    "date",
    "connection",
];

impl Engine {
    /// Returns the status of the successful response.
    pub(super) fn status_of_response(&self, at: usize) -> u16 {
        let operation = self.operation(at);
        let response = operation.success();
        response.map_or(204, |response| response.code(&operation.method))
    }

    /// Returns a response with a row, if the description defines a body.
    pub(super) fn response_with(
        &self,
        at: usize,
        row: Option<&Row>,
        now: DateTime<Utc>,
        request: Request<'_>,
    ) -> Response {
        let body = |schema: &Schema| self.body_with(at, schema, row, now, request);
        let mut written = self.write(at, now, request, body, |_| None);
        let location = self.location(at, row);
        if let Some(location) = location {
            let mut headers = written.headers.iter_mut();
            let header = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"));
            if let Some((_, value)) = header {
                *value = location;
            }
        }
        written
    }

    /// Returns a response with a page of a list.
    pub(super) fn response_with_page(
        &self,
        at: usize,
        page: &Page<'_>,
        now: DateTime<Utc>,
        request: Request<'_>,
    ) -> Response {
        let body = |schema: &Schema| self.body_with_page(at, schema, page, now, request);
        self.write(at, now, request, body, |name| page.header(name))
    }

    fn write(
        &self,
        at: usize,
        now: DateTime<Utc>,
        request: Request<'_>,
        body: impl Fn(&Schema) -> Value,
        header: impl Fn(&str) -> Option<String>,
    ) -> Response {
        let operation = self.operation(at);
        let Some(response) = operation.success() else {
            return Response {
                status: 204,
                media_type: String::new(),
                headers: Vec::new(),
                body: Bytes::new(),
            };
        };
        let chosen = media_type(response, request.accept);
        let (media_type, content) = match chosen {
            None => (String::new(), Bytes::new()),
            Some((media_type, schema)) if is_json(media_type) => {
                let value = schema.as_ref().map_or_else(|| json!({}), body);
                (concrete(media_type), value.to_string().into())
            }
            Some((media_type, schema)) => {
                let value = schema.as_ref().map(body).unwrap_or_default();
                (media_type.clone(), file(media_type, &value))
            }
        };
        Response {
            status: response.code(&operation.method),
            headers: self.headers(response, now, header),
            media_type,
            body: content,
        }
    }

    /// Returns the described headers, with values that match their schemas.
    fn headers(
        &self,
        response: &description::Response,
        now: DateTime<Utc>,
        known: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let document = self.description.schemas();
        let described = response.headers.iter();
        let described = described
            .filter(|(name, _)| !SERVER_HEADERS.contains(&name.to_ascii_lowercase().as_str()));
        let headers = described.map(|(name, place)| {
            let sample = || {
                let schema = place.as_ref().and_then(|place| document.pointer(place));
                let mut maker = self.maker(now, random_of(0), Fill::Known);
                schema.map(|schema| maker.value(schema, None, name))
            };
            let made = || match sample()? {
                Value::String(text) => Some(text),
                value => Some(value.to_string()),
            };
            let value = known(name).or_else(made);
            (name.clone(), value.unwrap_or_else(|| name.clone()))
        });
        headers.collect()
    }

    fn body_with(
        &self,
        at: usize,
        schema: &Schema,
        row: Option<&Row>,
        now: DateTime<Utc>,
        request: Request<'_>,
    ) -> Value {
        let action = &self.actions[at];
        let known = self.known_of(at, row, request);
        let known = match &action.content {
            Content::Item { field: None, .. } | Content::Nothing => known,
            Content::List { field: None, .. } => json!([known]),
            Content::Item {
                field: Some(field), ..
            } => json!({ field: known }),
            Content::List {
                field: Some(field), ..
            } => json!({ field: [known] }),
        };
        if self.is_schema_of_rows(at, schema) && action.kind != Kind::ReadSingle {
            return known;
        }
        let number = row.map_or(0, |row| row.number);
        let mut maker = self.maker(now, random_of(number), Fill::Known);
        maker.valid_value(schema, Some(&known), "")
    }

    /// Returns the known values of the only item of a response.
    fn known_of(&self, at: usize, row: Option<&Row>, request: Request<'_>) -> Value {
        let action = &self.actions[at];
        let table = &self.tables[action.table];
        let is_like_table = || {
            let place = action.content.place()?;
            let properties = properties_at(self.description.schemas(), place);
            Some(table.likeness(&properties) >= SAME)
        };
        let is_about_row = !matches!(action.kind, Kind::Act(_)) || is_like_table() == Some(true);
        if let Some(row) = row.filter(|_| is_about_row) {
            return row.value.clone();
        }
        let mut known = request.body.as_object().cloned().unwrap_or_default();
        for (name, value) in request.path {
            known.entry(name).or_insert(json!(value));
        }
        Value::Object(known)
    }

    /// Whether the rows were made for this schema, so that they match it without changes.
    fn is_schema_of_rows(&self, at: usize, schema: &Schema) -> bool {
        let table = &self.tables[self.actions[at].table];
        let document = self.description.schemas();
        let own = table
            .schema
            .as_ref()
            .and_then(|own| document.pointer(own.place()));
        let other = document.pointer(schema.place());
        own.zip(other).is_some_and(|(own, other)| own == other)
    }

    fn body_with_page(
        &self,
        at: usize,
        schema: &Schema,
        page: &Page<'_>,
        now: DateTime<Utc>,
        request: Request<'_>,
    ) -> Value {
        let Content::List { place, field } = &self.actions[at].content else {
            return Value::Null;
        };
        let item_schema = self.description.schema_at(place);
        let is_of_rows = self.is_schema_of_rows(at, &item_schema);
        let items = page.rows.iter().map(|row| {
            if is_of_rows {
                return row.value.clone();
            }
            let mut maker = self.maker(now, random_of(row.number), Fill::Known);
            maker.valid_value(&item_schema, Some(&row.value), "")
        });
        let items: Vec<_> = items.collect();
        let Some(field) = field else {
            return Value::Array(items);
        };
        // The fields around the items are made for an empty list, so that no item is made twice.
        let document = self.description.schemas();
        let definition = document
            .pointer(schema.place())
            .cloned()
            .unwrap_or_default();
        let mut known = page.envelope(document, &definition, request);
        known[field] = json!([]);
        let mut maker = self.maker(now, random_of(0), Fill::Known);
        let mut envelope = maker.value(&definition, Some(&known), "");
        if let Value::Object(fields) = &mut envelope {
            fields.insert(field.clone(), Value::Array(items));
        }
        envelope
    }

    /// Returns the path of a row, for the header `location`.
    fn location(&self, at: usize, row: Option<&Row>) -> Option<String> {
        let row = row?;
        let table = self.actions[at].table;
        let mut reads = self.actions.iter().enumerate();
        let (read, action) =
            reads.find(|(_, action)| action.kind == Kind::Read && action.table == table)?;
        let key = action.key.as_ref()?;
        let path = self
            .operation(read)
            .path
            .replace(&format!("{{{key}}}"), &row.id);
        let with_parents = action.parents.iter().fold(path, |path, parent| {
            let id = row.links.get(&parent.parameter).cloned();
            path.replace(
                &format!("{{{}}}", parent.parameter),
                &id.unwrap_or_default(),
            )
        });
        Some(with_parents)
    }
}

/// Returns a random number generator that is the same for each response about a row.
pub(super) fn random_of(number: u64) -> StdRng {
    StdRng::seed_from_u64(number)
}

/// Returns the media type that the caller prefers, or JSON without a preference.
fn media_type<'a>(
    response: &'a description::Response,
    accept: &str,
) -> Option<&'a (String, Option<Schema>)> {
    let ranges = accept.split(',').filter_map(|range| {
        let range = range.split(';').next()?.trim();
        (!range.is_empty() && range != "*/*").then_some(range)
    });
    let content = response.content.iter();
    for range in ranges {
        let mut fitting = content.clone();
        let prefix = range.strip_suffix('*');
        let found = fitting.find(|(offered, _)| {
            prefix.map_or(offered == range, |prefix| offered.starts_with(prefix))
        });
        if found.is_some() {
            return found;
        }
    }
    let mut json = content.clone();
    json.find(|(offered, _)| is_json(offered))
        .or_else(|| response.content.first())
}

/// Returns a media type that can be sent.
fn concrete(media_type: &str) -> String {
    if media_type.contains('*') {
        "application/json".to_owned()
    } else {
        media_type.to_owned()
    }
}

/// Makes a file of a media type.
fn file(media_type: &str, value: &Value) -> Bytes {
    match (media_type, value) {
        ("application/pdf", _) => Bytes::from_static(PDF),
        ("text/csv", Value::Object(fields)) => csv(fields).into(),
        (_, Value::String(text)) => text.clone().into(),
        (_, Value::Null) => Bytes::from_static(b"content\n"),
        (_, value) => value.to_string().into(),
    }
}

fn csv(fields: &Map<String, Value>) -> String {
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    let values: Vec<_> = fields.values().map(ToString::to_string).collect();
    format!("{}\n{}\n", names.join(","), values.join(","))
}
