//! Pairs each value of a description with its counterpart in the crate.
//!
//! The ledger counts these pairs, and the facts of a description are read from them.

mod items;
mod links;
mod losses;
mod members;
mod walk;

use std::collections::HashMap;

use serde_json::Value;

pub use items::ItemKind;
pub(crate) use items::{Item, Presence};
pub(crate) use losses::{explanation, unreported};
pub(crate) use members::text;
pub(crate) use walk::{Held, Visit};

use crate::document::{self, METHODS};
use crate::model::{
    Api, Content, Event, Operation, Place, TRANSPORT_HEADERS, Type, is_media_type_of_body,
};
use crate::pointer;
use links::Links;
use walk::{Site, Start, Walk};

/// The fields of an event that the layer on top reads.
const EVENT: [&str; 5] = ["id", "created_at", "type", "object", "webhook_id"];

/// The maximum number of envelopes around an event.
const DEEPEST_ENVELOPE: usize = 8;

/// The contents of a description, and for each item whether the crate has it.
pub(crate) struct Survey<'a> {
    /// Each value that a schema describes.
    pub(crate) visits: Vec<Visit<'a>>,
    /// The items of the description, by name.
    pub(crate) items: Vec<(Item, Presence)>,
    /// The links through which each item was reached.
    pub(crate) links: Links,
}

impl<'a> Survey<'a> {
    /// Walks the description together with its model, and records each value, item and link.
    pub(crate) fn new(document: &'a Value, api: &'a Api) -> Self {
        let operations = api.operations.iter();
        let operations = operations.map(|operation| {
            let route = (operation.method.clone(), operation.path.clone());
            (route, operation)
        });
        let mut surveyor = Surveyor {
            document,
            api,
            operations: operations.collect(),
            walk: Walk::new(document, api),
        };
        for found in document::operations(document) {
            surveyor.survey_operation(&found);
        }
        surveyor.count_unresolved_path_items();
        for keyword in ["webhooks", "x-webhooks"] {
            surveyor.survey_webhooks(keyword);
        }
        let Walk {
            visits,
            items,
            links,
            ..
        } = surveyor.walk;
        Self {
            visits,
            items: items.into_items(),
            links,
        }
    }
}

/// Finds the values from which the walk starts.
struct Surveyor<'a> {
    document: &'a Value,
    api: &'a Api,
    /// The operations of the model, by method and path.
    operations: HashMap<(String, String), &'a Operation>,
    walk: Walk<'a>,
}

impl<'a> Surveyor<'a> {
    fn survey_operation(&mut self, found: &document::Operation<'a>) {
        let method = found.method.to_ascii_uppercase();
        let route = format!("{method} {}", found.path);
        let operation = self
            .operations
            .get(&(method, found.path.to_owned()))
            .copied();
        let shared = pointer::join(found.item_pointer(), "parameters");
        let places = vec![found.pointer.clone(), shared];
        let link = self.walk.links.add_part(places, None);
        self.count(
            ItemKind::Operation,
            route.clone(),
            operation.is_some(),
            link,
        );
        let owner = Owner {
            route,
            operation,
            link,
        };
        for (at, parameter) in found.parameters(self.document) {
            self.survey_parameter(&owner, &at, parameter);
        }
        self.survey_body(&owner, found);
        let responses = pointer::join(&found.pointer, "responses");
        for (status, response) in members(&found.value["responses"]) {
            let at = pointer::join(&responses, status);
            let response = Response {
                status,
                value: response,
                is_success: found.is_success(status),
            };
            self.survey_response(&owner, &response, &at);
        }
        let callbacks = pointer::join(&found.pointer, "callbacks");
        for (name, _) in members(&found.value["callbacks"]) {
            let places = vec![pointer::join(&callbacks, name)];
            let link = self.walk.links.add_part(places, Some(link));
            let name = format!("callback {name} of {}", owner.route);
            self.count(ItemKind::Event, name, false, link);
        }
    }

