//! Processes a request: access control, validation, idempotency, faults, and the handler of the operation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::extract::rejection::RawPathParamsRejection;
use axum::routing::any;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use upvest_signing::IncomingRequest;
use uuid::Uuid;

use super::call::{Answer, Call};
use super::fault_body::{gateway_page, spoil};
use super::problem::Problem;
use crate::description::{Description, Operation};
use crate::faults::Fault;
use crate::http::idempotency::{Fingerprint, fingerprint};
use crate::http::operations::{Handler, handler};
use crate::log::RequestRecord;
use crate::sandbox::clients::Clients;
use crate::sandbox::shared::Shared;

/// The longest body of a request, which is more than any operation needs.
const MAX_BODY: usize = 4 << 20;
const REQUEST_ID: HeaderName = HeaderName::from_static("upvest-request-id");
const PROBLEM: &str = "application/problem+json";
const ASKED_FOR: &str = "A requested fault.";
const JSON: &str = "application/json";

/// Marks an answer that must be replaced by a reset of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset;

/// `GET /auth/verify_keys`, which the description does not contain (PROTOCOL 2.4): the keys that verify deliveries.
static VERIFY_KEYS: LazyLock<Operation> = LazyLock::new(|| {
    Operation::undescribed(
        VERIFY_KEYS_ID,
        Method::GET,
        "/auth/verify_keys",
        &["webhooks:read", "webhooks:admin"],
    )
});
const VERIFY_KEYS_ID: &str = "retrieveVerifyKeys";

/// An operation and its handler.
#[derive(Clone, Copy)]
struct Route {
    operation: &'static Operation,
    does: Does,
}

#[derive(Clone, Copy)]
enum Does {
    /// The handlers of the operations in the table.
    Handle(Handler),
    GrantToken,
    GiveKeys,
}

/// Whether there is an operation with this name, for faults.
pub(crate) fn is_operation(name: &str) -> bool {
    name == VERIFY_KEYS_ID
        || Description::get()
            .operations()
            .iter()
            .any(|operation| operation.id == name)
}

/// A router with all paths of the API.
pub(crate) fn routes(clients: &Arc<Clients>) -> Router {
    let mut paths: Vec<(&str, Vec<Route>)> = Vec::new();
    for operation in Description::get().operations() {
        // A test checks that the table has all operations except the token request, which this module handles.
        let does = handler(&operation.id).map_or(Does::GrantToken, Does::Handle);
        let route = Route { operation, does };
        match paths.iter_mut().find(|(path, _)| *path == operation.path) {
            Some((_, routes)) => routes.push(route),
            None => paths.push((&operation.path, vec![route])),
        }
    }
    paths.push((
        &VERIFY_KEYS.path,
        vec![Route {
            operation: &VERIFY_KEYS,
            does: Does::GiveKeys,
        }],
    ));
    let mut router = Router::new();
    for (path, operations) in paths {
        let clients = Arc::clone(clients);
        let operations = Arc::new(operations);
        let serve = async move |path: Result<RawPathParams, RawPathParamsRejection>,
                                request: Request<Body>| {
            let path = path.map(|path| {
                path.iter()
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect()
            });
            Exchange::new(clients, &request)
                .run(&operations, path.ok(), request)
                .await
        };
        router = router.route(path, any(serve));
    }
    let elsewhere = Arc::clone(clients);
    router.fallback(async move |request: Request<Body>| {
        Exchange::new(elsewhere, &request)
            .run(&[], None, request)
            .await
    })
}

/// A request that is being processed.
struct Exchange {
    clients: Arc<Clients>,
    shared: Arc<Shared>,
    /// The time of its arrival on the server's wall clock.
    arrived: SystemTime,
    record: RequestRecord,
    accept: String,
}

/// A request whose body has been read.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    parts: &'a Parts,
    body: &'a Bytes,
    /// The time for checking the signature, which a delay by a fault does not change.
    at: SystemTime,
}

/// The result of a call.
struct Outcome {
    result: Result<Answer, Problem>,
    replayed: bool,
}

