//! The control API under `/_sandbox/`, and the status page.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, HOST, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::clients::Clients;
use crate::commands::{Command, CommandError};
use crate::demo;
use crate::description::Description;
use crate::domain::events::EventKind;
use crate::domain::lifecycle;
use crate::http::request_body::read_whole;
use crate::shared::Shared;

/// The client of a command or a view: that of the header `upvest-client-id`, or else the default client.
struct Client(Arc<Shared>);

impl FromRequestParts<Arc<Clients>> for Client {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        clients: &Arc<Clients>,
    ) -> Result<Self, Response> {
        let Some(id) = parts.headers.get("upvest-client-id") else {
            return Ok(Self(Arc::clone(&clients.first)));
        };
        let id = id.to_str().unwrap_or_default();
        clients
            .named(id)
            .map(Self)
            .ok_or_else(|| rejected(&CommandError::no_client(id).to_string()))
    }
}

pub(crate) fn routes(clients: &Arc<Clients>) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("status.html"))))
        .route("/_sandbox/{name}", get(show).post(execute))
        .route_layer(from_fn_with_state(Arc::clone(clients), known_names_only))
        .route(
            "/_sandbox/health",
            get(async || json_response(&json!({ "status": "UP" }))),
        )
        .with_state(Arc::clone(clients))
}

/// Rejects requests with other host names, which protects against DNS rebinding by web pages.
async fn known_names_only(
    State(clients): State<Arc<Clients>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if clients.first.setup.control_from.contain_name(host) {
        return next.run(request).await;
    }
    rejected(
        "the header `host` of a control request must name this machine, such as localhost, or a host of `--allow-control-from`",
    )
}

