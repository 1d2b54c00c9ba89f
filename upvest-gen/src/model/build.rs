//! Builds the model of an API from its description.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToPascalCase;
use serde_json::Value;

use super::names;
use super::read::{Context, Reader};
use super::{
    Answer, Api, Body, Content, Encoding, Event, Operation, Paging, Parameter, Place, Schema,
    Shape, Type, Variant,
};
use crate::document;
use crate::error::Error;
use crate::normalize::normalize;
use crate::pointer;

/// Headers that the transport adds. They are not parameters of an operation.
const TRANSPORT_HEADERS: [&str; 7] = [
    "accept",
    "authorization",
    "signature",
    "signature-input",
    "upvest-client-id",
    "upvest-api-version",
    IDEMPOTENCY_KEY,
];

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Reads a description and finds all its problems in one run. An operation with a problem is left out.
pub(crate) fn build(document: &Value) -> Result<Api, Vec<Error>> {
    let reader = Reader::new(document);
    let taken = BTreeSet::new();
    let mut builder = Builder {
        document,
        reader,
        taken,
        errors: Vec::new(),
    };
    let mut left_out = document::problems_of_paths(document);
    let mut operations = Vec::new();
    for found in document::operations(document) {
        let known = builder.reader.errors.len();
        let operation = builder.operation(&found);
        // A problem of a shared schema does not leave out the operation that happens to read it first.
        let is_own = |error: &Error| error.pointer().starts_with(found.item_pointer());
        let mut own = std::mem::take(&mut builder.errors);
        own.extend(
            builder
                .reader
                .errors
                .extract_if(known.., |error| is_own(error)),
        );
        match operation {
            Some(operation) if own.is_empty() => operations.push(operation),
            // A problem of a shared parameter, body or answer leaves out each operation that uses it.
            _ => left_out.extend(own.into_iter().map(|error| {
                if is_own(&error) {
                    error
                } else {
                    error.moved_to(&found.pointer)
                }
            })),
        }
    }
    let Builder { mut reader, .. } = builder;
    let events = events(document, &mut reader, &operations);
    reader.remaining_components();
    let (schemas, enums, ids, notes) = reader.finish()?;
    if operations.is_empty() {
        let none = Error::at(
            "/paths",
            "there are no operations",
            "give a description with operations",
        );
        left_out.extend(notes);
        return Err(if left_out.is_empty() {
            vec![none]
        } else {
            left_out
        });
    }
    let text = |key: &str| {
        document["info"][key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut api = Api {
        title: text("title"),
        version: text("version"),
        operations,
        event_kinds: events.kinds,
        events: events.objects,
        schemas,
        enums,
        ids,
        left_out,
        notes,
    };
    mark_directions(&mut api);
    mark_recursive(&mut api);
    Ok(api)
}

struct Builder<'a> {
    document: &'a Value,
    reader: Reader<'a>,
    /// The ids of operations, and the names of their methods and builders.
    taken: BTreeSet<String>,
    /// The problems of the operation that is being read.
    errors: Vec<Error>,
}

impl<'a> Builder<'a> {
    fn operation(&mut self, found: &document::Operation<'a>) -> Option<Operation> {
        let value = found.value;
        let id = found.id();
        if !self.taken.insert(format!("id {id}")) {
            let at = pointer::join(&found.pointer, "operationId");
            self.error(
                &at,
                format!("two operations have the id `{id}`"),
                "rename one of them",
            );
            return None;
        }
        let (method_name, builder) = self.names(value["x-rust-name"].as_str().unwrap_or(&id));
        let success = self.success(found);
        for (at, response) in &success {
            self.errors.extend(dangling(response, at).err());
        }
        let item = self.item(&success);
        let answer = self.answer(&success, &id, found);
        let parameters = found.parameters(self.document);
        let own = self.parameters(found, &parameters, item.as_deref().unwrap_or(&builder));
        self.check_path(found, &parameters);
        let errors = found
            .responses(self.document)
            .filter(|(status, _)| document::is_error(status));
        let errors = errors
            .map(|(status, response)| (status.to_owned(), text(response, "description")))
            .collect();
        let body = self.body(found, &id);
        let answer = answer?;
        let paging = self.paging(&own, &parameters, &answer);
        let security = value
            .get("security")
            .or_else(|| self.document.get("security"));
        Some(Operation {
            method_name,
            builder,
            method: found.method.to_ascii_uppercase(),
            path: found.path.to_owned(),
            tag: value["tags"][0].as_str().unwrap_or_default().to_owned(),
            summary: text(value, "summary"),
            description: text(value, "description"),
            scopes: scopes(security),
            without_token: !self.needs_token(security),
            idempotency_key: parameters
                .iter()
                .any(|(_, parameter)| is_header(parameter, IDEMPOTENCY_KEY)),
            paging,
            parameters: own,
            body,
            answer,
            errors,
            id,
        })
    }

    /// Whether an operation with these requirements needs a token. A description without any requirements does not say.
    fn needs_token(&self, security: Option<&Value>) -> bool {
        let requirements = security.and_then(Value::as_array).into_iter().flatten();
        let is_required = requirements
            .filter_map(Value::as_object)
            .any(|requirement| !requirement.is_empty());
        is_required || (security.is_none() && !has_security(self.document))
    }

    /// Unique names for the method and the builder.
    fn names(&mut self, id: &str) -> (String, String) {
        let mut method = names::method(id);
        let mut builder = names::builder(id);
        while !self.taken.insert(format!("method {method}")) {
            method.push('_');
        }
        while !self.taken.insert(format!("builder {builder}")) {
            builder.push('_');
        }
        (method, builder)
    }

    fn parameters(
        &mut self,
        found: &document::Operation<'a>,
        all: &[(String, &'a Value)],
        entity: &str,
    ) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for (at, value) in all {
            if TRANSPORT_HEADERS
                .iter()
                .any(|header| is_header(value, header))
            {
                continue;
            }
            match self.parameter(value, at, found, entity) {
                Ok(mut parameter) => {
                    while parameters
                        .iter()
                        .any(|other| other.setter == parameter.setter)
                    {
                        parameter.setter.push('_');
                    }
                    parameters.push(parameter);
                }
                Err(error) => self.errors.push(error),
            }
        }
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        parameters
    }

    fn parameter(
        &mut self,
        value: &'a Value,
        at: &str,
        found: &document::Operation<'a>,
        entity: &str,
    ) -> Result<Parameter, Error> {
        dangling(value, at)?;
        let name = value["name"].as_str().unwrap_or_default();
        let wrong = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
        if name.is_empty() {
            return wrong(
                "the parameter does not have a name".to_owned(),
                "give it a `name`",
            );
        }
        let (place, style) = match value["in"].as_str() {
            Some("path") => (Place::Path, "simple"),
            Some("query") => (Place::Query, "form"),
            Some("header") => (Place::Header, "simple"),
            _ => {
                return wrong(
                    format!("the parameter `{name}` is in {}", value["in"]),
                    "use `path`, `query` or `header`",
                );
            }
        };
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if place == Place::Header && !name.chars().all(is_token) {
            return wrong(
                format!("{name:?} is not the name of a header"),
                "use only the characters that RFC 9110 allows in a header name",
            );
        }
        if place == Place::Path && !found.path.contains(&format!("{{{name}}}")) {
            return wrong(
                format!(
                    "the path parameter `{name}` does not occur in `{}`",
                    found.path
                ),
                "put it into the path, or make it a query parameter",
            );
        }
        if value.get("style").is_some_and(|found| found != style) {
            return wrong(
                format!("the style of `{name}` is {}", value["style"]),
                &format!("use `{style}`"),
            );
        }
        let contents = value.get("content").and_then(Value::as_object);
        let media = contents
            .and_then(|contents| Some((contents.keys().next()?, contents.values().next()?)));
        let (place_of_schema, schema) = match (value.get("schema"), media) {
            (Some(schema), _) => (pointer::join(at, "schema"), schema),
            (None, Some((media_type, media))) if media.get("schema").is_some() => (
                format!(
                    "{}/schema",
                    pointer::join(&pointer::join(at, "content"), media_type)
                ),
                &media["schema"],
            ),
            _ => {
                return wrong(
                    format!("the parameter `{name}` has no schema"),
                    "describe it with `schema`",
                );
            }
        };
        let around = Context {
            parent: entity,
            entity,
            field: name,
        };
        let (kind, _) = self.reader.value(schema, &place_of_schema, &around);
        let is_simple = |kind: &Type| {
            !matches!(
                kind,
                Type::Schema(_) | Type::List(_) | Type::Map(_) | Type::Nullable(_)
            )
        };
        let fits = match &kind {
            Type::List(items) => is_simple(items),
            kind => is_simple(kind),
        };
        if !fits {
            return wrong(
                format!("the value of `{name}` is not a single value"),
                "describe it as a text",
            );
        }
        Ok(Parameter {
            name: name.to_owned(),
            setter: names::setter(value["x-rust-name"].as_str().unwrap_or(name)),
            place,
            required: place == Place::Path || value["required"] == true,
            joined: place == Place::Query
                && value["explode"] == false
                && matches!(kind, Type::List(_)),
            kind,
            description: text(value, "description"),
        })
    }

    fn check_path(&mut self, found: &document::Operation<'a>, parameters: &[(String, &'a Value)]) {
        let path = found.path;
        let at = &found.pointer;
        let outside = path
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        let is_url = outside
            .flat_map(str::chars)
            .all(|c| c.is_ascii_graphic() && !"?#\"<>\\^`|".contains(c));
        let is_closed = path.matches('{').count() == path.matches('}').count();
        if !path.starts_with('/') || !is_url || !is_closed || path.contains(char::is_control) {
            self.error(
                at,
                format!("the path template {path:?} is invalid"),
                "start it with a slash, close each brace, and percent-encode characters that a URL does not allow",
            );
            return;
        }
        for name in path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
        {
            let is_there = |(_, parameter): &(String, &'a Value)| {
                parameter["in"] == "path" && parameter["name"] == name
            };
            if !parameters.iter().any(is_there) {
                self.error(
                    at,
                    format!("`{path}` contains `{name}`, which is not a parameter"),
                    "add the path parameter",
                );
            }
        }
    }

    fn body(&mut self, found: &document::Operation<'a>, id: &str) -> Option<Body> {
        let body = found.value.get("requestBody")?;
        let at = pointer::join(&found.pointer, "requestBody");
        let (at, body) = document::resolve_at(self.document, body, &at);
        if let Err(error) = dangling(body, &at) {
            self.errors.push(error);
            return None;
        }
        let contents = body.get("content").and_then(Value::as_object);
        let encodings = contents
            .into_iter()
            .flatten()
            .filter_map(|(name, media)| Some((encoding(name)?, name, media)));
        let Some((encoding, media_type, media)) =
            encodings.min_by_key(|(encoding, ..)| *encoding as u8)
        else {
            let types: Vec<&str> = contents
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
                .collect();
            self.error(
                &at,
                format!("{id} takes `{}`", types.join("`, `")),
                "use application/json, application/x-www-form-urlencoded, application/octet-stream or text/plain",
            );
            return None;
        };
        let description = text(body, "description");
        let kind = match (encoding, media.get("schema")) {
            (Encoding::Json | Encoding::Form, Some(schema)) => {
                let at = format!(
                    "{}/schema",
                    pointer::join(&pointer::join(&at, "content"), media_type)
                );
                let operation = id.to_pascal_case();
                self.reader
                    .value(
                        schema,
                        &at,
                        &Context {
                            parent: &operation,
                            entity: &operation,
                            field: "body",
                        },
                    )
                    .0
            }
            _ => Type::Json,
        };
        if encoding == Encoding::Form && !self.reader.is_flat(&kind) {
            self.error(
                &at,
                format!("the form of {id} is not an object of single values"),
                "describe its fields as properties that are texts, numbers or booleans",
            );
        }
        Some(Body {
            encoding,
            kind,
            description,
        })
    }

    /// The answers for success, with their places.
    fn success(&self, found: &document::Operation<'a>) -> Vec<(String, &'a Value)> {
        let at = pointer::join(&found.pointer, "responses");
        let responses = found.value["responses"].as_object().into_iter().flatten();
        let success = responses.filter(|(status, _)| document::is_success(status));
        success
            .map(|(status, response)| {
                document::resolve_at(self.document, response, &pointer::join(&at, status))
            })
            .collect()
    }

    /// The entity of the items, if the answer is a list of components or of objects with a title.
    fn item(&self, success: &[(String, &'a Value)]) -> Option<String> {
        let schemas = success.iter().flat_map(|(at, response)| json(response, at));
        let mut items = schemas.filter_map(|(at, schema)| {
            let answer = normalize(self.document, schema, &at).ok()?;
            let data = answer
                .properties
                .into_iter()
                .find(|property| property.name == "data")?;
            let items = normalize(self.document, data.value, &data.at).ok()?.items?;
            let item = normalize(self.document, items.value, &items.at).ok()?;
            item.component
                .map(names::entity)
                .or_else(|| item.text("title").map(|title| self.reader.subject(title)))
        });
        items.next()
    }

    /// The answer for success. An operation has one.
    fn answer(
        &mut self,
        success: &[(String, &'a Value)],
        id: &str,
        found: &document::Operation<'a>,
    ) -> Option<Answer> {
        let at = pointer::join(&found.pointer, "responses");
        let Some((_, first)) = success.first() else {
            self.error(
                &at,
                format!("{id} has no success answer"),
                "describe at least one 2xx answer",
            );
            return None;
        };
        let operation = id.to_pascal_case();
        let around = Context {
            parent: &operation,
            entity: &operation,
            field: "response",
        };
        let mut answers: Vec<Content> = Vec::new();
        for (at, schema) in success.iter().flat_map(|(at, response)| json(response, at)) {
            let answer = match self.reader.list(schema, &at, &around) {
                Some(item) => Content::List(item),
                None => Content::Json(match self.reader.value(schema, &at, &around) {
                    (Type::Json, _) => Type::Json,
                    (kind, true) => Type::Nullable(Box::new(kind)),
                    (kind, false) => kind,
                }),
            };
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
        let is_empty = success
            .iter()
            .all(|(_, response)| media_types(response).next().is_none());
        let content = match answers.as_slice() {
            [] if is_empty => Content::Empty,
            [] => Content::Binary,
            [only] => only.clone(),
            several => {
                let problem = format!("{id} has {} different types for success", several.len());
                self.error(
                    &at,
                    problem,
                    "give all its success answers the same schema, as a call returns one type",
                );
                return None;
            }
        };
        let is_text =
            |media_type: &str| media_type.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        let mut all = success
            .iter()
            .flat_map(|(_, response)| media_types(response));
        if let Some(strange) = all.find(|media_type| !is_text(media_type)) {
            self.error(
                &at,
                format!("the media type {strange:?} is invalid"),
                "use one such as `application/json`",
            );
            return None;
        }
        let is_json = |media_type: &&str| document::is_json(media_type);
        let mut accept: Vec<&str> = Vec::new();
        for media_type in success
            .iter()
            .flat_map(|(_, response)| media_types(response))
        {
            if !accept.contains(&media_type) && (content == Content::Binary || is_json(&media_type))
            {
                accept.push(media_type);
            }
        }
        // If the answer has no content, only errors have a body, which is JSON.
        let accept = if accept.is_empty() {
            "application/json".to_owned()
        } else {
            accept.join(", ")
        };
        let others: Vec<&str> = success
            .iter()
            .flat_map(|(_, response)| media_types(response))
            .filter(|it| !is_json(it))
            .collect();
        let has_both = !others.is_empty() && content != Content::Binary;
        let download = has_both.then(|| others.join(", "));
        Some(Answer {
            content,
            accept,
            download,
            description: text(first, "description"),
        })
    }

    /// The bounds of `limit`, if the answer is a list and the operation has numeric parameters `offset` and `limit`.
    fn paging(
        &mut self,
        own: &[Parameter],
        parameters: &[(String, &'a Value)],
        answer: &Answer,
    ) -> Option<Paging> {
        let find = |name: &str| {
            let mut queries = own
                .iter()
                .filter(|parameter| parameter.place == Place::Query);
            queries.find(|parameter| parameter.name == name)
        };
        let offset = find("offset")?;
        let limit = find("limit")?;
        if !matches!(answer.content, Content::List(_)) {
            return None;
        }
        let (at, value) = parameters
            .iter()
            .find(|(_, it)| it["name"] == "limit" && it["in"] == "query")?;
        let is_usable = |it: &Parameter| {
            it.setter == it.name && matches!(it.kind, Type::I64 | Type::U32 | Type::U64)
        };
        if !is_usable(offset) || !is_usable(limit) {
            self.reader.notes.push(Error::at(
                at,
                "the pages of the list cannot be requested, as `offset` and `limit` are not both numbers",
                "give both `type: integer` in the overlay",
            ));
            return None;
        }
        let schema = normalize(self.document, &value["schema"], at).unwrap_or_default();
        let bound = |name: &str| {
            let bound = schema.number(name).and_then(Value::as_u64);
            bound.map(|bound| u32::try_from(bound).unwrap_or(u32::MAX))
        };
        let max = bound("maximum").unwrap_or(u32::MAX);
        Some(Paging {
            default: bound("default").unwrap_or(max),
            min: bound("minimum").unwrap_or(1),
            max,
        })
    }

    fn error(&mut self, at: &str, problem: String, remedy: &str) {
        self.errors.push(Error::at(at, problem, remedy));
    }
}

/// The webhook events, from `webhooks` or `x-webhooks`.
struct Events {
    kinds: Vec<Variant>,
    objects: Vec<Event>,
}

/// Reads the schema of each delivery: its `type` has the types of the events, and its `object` their object, if it is described.
fn events<'a>(document: &'a Value, reader: &mut Reader<'a>, operations: &[Operation]) -> Events {
    let mut events = Events {
        kinds: Vec::new(),
        objects: Vec::new(),
    };
    for keyword in ["webhooks", "x-webhooks"] {
        for (group, item) in document
            .get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let at = pointer::join(&pointer::join(keyword, group), "post/requestBody").replacen(
                keyword,
                &format!("/{keyword}"),
                1,
            );
            let (at, body) = document::resolve_at(document, &item["post"]["requestBody"], &at);
            for (at, schema) in json(body, &at) {
                let Ok(delivery) = normalize(document, schema, &at) else {
                    continue;
                };
                let find = |name: &str| {
                    delivery
                        .properties
                        .iter()
                        .find(|property| property.name == name)
                };
                let Some(kind) = find("type") else {
                    continue;
                };
                let values = normalize(document, kind.value, &kind.at)
                    .ok()
                    .and_then(|node| node.values())
                    .unwrap_or_default();
                let types = values.into_iter().filter_map(Value::as_str);
                let types: Vec<String> = types
                    .filter(|name| events.add_kind(name))
                    .map(str::to_owned)
                    .collect();
                let Some(object) = find("object") else {
                    continue;
                };
                let entity = names::entity(
                    types
                        .first()
                        .and_then(|name| name.split('.').next())
                        .unwrap_or(group),
                );
                let context = Context {
                    parent: &entity,
                    entity: &entity,
                    field: "event",
                };
                if let Type::Schema(object) = reader.value(object.value, &object.at, &context).0 {
                    events.add_object(object, types, operations);
                }
            }
        }
    }
    events
}

impl Events {
    /// Whether the type is new. A type that occurs twice has the object of its first occurrence.
    fn add_kind(&mut self, wire: &str) -> bool {
        if self.kinds.iter().any(|kind| kind.wire == wire) {
            return false;
        }
        let others = self.kinds.iter().map(|kind| kind.name.as_str());
        let name = names::variant(wire, others);
        self.kinds.push(Variant {
            name,
            wire: wire.to_owned(),
            description: format!("`{wire}`"),
        });
        true
    }

    fn add_object(&mut self, object: String, types: Vec<String>, operations: &[Operation]) {
        if types.is_empty() {
            return;
        }
        if let Some(event) = self.objects.iter_mut().find(|event| event.object == object) {
            event.types.extend(types);
            return;
        }
        let operation = operations
            .iter()
            .find(|operation| retrieves(operation, &object));
        self.objects.push(Event {
            types,
            retrieved_by: operation.map(|operation| operation.method_name.clone()),
            object,
        });
    }
}

/// Whether the operation reads the object by its id at the end of the path, without other required parameters.
fn retrieves(operation: &Operation, object: &str) -> bool {
    let is_the_object =
        matches!(&operation.answer.content, Content::Json(Type::Schema(name)) if name == object);
    let required: Vec<&Parameter> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .collect();
    let by_id = matches!(required.as_slice(), [id] if id.place == Place::Path
        && operation.path.ends_with(&format!("/{{{}}}", id.name)));
    operation.method == "GET" && is_the_object && by_id
}

/// The error of a reference without a target.
fn dangling(value: &Value, at: &str) -> Result<(), Error> {
    match value.get("$ref") {
        Some(target) => Err(Error::at(
            at,
            format!("the target of the reference {target} does not exist"),
            "correct it, or add its target",
        )),
        None => Ok(()),
    }
}

fn is_header(parameter: &Value, header: &str) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    parameter["in"] == "header" && name.eq_ignore_ascii_case(header)
}

/// The encoding of a body with this media type. If there are several, the first in the order of [`Encoding`] is used.
fn encoding(media_type: &str) -> Option<Encoding> {
    match media_type.split(';').next().unwrap_or_default().trim() {
        json if document::is_json(json) => Some(Encoding::Json),
        "application/x-www-form-urlencoded" => Some(Encoding::Form),
        "application/octet-stream" => Some(Encoding::Binary),
        "text/plain" => Some(Encoding::Text),
        _ => None,
    }
}

fn media_types(response: &Value) -> impl Iterator<Item = &str> {
    response
        .get("content")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
}

/// The JSON schemas of an answer, with their places.
fn json<'a>(response: &'a Value, at: &str) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = pointer::join(at, "content");
    let contents = response
        .get("content")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let json = contents.filter(|(name, _)| document::is_json(name));
    json.filter_map(move |(name, media)| {
        Some((
            format!("{}/schema", pointer::join(&at, name)),
            media.get("schema")?,
        ))
    })
}

/// The OAuth scopes of all security requirements. A token needs one of them.
fn scopes(security: Option<&Value>) -> Vec<String> {
    let requirements = security
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object);
    let lists = requirements
        .flat_map(|requirement| requirement.values())
        .filter_map(Value::as_array)
        .flatten();
    let scopes: BTreeSet<&str> = lists.filter_map(Value::as_str).collect();
    scopes.into_iter().map(str::to_owned).collect()
}

/// Whether any operation of the document has security requirements.
fn has_security(document: &Value) -> bool {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(_, item)| item.as_object())
        .flat_map(|item| item.values())
        .any(|operation| operation.get("security").is_some())
}