impl Exchange {
    fn new(clients: Arc<Clients>, request: &Request<Body>) -> Self {
        let shared = clients.of_request(request.headers());
        let header = |name: HeaderName| {
            let value = request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (number, request_id) = shared.begin_request();
        let record = RequestRecord {
            number,
            at: shared.clock.now(),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            operation: None,
            status: None,
            request_id,
            idempotency_key: header(HeaderName::from_static("idempotency-key")),
            replayed: false,
            fault: None,
            problem: None,
        };
        let arrived = shared.wall();
        let accept = header(ACCEPT).unwrap_or_default();
        Self {
            clients,
            shared,
            arrived,
            record,
            accept,
        }
    }

    async fn run(
        mut self,
        routes: &[Route],
        path: Option<Vec<(String, String)>>,
        request: Request<Body>,
    ) -> Response<Body> {
        let route = routes
            .iter()
            .find(|route| route.operation.method == *request.method());
        let Some(route) = route.copied() else {
            return self.no_such_operation(routes);
        };
        self.record.operation = Some(route.operation.id.clone());
        let fault = self.shared.faults().draw(&route.operation.id);
        self.record.fault = fault.as_ref().map(Fault::name);
        match &fault {
            Some(Fault::ResetBeforeCommit) => return self.reset(),
            Some(Fault::TooManyRequests { retry_after }) => return self.throttled(*retry_after),
            Some(Fault::ServerError {
                status,
                html,
                after_commit: false,
            }) => {
                return self.server_error(*status, *html);
            }
            _ => {}
        }
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAX_BODY).await.ok();
        let Some(Fault::Delay { millis }) = fault else {
            return self.carry_out(route, &parts, path, body, fault.as_ref());
        };
        // It runs on its own task, so that it is completed even if the caller disconnects.
        let late = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            self.carry_out(route, &parts, path, body, fault.as_ref())
        });
        late.await.unwrap_or_else(|_| reset())
    }

    /// `path` and `body` are `None` if they could not be read.
    fn carry_out(
        mut self,
        route: Route,
        parts: &Parts,
        path: Option<Vec<(String, String)>>,
        body: Option<Bytes>,
        fault: Option<&Fault>,
    ) -> Response<Body> {
        let outcome = match (path, body) {
            (Some(path), Some(body)) => {
                let arrival = Arrival {
                    parts,
                    body: &body,
                    at: self.arrived,
                };
                if matches!(route.does, Does::GrantToken)
                    && !parts.headers.contains_key("upvest-client-id")
                {
                    self.shared = self.client_of_form(&body).unwrap_or(self.shared);
                }
                self.shared.call(
                    &route,
                    arrival,
                    path,
                    self.record.idempotency_key.as_deref(),
                )
            }
            (None, _) => Outcome::refused(Problem::invalid("the path is not valid UTF-8")),
            (_, None) => Outcome::refused(Problem::invalid(
                "the body is incomplete, or longer than 4 MiB",
            )),
        };
        self.record.replayed = outcome.replayed;
        match fault {
            Some(Fault::ResetAfterCommit) => self.reset(),
            Some(Fault::ServerError { status, html, .. }) => self.server_error(*status, *html),
            _ => {
                let response = match outcome.result {
                    Ok(answer) => Self::answer(answer),
                    Err(problem) => {
                        self.record.problem = Some(problem.detail.clone());
                        self.problem(&problem)
                    }
                };
                self.finish(response, fault)
            }
        }
    }

    /// The client of a token request is also in its form.
    fn client_of_form(&self, body: &[u8]) -> Option<Arc<Shared>> {
        let id = form_urlencoded::parse(body)
            .find(|(name, _)| name == "client_id")?
            .1;
        self.clients.named(&id)
    }

    fn no_such_operation(self, routes: &[Route]) -> Response<Body> {
        if routes.is_empty() {
            let response = self.problem(&Problem::not_found("The API does not have this path."));
            return self.finish(response, None);
        }
        let methods: Vec<_> = routes
            .iter()
            .map(|route| route.operation.method.as_str())
            .collect();
        let allowed = methods.join(", ");
        let mut response = self.problem(&Problem::method_not_allowed(&allowed));
        response.headers_mut().insert(
            ALLOW,
            HeaderValue::try_from(allowed).expect("methods are tokens"),
        );
        self.finish(response, None)
    }

    fn throttled(self, retry_after: Option<u64>) -> Response<Body> {
        let mut response = self.problem(&Problem::too_many_requests());
        // Removes the default header of a 429 answer, as the fault decides whether there is one.
        response.headers_mut().remove(RETRY_AFTER);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        self.finish(response, None)
    }

    fn server_error(self, status: u16, html: bool) -> Response<Body> {
        let response = if html {
            gateway_page(status)
        } else {
            self.problem_as(PROBLEM, &Problem::server_error(status, ASKED_FOR))
        };
        self.finish(response, None)
    }

    fn reset(self) -> Response<Body> {
        self.shared.end_request(self.record);
        reset()
    }

    fn answer(answer: Answer) -> Response<Bytes> {
        let mut response = Response::new(answer.body);
        *response.status_mut() =
            StatusCode::from_u16(answer.status).expect("the sandbox answers with real statuses");
        if let Ok(media_type) = HeaderValue::try_from(answer.media_type)
            && !media_type.is_empty()
        {
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        response
    }

    /// The media type of problems, as in Upvest's own description (PROTOCOL 5), or `application/json` if the caller accepts only
    /// that.
    fn problem(&self, problem: &Problem) -> Response<Bytes> {
        let mut ranges = self
            .accept
            .split(',')
            .map(|range| range.split(';').next().unwrap_or_default().trim());
        let takes_problems =
            self.accept.is_empty() || ranges.any(|range| is_in_range(PROBLEM, range));
        let media_type = if takes_problems || !self.accept.contains(JSON) {
            PROBLEM
        } else {
            JSON
        };
        let mut response = self.problem_as(media_type, problem);
        if problem.status == 429 {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn problem_as(&self, media_type: &'static str, problem: &Problem) -> Response<Bytes> {
        let body = problem.to_json(&self.record.request_id.to_string());
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }

    fn finish(mut self, mut response: Response<Bytes>, fault: Option<&Fault>) -> Response<Body> {
        let request_id = HeaderValue::try_from(self.record.request_id.to_string())
            .expect("a UUID is a header value");
        response.headers_mut().insert(REQUEST_ID, request_id);
        // Without a shift, the HTTP server sets the date itself.
        if self.shared.faults().clock_shift != 0 {
            let date = httpdate::fmt_http_date(self.shared.wall());
            response.headers_mut().insert(
                DATE,
                HeaderValue::try_from(date).expect("a date is a header value"),
            );
        }
        self.record.status = Some(response.status().as_u16());
        self.shared.end_request(self.record);
        spoil(response, fault)
    }
}

/// Replaces the answer.
fn reset() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Reset);
    response
}

