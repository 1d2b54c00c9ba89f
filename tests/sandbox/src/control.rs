//! The control API under `/_sandbox/`, and the status page.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::command::Command;
use crate::description::Description;
use crate::shared::Shared;

/// The private half of the key that every sandbox knows. It signs nothing but requests to a sandbox.
pub(crate) const DEMO_KEY: &str = include_str!("../demo-key.pem");

pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("status.html"))))
        .route("/_sandbox/commands", get(async || json_answer(&reference())))
        .route(
            "/_sandbox/state",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.summary())),
        )
        .route(
            "/_sandbox/requests",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.requests().records())),
        )
        .route(
            "/_sandbox/events",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.events())),
        )
        .route(
            "/_sandbox/deliveries",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.deliveries().records())),
        )
        .route(
            "/_sandbox/faults",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.faults().rules)),
        )
        .route(
            "/_sandbox/audit",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.core().world.audit())),
        )
        .route(
            "/_sandbox/overview",
            get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.overview())),
        )
        .route("/_sandbox/openapi.json", get(async || json_answer(Description::get().document())))
        .route("/_sandbox/signing-key.pem", get(async || DEMO_KEY))
        .route("/_sandbox/{command}", post(execute))
        .with_state(Arc::clone(shared))
}

/// Takes JSON only: a page from elsewhere that is open in a browser can then send no command.
async fn execute(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.starts_with("application/json") {
        return refused(
            "send the fields of the command as `content-type: application/json`; `{}` where it has none",
        );
    }
    let fields = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&body) };
    let mut fields: Value = match fields {
        Ok(fields @ Value::Object(_)) => fields,
        _ => return refused("the body is no JSON object"),
    };
    fields["command"] = Value::String(name);
    match serde_json::from_value::<Command>(fields) {
        Err(error) => refused(&error.to_string()),
        Ok(Command::SetOffline { offline: true, seconds: None }) => {
            refused("`seconds` is missing: over HTTP nobody could bring the sandbox back")
        }
        Ok(command) => match shared.execute(command).await {
            Ok(answer) => json_answer(&answer),
            Err(error) => refused(&error.to_string()),
        },
    }
}

/// What the status page says about the commands: taken from their documentation.
fn reference() -> Value {
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
    let operations: Vec<_> = Description::get().operations().iter().map(|operation| &operation.id).collect();
    json!({ "commands": commands.collect::<Vec<_>>(), "operations": operations })
}

fn refused(problem: &str) -> Response {
    (StatusCode::BAD_REQUEST, json_answer(&json!({ "error": problem }))).into_response()
}

fn json_answer(value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("what the sandbox holds is JSON");
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