/// Allows web pages of the configured origins to call everything (Fetch standard, CORS protocol).
pub(crate) async fn cors(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let known = |origin: &HeaderValue| {
        shared
            .setup
            .cors
            .iter()
            .any(|known| known == "*" || known == origin)
    };
    let Some(origin) = origin.filter(known) else {
        return next.run(request).await;
    };
    let asks_first = request
        .headers()
        .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first && request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(VARY, HeaderValue::from_static("origin"));
    for (name, value) in [
        (
            ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (ACCESS_CONTROL_ALLOW_HEADERS, "*, authorization"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "*"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The views, each with its name and a description.
const VIEWS: [(&str, &str); 15] = [
    (
        "state",
        "The time, and the number of resources of each type.",
    ),
    (
        "clients",
        "The ids of all clients. The first is the default client.",
    ),
    ("overview", "The data of the status page."),
    ("events", "The events so far, with their reasons."),
    ("instruments", "The instruments."),
    ("webhooks", "The webhook subscriptions."),
    ("event_types", "The event types for `trigger`."),
    (
        "requests",
        "The requests so far, with the problems of those that were rejected.",
    ),
    ("deliveries", "The deliveries to webhooks so far."),
    ("faults", "The faults that have not been used up."),
    (
        "audit",
        "The errors in the books. Empty unless the sandbox has a bug.",
    ),
    ("commands", "The commands with their fields."),
    ("lifecycles", "The allowed status transitions."),
    (
        "openapi.json",
        "The description of the Investment API, with this sandbox as its server.",
    ),
    ("control.json", "This description of the control API."),
];

/// Shows one of [`VIEWS`].
async fn show(
    State(clients): State<Arc<Clients>>,
    Client(shared): Client,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    // Copied first, so that no lock is held while they are written.
    match name.as_str() {
        "state" => json_response(&shared.summary()),
        "overview" => json_response(&shared.overview()),
        "clients" => json_response(&clients.ids()),
        "events" => json_response(&shared.events()),
        "requests" => {
            let requests = shared.requests().records();
            json_response(&requests)
        }
        "deliveries" => {
            let deliveries = shared.deliveries().records();
            json_response(&deliveries)
        }
        "instruments" => {
            let core = shared.core_to_read();
            let all = core.state.instruments.rows().iter();
            json_response(&all.map(|it| &it.view).collect::<Vec<_>>())
        }
        "webhooks" => {
            let core = shared.core_to_read();
            let all = core.state.timeline.events.subscriptions.rows().iter();
            json_response(&all.map(|it| &it.view).collect::<Vec<_>>())
        }
        "faults" => {
            let rules = shared.faults().rules().to_vec();
            json_response(&rules)
        }
        "audit" => {
            let findings = shared.core_to_read().state.audit();
            json_response(&findings)
        }
        "commands" => json_response(&reference(&shared.setup.description)),
        "event_types" => {
            let types = if shared.setup.description.has_rules() {
                EventKind::ALL.iter().map(|kind| kind.event_type).collect()
            } else {
                shared.setup.engine.event_types()
            };
            json_response(&types.into_iter().collect::<BTreeSet<_>>())
        }
        "lifecycles" if shared.setup.description.has_rules() => {
            let mut all = lifecycle::table();
            let of_engine = shared.setup.engine.transitions().into_iter();
            all.extend(of_engine.map(|(table, statuses)| (table.to_owned(), statuses)));
            json_response(&all)
        }
        "lifecycles" => json_response(&shared.setup.engine.statuses()),
        "openapi.json" => json_response(&served_document(&shared.setup.description, &headers)),
        "control.json" => json_response(&control_document(&headers)),
        "signing-key.pem" => demo::KEY.into_response(),
        "encrypted-signing-key.pem" => demo::ENCRYPTED_KEY.into_response(),
        _ => (
            StatusCode::NOT_FOUND,
            rejected("there is no view with this name"),
        )
            .into_response(),
    }
}

fn servers(headers: &HeaderMap) -> Value {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    json!([{ "url": format!("http://{host}"), "description": "This sandbox, with simulated money." }])
}

/// The control API as OpenAPI 3.1, from the types of the commands.
fn control_document(headers: &HeaderMap) -> Value {
    let mut schema = serde_json::to_value(schemars::schema_for!(Command)).unwrap_or_default();
    let response =
        |what: &str| json!({ "description": what, "content": { "application/json": {} } });
    let client = json!([{
        "name": "upvest-client-id",
        "in": "header",
        "description": "The id of the client. The default client if it is missing.",
        "schema": { "type": "string" },
    }]);
    let mut paths = serde_json::Map::new();
    for (name, what) in VIEWS {
        let view = json!({ "summary": what, "parameters": client, "responses": { "200": response(what) } });
        paths.insert(format!("/_sandbox/{name}"), json!({ "get": view }));
    }
    for variant in schema["oneOf"].as_array_mut().into_iter().flatten() {
        let command = variant["properties"]["command"]["enum"][0].take();
        let summary = variant["description"].take();
        if let Some(fields) = variant["properties"].as_object_mut() {
            fields.remove("command");
        }
        if let Some(required) = variant["required"].as_array_mut() {
            required.retain(|name| name != "command");
        }
        let responses = json!({ "200": response("The id of the resource that the command created, if any."), "400": response("The reason, as `error`.") });
        let body =
            json!({ "required": true, "content": { "application/json": { "schema": variant } } });
        let path = format!("/_sandbox/{}", command.as_str().unwrap_or_default());
        let operation = json!({ "operationId": command, "summary": summary, "parameters": client, "requestBody": body, "responses": responses });
        paths.insert(path, json!({ "post": operation }));
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Control API of upvest-sandbox", "version": env!("CARGO_PKG_VERSION") },
        "servers": servers(headers),
        "paths": paths,
        "components": { "schemas": schema["definitions"] },
    });
    let text = document
        .to_string()
        .replace("#/definitions/", "#/components/schemas/");
    serde_json::from_str(&text).unwrap_or(document)
}

/// The description with this sandbox as its only server, with the host name of the request, so that tools for trying
/// out operations call only this sandbox.
fn served_document(description: &Description, headers: &HeaderMap) -> Value {
    let mut document = description.document().clone();
    document["servers"] = servers(headers);
    document
}

/// Accepts only JSON, so that a web page in a browser cannot send commands.
async fn execute(
    State(clients): State<Arc<Clients>>,
    Client(shared): Client,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match read_whole(body).await {
        Ok(body) => body,
        Err(error) => return rejected_with(error.status(), &error.to_string()),
    };
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if headers.contains_key("signature-input") {
        return rejected("a command must not be signed: this is a call of the API or a delivery");
    }
    if !media_type.starts_with("application/json") {
        return rejected(
            "send the fields of the command with `content-type: application/json`, or `{}` if it has none",
        );
    }
    let fields = if body.is_empty() {
        Ok(json!({}))
    } else {
        serde_json::from_slice(&body)
    };
    let fields = match fields {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return rejected("the body is not a JSON object"),
        Err(error) => return rejected(&format!("the body is not valid JSON: {error}")),
    };
    match Command::read(&name, fields) {
        Err(error) => rejected(&error.to_string()),
        Ok(Command::SetOffline {
            offline: true,
            seconds: None,
        }) => rejected(
            "`seconds` is missing; it is required over HTTP, because the sandbox cannot receive a command while it is offline",
        ),
        Ok(command) => match clients.execute(&shared, command).await {
            Ok(response) => json_response(&response),
            Err(error) => rejected(&error.to_string()),
        },
    }
}

/// The commands for the status page, with their documentation.
fn reference(description: &Description) -> Value {
    let schema = serde_json::to_value(schemars::schema_for!(Command)).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    let commands = variants.map(|variant| {
        let is_required = |name: &str| {
            variant["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name))
        };
        let fields = variant["properties"].as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| *name != "command").map(|(name, field)| {
            json!({ "name": name, "description": text(&field["description"]), "required": is_required(name) })
        });
        json!({
            "name": variant["properties"]["command"]["enum"][0],
            "description": text(&variant["description"]),
            "fields": fields.collect::<Vec<_>>(),
        })
    });
    let operations: Vec<_> = description
        .operations()
        .iter()
        .map(|operation| &operation.id)
        .collect();
    json!({ "commands": commands.collect::<Vec<_>>(), "operations": operations })
}

fn rejected(problem: &str) -> Response {
    rejected_with(400, problem)
}

fn rejected_with(status: u16, problem: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, json_response(&json!({ "error": problem }))).into_response()
}

fn json_response(value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("the state can be written as JSON");
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