impl<'a> Arrival<'a> {
    fn received(&self) -> IncomingRequest<'a> {
        IncomingRequest::new(
            &self.parts.method,
            &self.parts.uri,
            &self.parts.headers,
            self.body,
        )
    }
}

impl Outcome {
    fn answered(answer: Answer) -> Self {
        Self {
            result: Ok(answer),
            replayed: false,
        }
    }

    fn refused(problem: Problem) -> Self {
        Self {
            result: Err(problem),
            replayed: false,
        }
    }
}

impl Shared {
    /// Carries out a request, or returns a problem.
    fn call(
        &self,
        route: &Route,
        arrival: Arrival<'_>,
        path: Vec<(String, String)>,
        idempotency_key: Option<&str>,
    ) -> Outcome {
        self.try_call(route, arrival, path, idempotency_key)
            .unwrap_or_else(Outcome::refused)
    }

    fn try_call(
        &self,
        route: &Route,
        arrival: Arrival<'_>,
        path: Vec<(String, String)>,
        idempotency_key: Option<&str>,
    ) -> Result<Outcome, Problem> {
        let operation = route.operation;
        let parts = arrival.parts;
        self.throttle()?;
        let handler = match route.does {
            Does::Handle(handler) => handler,
            Does::GrantToken => return self.grant(operation, arrival).map(Outcome::answered),
            Does::GiveKeys => {
                self.authorise(operation, arrival)?;
                acceptable(&operation.media_types, parts)?;
                return Ok(Outcome::answered(Answer::json_text(
                    &self.webhook_keys().key_set(),
                )));
            }
        };
        self.authorise(operation, arrival)?;
        let is_json = operation.media_types.iter().all(|offered| offered == JSON);
        if is_json {
            acceptable(&operation.media_types, parts)?;
        }
        let json = read_body(operation, parts, arrival.body)?;
        let call = Call::read(operation, path, parts.uri.query(), json)?;
        let key = self.idempotency_key(operation, idempotency_key)?;
        let request = key.map(|_| {
            let target = parts
                .uri
                .path_and_query()
                .map_or("", |target| target.as_str());
            fingerprint(parts.method.as_str(), target, arrival.body)
        });
        let outcome = self.commit(handler, &call, key.zip(request));
        if let Ok(answer) = &outcome.result
            && !is_json
            && accepted(parts).any(|(range, wanted)| range == answer.media_type && !wanted)
        {
            // The media type of a file is not negotiated, as generated clients always ask for JSON.
            return Err(Problem::not_acceptable(&answer.media_type));
        }
        Ok(outcome)
    }

    fn grant(&self, operation: &Operation, arrival: Arrival<'_>) -> Result<Answer, Problem> {
        acceptable(&operation.media_types, arrival.parts)?;
        let form = read_body(operation, arrival.parts, arrival.body)?;
        let call = Call::read(operation, Vec::new(), None, form)?;
        let secret = self.token_secret();
        let now = self.clock.now();
        let mut access = self.access();
        access.check_signature(&arrival.received(), arrival.parts, arrival.at)?;
        access.grant(&call.body, secret, now)
    }

    fn authorise(&self, operation: &Operation, arrival: Arrival<'_>) -> Result<(), Problem> {
        let headers = &arrival.parts.headers;
        let mut access = self.access();
        access.check(operation, headers, self.clock.now())?;
        access.check_signature(&arrival.received(), arrival.parts, arrival.at)
    }