/// Marks the schemas that occur in requests, and those that occur in answers and events, with all nested schemas.
fn mark_directions(api: &mut Api) {
    let bodies = api
        .operations
        .iter()
        .filter_map(|operation| operation.body.as_ref());
    let sent: Vec<Type> = bodies.map(|body| body.kind.clone()).collect();
    let answers = api
        .operations
        .iter()
        .filter_map(|operation| match &operation.answer.content {
            Content::Json(kind) | Content::List(kind) => Some(kind.clone()),
            Content::Empty | Content::Binary => None,
        });
    let events = api
        .events
        .iter()
        .map(|event| Type::Schema(event.object.clone()));
    let received: Vec<Type> = answers.chain(events).collect();
    mark(api, sent, |schema| &mut schema.sent);
    mark(api, received, |schema| &mut schema.received);
}

fn mark(api: &mut Api, mut open: Vec<Type>, direction: impl Fn(&mut Schema) -> &mut bool) {
    while let Some(kind) = open.pop() {
        match kind {
            Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => open.push(*inner),
            Type::Schema(name) => {
                let Some(schema) = api.schemas.iter_mut().find(|schema| schema.name == name) else {
                    continue;
                };
                if std::mem::replace(direction(schema), true) {
                    continue;
                }
                match &schema.shape {
                    Shape::Object(fields) => {
                        open.extend(fields.iter().map(|field| field.kind.clone()));
                    }
                    Shape::Union { variants, .. } => {
                        open.extend(variants.iter().map(|variant| variant.kind.clone()));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Marks the fields by which an object can contain itself.
fn mark_recursive(api: &mut Api) {
    let inner = |schema: &Schema| -> Vec<String> {
        let kinds: Vec<&Type> = match &schema.shape {
            Shape::Object(fields) => fields.iter().map(|field| &field.kind).collect(),
            Shape::Union { variants, .. } => variants.iter().map(|variant| &variant.kind).collect(),
        };
        let names = kinds.into_iter().filter_map(|kind| match kind {
            Type::Schema(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    };
    let inner: BTreeMap<String, Vec<String>> = api
        .schemas
        .iter()
        .map(|schema| (schema.name.clone(), inner(schema)))
        .collect();
    let is_within = |name: &str, start: &str| {
        let mut open = vec![start];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            if next == name {
                return true;
            }
            if seen.insert(next) {
                open.extend(inner.get(next).into_iter().flatten().map(String::as_str));
            }
        }
        false
    };
    for schema in &mut api.schemas {
        let Shape::Object(fields) = &mut schema.shape else {
            continue;
        };
        for field in fields {
            field.recursive =
                matches!(&field.kind, Type::Schema(kind) if is_within(&schema.name, kind));
        }
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().trim().to_owned()
}