    fn survey_parameter(&mut self, owner: &Owner<'a>, at: &str, parameter: &'a Value) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let location = parameter["in"].as_str().unwrap_or_default();
        let known = owner.operation.and_then(|operation| {
            let mut known = operation.parameters.iter();
            known.find(|known| known.name == name && word(known.place) == location)
        });
        let is_of_transport = known.is_none() && location == "header" && is_set_by_client(name);
        let link = self
            .walk
            .links
            .add_part(vec![at.to_owned()], Some(owner.link));
        let item = match parameter["$ref"].as_str() {
            Some(reference) => format!("{}, {reference}", owner.route),
            None => format!("{}, {location} {name}", owner.route),
        };
        let is_there = known.is_some() || is_of_transport && owner.operation.is_some();
        self.count(ItemKind::Parameter, item, is_there, link);
        let held = match known {
            Some(known) => Held::Typed(known.kind.clone()),
            None if is_there => Held::Whole,
            None => Held::Nothing,
        };
        let kind = if is_of_transport {
            "header"
        } else {
            "parameter"
        };
        let schema = parameter.get("schema");
        let direct = schema.map(|schema| (pointer::join(at, "schema"), schema));
        for (at, schema) in direct.into_iter().chain(schemas(parameter, at)) {
            self.walk.visit(Start {
                places: vec![members_place(at, schema)],
                held: held.clone(),
                site: owner.site(format!("{kind} {name}")),
                link: Some(link),
                is_foreign: is_of_transport,
            });
        }
    }

    fn survey_body(&mut self, owner: &Owner<'a>, found: &document::Operation<'a>) {
        let Some(body) = found.value.get("requestBody") else {
            return;
        };
        let at = pointer::join(&found.pointer, "requestBody");
        let (to, body) = document::resolve_at(self.document, body, &at);
        let link = self
            .walk
            .links
            .add_part(vec![at, to.clone()], Some(owner.link));
        let known = owner
            .operation
            .and_then(|operation| operation.body.as_ref());
        for (media_type, media) in members(&body["content"]) {
            let document = self.document;
            let is_sent =
                known.is_some_and(|body| is_media_type_of_body(document, body, media_type, media));
            let held = match known.filter(|_| is_sent) {
                Some(body) => Held::Typed(body.kind.clone()),
                None => Held::Nothing,
            };
            let name = format!("{}, request {media_type}", owner.route);
            self.survey_media_type(owner.site("body"), (name, is_sent), held, media, &to, link);
        }
    }

    fn survey_response(&mut self, owner: &Owner<'a>, response: &Response<'a>, at: &str) {
        let status = response.status;
        let is_success = response.is_success;
        let (to, response) = document::resolve_at(self.document, response.value, at);
        let places = vec![at.to_owned(), to.clone()];
        let link = self.walk.links.add_part(places, Some(owner.link));
        if !is_success {
            for (at, schema) in schemas(response, &to) {
                self.walk.visit(Start {
                    places: vec![members_place(at, schema)],
                    held: Held::Untyped,
                    site: owner.site("errors").further(status),
                    link: Some(link),
                    is_foreign: true,
                });
            }
            return;
        }
        let read = owner.operation.map(|operation| &operation.response);
        for (media_type, media) in members(&response["content"]) {
            let is_accepted = read.is_some_and(|response| {
                let download = response.download.as_deref().unwrap_or_default();
                let mut all = response.accept.split(',').chain(download.split(','));
                let is_json_of_range = document::is_range(media_type)
                    && matches!(response.content, Content::Json(_) | Content::List(_))
                    && response.accept.contains("application/json");
                is_json_of_range || all.any(|accepted| accepted.trim() == media_type)
            });
            let held = match read.filter(|_| is_accepted) {
                Some(response) if document::is_json(media_type) => match &response.content {
                    Content::Json(kind) => Held::Typed(kind.clone()),
                    Content::List(item) => Held::List(item.clone()),
                    Content::Empty | Content::Binary => Held::Untyped,
                },
                Some(_) => Held::Untyped,
                None => Held::Nothing,
            };
            let name = format!("{}, response {status} {media_type}", owner.route);
            self.survey_media_type(
                owner.site("response"),
                (name, is_accepted),
                held,
                media,
                &to,
                link,
            );
        }
    }

    /// Surveys a media type of a request or a response, and its schema.
    fn survey_media_type(
        &mut self,
        site: Site,
        (name, is_there): (String, bool),
        held: Held,
        media: &'a Value,
        at: &str,
        link: usize,
    ) {
        self.count(ItemKind::MediaType, name.clone(), is_there, link);
        let Some(schema) = media.get("schema") else {
            return;
        };
        let media_type = name.rsplit(' ').next().unwrap_or_default();
        let at = pointer::join(&pointer::join(at, "content"), media_type);
        self.walk.visit(Start {
            places: vec![members_place(pointer::join(&at, "schema"), schema)],
            held,
            site,
            link: Some(link),
            is_foreign: false,
        });
    }

    /// Counts the path items whose operations cannot be read, because their target is missing or in another file.
    fn count_unresolved_path_items(&mut self) {
        let paths = pointer::join("", "paths");
        for (path, item) in members(&self.document["paths"]) {
            let at = pointer::join(&paths, path);
            let (_, found) = document::resolve_at(self.document, item, &at);
            if path.starts_with('/') && found.get("$ref").is_some() {
                let link = self.walk.links.add_part(vec![at], None);
                let name = format!("all operations of {path}");
                self.count(ItemKind::Operation, name, false, link);
            }
        }
    }

    /// Surveys the events under `webhooks` or `x-webhooks`.
    fn survey_webhooks(&mut self, keyword: &str) {
        let webhooks = pointer::join("", keyword);
        for (group, item) in members(&self.document[keyword]) {
            let at = pointer::join(&webhooks, group);
            let (to, item) = document::resolve_at(self.document, item, &at);
            let link = self.walk.links.add_part(vec![at, to.clone()], None);
            let deliveries: Vec<_> = members(item)
                .filter(|(method, _)| METHODS.contains(method))
                .collect();
            let mut is_known = false;
            for (method, delivery) in deliveries {
                let at = pointer::join(&pointer::join(&to, method), "requestBody");
                let (at, body) = document::resolve_at(self.document, &delivery["requestBody"], &at);
                for (at, schema) in schemas(body, &at) {
                    is_known |= self.survey_delivery(group, members_place(at, schema), link, 0);
                }
            }
            if !is_known {
                self.count(ItemKind::Event, format!("{keyword} {group}"), false, link);
            }
        }
    }

    /// Surveys the events in the body of a delivery: a single event, a list or a union of events, or an envelope with
    /// events. Returns whether it found types of events.
    fn survey_delivery(
        &mut self,
        group: &str,
        place: members::Place<'a>,
        link: usize,
        depth: usize,
    ) -> bool {
        let mut is_known = false;
        let mut open = vec![place];
        // A longer chain is circular.
        for _ in 0..256 {
            let Some(next) = open.pop() else { break };
            let (at, schema) = document::resolve_at(self.document, next.schema, &next.at);
            let branches = ["oneOf", "anyOf"].into_iter().flat_map(|keyword| {
                let list = schema.get(keyword).and_then(Value::as_array);
                let at = pointer::join(&at, keyword);
                let list = list.into_iter().flatten().enumerate();
                list.map(move |(index, schema)| members_place(format!("{at}/{index}"), schema))
            });
            let branches: Vec<_> = branches.collect();
            let events = self.walk.members(std::slice::from_ref(&next));
            if !branches.is_empty() && !schema.get("properties").is_some_and(Value::is_object) {
                open.extend(branches);
            } else if events.properties.is_empty() {
                open.extend(events.items.iter().cloned());
            } else if self.event_types(&events).is_empty() && depth < DEEPEST_ENVELOPE {
                is_known |= self.survey_envelope(group, &next, link, depth + 1);
            } else {
                is_known |= self.survey_event(group, &next, link);
            }
        }
        is_known
    }

    /// Looks for events in the fields of an object. Its other fields are lost, except those of an event. Returns
    /// whether it found events.
    fn survey_envelope(
        &mut self,
        group: &str,
        place: &members::Place<'a>,
        link: usize,
        depth: usize,
    ) -> bool {
        let members = self.walk.members(std::slice::from_ref(place));
        let link = self.walk.links.add_part(vec![place.at.clone()], Some(link));
        let mut is_known = false;
        for (name, places) in &members.properties {
            let mut has_events = false;
            for place in places {
                has_events |= self.survey_delivery(group, place.clone(), link, depth);
            }
            is_known |= has_events;
            let is_read = has_events || EVENT.contains(name);
            let presence = if is_read {
                Presence::Present
            } else {
                Presence::Lost(link)
            };
            for place in places {
                let item = Item::new(ItemKind::Field, place.at.clone());
                self.walk.items.add(item, presence);
            }
            if !is_read {
                self.walk.visit(Start {
                    places: places.clone(),
                    held: Held::Untyped,
                    site: Site::new(format!("webhook {group}"), format!("envelope {name}")),
                    link: Some(link),
                    is_foreign: false,
                });
            }
        }
        is_known
    }

    /// Returns the types of an event: the values of its field `type`, or else its default.
    fn event_types(&mut self, event: &members::Members<'a>) -> Vec<String> {
        let kinds = event.properties.get("type").cloned().unwrap_or_default();
        let kinds = self.walk.members(&kinds);
        let default = kinds.keywords.get("default").into_iter().flatten();
        if kinds.enumerated.is_empty() {
            return default.cloned().collect();
        }
        let texts = kinds.enumerated.iter().map(|kind| kind.text.clone());
        texts.collect()
    }

    /// Surveys the types of an event, and its object. Returns whether the event has types.
    fn survey_event(&mut self, group: &str, place: &members::Place<'a>, link: usize) -> bool {
        let members = self.walk.members(std::slice::from_ref(place));
        let kinds = self.event_types(&members);
        let mut event: Option<&'a Event> = None;
        for kind in &kinds {
            let mut known = self.api.event_kinds.iter();
            let is_there = known.any(|known| known.wire == *kind);
            self.count(ItemKind::Event, kind.clone(), is_there, link);
            let mut known = self.api.events.iter();
            event = event.or_else(|| known.find(|event| event.types.contains(kind)));
        }
        let link = self.walk.links.add_part(vec![place.at.clone()], Some(link));
        for (name, places) in &members.properties {
            let held = match (*name, event) {
                ("object", Some(event)) => Held::Typed(Type::Schema(event.object.clone())),
                ("object", None) => Held::Nothing,
                (name, _) if EVENT.contains(&name) => Held::Whole,
                _ => Held::Untyped,
            };
            for place in places {
                let presence = match held {
                    Held::Untyped => Presence::Lost(link),
                    Held::Nothing => Presence::Absent(link),
                    _ => Presence::Present,
                };
                let item = Item::new(ItemKind::Field, place.at.clone());
                self.walk.items.add(item, presence);
            }
            self.walk.visit(Start {
                places: places.clone(),
                held,
                site: Site::new(format!("webhook {group}"), format!("envelope {name}")),
                link: Some(link),
                // Its values are event types, which are counted as events already.
                is_foreign: *name == "type",
            });
        }
        !kinds.is_empty()
    }

    fn count(&mut self, kind: ItemKind, name: String, is_there: bool, link: usize) {
        let presence = if is_there {
            Presence::Present
        } else {
            Presence::Absent(link)
        };
        self.walk.items.add(Item::new(kind, name), presence);
    }
}

/// Whether the client sets a header by itself.
fn is_set_by_client(header: &str) -> bool {
    TRANSPORT_HEADERS
        .iter()
        .any(|known| header.eq_ignore_ascii_case(known))
}

/// A response of an operation.
struct Response<'a> {
    status: &'a str,
    value: &'a Value,
    is_success: bool,
}

/// The operation to which a value belongs.
struct Owner<'a> {
    /// The method and the path.
    route: String,
    operation: Option<&'a Operation>,
    link: usize,
}

impl Owner<'_> {
    fn site(&self, part: impl Into<String>) -> Site {
        let id = self.operation.map_or("", |operation| operation.id.as_str());
        Site::new(format!("operation {id}"), part)
    }
}

/// Returns the schemas of the media types of a body, a response or a parameter.
fn schemas<'a>(body: &'a Value, at: &str) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = pointer::join(at, "content");
    members(&body["content"]).filter_map(move |(media_type, media)| {
        let at = pointer::join(&at, media_type);
        Some((pointer::join(&at, "schema"), media.get("schema")?))
    })
}

fn members_place(at: String, schema: &Value) -> members::Place<'_> {
    members::Place { at, schema }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

fn word(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    }
}