    fn idempotency_key(
        &self,
        operation: &Operation,
        key: Option<&str>,
    ) -> Result<Option<Uuid>, Problem> {
        if !operation.takes_idempotency_key {
            return Ok(None);
        }
        match key {
            Some(key) => match Uuid::try_parse(key) {
                Ok(key) => Ok(Some(key)),
                Err(_) => Err(Problem::invalid(
                    "the header `idempotency-key` is not a UUID",
                )),
            },
            None if self.access().strictness.idempotency_keys => {
                Err(Problem::missing_idempotency_key())
            }
            None => Ok(None),
        }
    }

    /// Calls the handler. Only this function changes the state for a call.
    fn commit(&self, handler: Handler, call: &Call, key: Option<(Uuid, Fingerprint)>) -> Outcome {
        let now = self.clock.now();
        if let Handler::Read(read) = handler {
            let core = self.core_to_read();
            // If nothing is due, reads need not wait for each other. A read that panics is repeated below, where the
            // panic is recorded.
            if core.state.is_up_to_date(now)
                && let Ok(result) = catch_unwind(AssertUnwindSafe(|| read(&core.state, call)))
            {
                return Outcome {
                    result,
                    replayed: false,
                };
            }
        }
        let mut core = self.core();
        core.state.run_until(now);
        let core = &mut *core;
        if let Some((key, request)) = key {
            match core.idempotency.recall(key, request, &core.state) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    return Outcome {
                        result: Ok(answer),
                        replayed: true,
                    };
                }
                Err(problem) => return Outcome::refused(problem),
            }
        }
        let result = core
            .state
            .survive("a call", |state| handler.run(state, call));
        let result =
            result.unwrap_or_else(|| Err(Problem::server_error(500, "The sandbox has a bug.")));
        if let (Ok(answer), Some((key, request))) = (&result, key) {
            core.idempotency
                .remember(key, request, answer, core.state.time.now);
        }
        Outcome {
            result,
            replayed: false,
        }
    }
}

/// Checks that the caller accepts one of the offered media types.
fn acceptable(offered: &[String], parts: &Parts) -> Result<(), Problem> {
    if !parts.headers.contains_key(ACCEPT) || offered.is_empty() {
        return Ok(());
    }
    let takes =
        |(range, wanted): (&str, bool)| wanted && offered.iter().any(|it| is_in_range(it, range));
    if accepted(parts).any(takes) {
        Ok(())
    } else {
        Err(Problem::not_acceptable(&offered.join(" or ")))
    }
}

/// The media ranges of the header `accept`, without those with the weight 0, which are not acceptable (RFC 9110 section 12.5.1).
fn accepted(parts: &Parts) -> impl Iterator<Item = (&str, bool)> {
    let values = parts
        .headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|range| {
        let (range, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters
            .split(';')
            .find_map(|it| it.trim().strip_prefix("q=")?.parse::<f32>().ok());
        (range.trim(), weight != Some(0.0))
    })
}

fn is_in_range(media_type: &str, range: &str) -> bool {
    match range.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => media_type.split('/').next() == Some(kind),
        None => media_type == range,
    }
}

/// Parses the body in the format of the operation: JSON or a form.
fn read_body(operation: &Operation, parts: &Parts, body: &Bytes) -> Result<Value, Problem> {
    let Some(wanted) = &operation.body else {
        return Ok(Value::Null);
    };
    let given = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case(&wanted.media_type)
    {
        return Err(Problem::invalid(format!(
            "the body must be {}, by its header `content-type` too",
            wanted.media_type
        )));
    }
    if wanted.media_type == "application/json" {
        return serde_json::from_slice(body).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Problem::invalid(format!("the body is not valid JSON, at {place}"))
        });
    }
    let fields = form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
    Ok(Value::Object(fields.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_with_500_and_the_next_call_as_ever() {
        let sandbox = crate::Sandbox::start().await.unwrap();
        let call = Call {
            path: Vec::new(),
            query: Vec::new(),
            body: Value::Null,
        };
        for panics in [
            Handler::Read(|_, _| panic!("on purpose")),
            Handler::Change(|_, _| panic!("on purpose")),
        ] {
            let outcome = sandbox.shared.commit(panics, &call, None);
            assert_eq!(
                outcome.result.err().map(|problem| problem.status),
                Some(500)
            );
        }
        let outcome = sandbox.shared.commit(
            Handler::Change(|_, _| Ok(Answer::no_content())),
            &call,
            None,
        );
        assert_eq!(outcome.result.ok().map(|answer| answer.status), Some(204));
        assert_eq!(sandbox.audit().len(), 2);
    }
}
