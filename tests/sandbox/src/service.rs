//! Processes a request: access control, validation, idempotency, faults, and the handler of the operation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use upvest_signing::IncomingRequest;
use uuid::Uuid;

use crate::clients::Clients;
use crate::description::{Description, Operation, OperationAccess, Schema, is_json};
use crate::digest::short_digest;
use crate::engine::{self, Engine};
use crate::faults::Fault;
use crate::http::built_in::{FORM, TOKEN, TOKEN_ID, VERIFY_KEYS, VERIFY_KEYS_ID, grants_tokens};
use crate::http::call::{Answer, Call, GivenBody};
use crate::http::fault_body::{gateway_page, spoil};
use crate::http::idempotency::{Fingerprint, fingerprint};
use crate::http::operations::{Handler, handler};
use crate::http::paths::{Parameters, Paths};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyError, read_whole};
use crate::http::server::Reset;
use crate::log::RequestRecord;
use crate::shared::{Core, Shared};

const REQUEST_ID: HeaderName = HeaderName::from_static("upvest-request-id");
const PROBLEM: &str = "application/problem+json";
const ASKED_FOR: &str = "A requested fault.";
const JSON: &str = "application/json";
const BUG: &str = "The sandbox has a bug.";

/// An operation and what serves it.
#[derive(Clone, Debug)]
struct Route {
    operation: Arc<Operation>,
    does: Does,
}

#[derive(Clone, Copy, Debug)]
enum Does {
    /// The rules of the description of this workspace.
    Handle(Handler),
    /// The engine, by the number of the operation in the description.
    Serve(usize),
    GrantToken,
    GiveKeys,
}

/// A router with all paths of the API.
pub(crate) fn routes(clients: &Arc<Clients>) -> Router {
    let description = &clients.first.setup.description;
    let base_paths = description.base_paths();
    let paths = Arc::new(Paths::new(all_routes(description)));
    let clients = Arc::clone(clients);
    Router::new().fallback(async move |request: Request<Body>| {
        let exchange = Exchange::new(clients, &request);
        let path = request.uri().path();
        let of_base = base_paths.iter().find_map(|base| {
            let path = path.strip_prefix(base.as_str())?;
            paths.find(path)
        });
        let (routes, path) = match paths.find(path).or(of_base) {
            Some((routes, path)) => (routes.as_slice(), path),
            None => (&[][..], Some(Vec::new())),
        };
        exchange.run(routes, path, request).await
    })
}

/// The operations at each path.
fn all_routes(description: &Description) -> Vec<(String, Vec<Route>)> {
    let mut paths: Vec<(String, Vec<Route>)> = Vec::new();
    let described = description.operations().iter().enumerate();
    let described = described.map(|(at, operation)| Route {
        does: does(description, at, operation),
        operation: Arc::clone(operation),
    });
    let mut routes: Vec<_> = described.collect();
    for route in undescribed() {
        let same = |it: &Route| {
            it.operation.path == route.operation.path
                || matches!((it.does, route.does), (Does::GrantToken, Does::GrantToken))
        };
        if !routes.iter().any(same) {
            routes.push(route);
        }
    }
    for route in routes {
        let path = &route.operation.path;
        match paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, routes)) => routes.push(route),
            None => paths.push((path.clone(), vec![route])),
        }
    }
    paths
}

fn does(description: &Description, at: usize, operation: &Operation) -> Does {
    if grants_tokens(description, operation) {
        return Does::GrantToken;
    }
    if operation.method == Method::GET && operation.path == VERIFY_KEYS {
        return Does::GiveKeys;
    }
    let rules = handler(&operation.id).filter(|_| description.has_rules());
    rules.map_or(Does::Serve(at), Does::Handle)
}

/// What every sandbox serves, whether or not the description has it.
fn undescribed() -> [Route; 2] {
    let reads_keys = ["webhooks:read", "webhooks:admin"].map(str::to_owned);
    let access = OperationAccess::Token(reads_keys.into());
    let keys = Operation::undescribed(VERIFY_KEYS_ID, Method::GET, VERIFY_KEYS, access, None);
    let open = OperationAccess::Open;
    let token = Operation::undescribed(TOKEN_ID, Method::POST, TOKEN, open, Some(FORM));
    [
        Route {
            operation: Arc::new(keys),
            does: Does::GiveKeys,
        },
        Route {
            operation: Arc::new(token),
            does: Does::GrantToken,
        },
    ]
}

/// A request that is being processed.
struct Exchange {
    clients: Arc<Clients>,
    shared: Arc<Shared>,
    /// The time of its arrival on the server's wall clock.
    arrived: SystemTime,
    record: RequestRecord,
    accept: String,
    /// The operation, once it is known.
    operation: Option<Arc<Operation>>,
    /// The state that a stale read gets.
    earlier_state: Option<Arc<[u8]>>,
}

/// A request whose body has been read.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    parts: &'a Parts,
    body: &'a Bytes,
    /// The time for checking the signature, which a delay by a fault does not change.
    at: SystemTime,
    /// The state that a stale read gets, as JSON.
    earlier_state: Option<&'a [u8]>,
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
            operation: None,
            earlier_state: None,
        }
    }

    async fn run(
        mut self,
        routes: &[Route],
        path: Parameters,
        request: Request<Body>,
    ) -> Response<Body> {
        let route = routes
            .iter()
            .find(|route| route.operation.method == *request.method());
        let (parts, body) = request.into_parts();
        // Read before any answer, as the connection cannot be used again if a part of the request is still on its way.
        let body = read_whole(body).await;
        let Some(route) = route.cloned() else {
            return self.no_such_operation(routes);
        };
        self.record.operation = Some(route.operation.id.clone());
        self.operation = Some(Arc::clone(&route.operation));
        let fault = self.draw_fault(&route.operation);
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
        let Some(Fault::Delay { millis }) = fault else {
            return self.carry_out(&route, &parts, path, body, fault.as_ref());
        };
        // It runs on its own task, so that it is completed even if the caller disconnects.
        let late = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            self.carry_out(&route, &parts, path, body, fault.as_ref())
        });
        late.await.unwrap_or_else(|_| reset())
    }

    fn draw_fault(&mut self, operation: &Operation) -> Option<Fault> {
        let is_read = operation.method == Method::GET;
        let now = self.shared.clock.now();
        let drawn = self.shared.faults().draw(&operation.id, is_read, now)?;
        self.earlier_state = drawn.earlier_state;
        Some(drawn.fault)
    }

    /// `path` is `None` if it is not valid UTF-8.
    fn carry_out(
        mut self,
        route: &Route,
        parts: &Parts,
        path: Parameters,
        body: Result<Bytes, BodyError>,
        fault: Option<&Fault>,
    ) -> Response<Body> {
        let outcome = match (path, body) {
            (Some(path), Ok(body)) => {
                let earlier_state = self.earlier_state.take();
                let arrival = Arrival {
                    parts,
                    body: &body,
                    at: self.arrived,
                    earlier_state: earlier_state.as_deref(),
                };
                if matches!(route.does, Does::GrantToken)
                    && !parts.headers.contains_key("upvest-client-id")
                {
                    self.shared = self.client_of_form(&body).unwrap_or(self.shared);
                }
                self.shared
                    .call(route, arrival, path, self.record.idempotency_key.as_deref())
            }
            (None, _) => Outcome::refused(Problem::invalid("the path is not valid UTF-8")),
            (_, Err(error)) => {
                Outcome::refused(Problem::invalid(error.to_string()).with_status(error.status()))
            }
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
        for (name, value) in answer.headers {
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// The media type of problems, as in Upvest's own description (PROTOCOL 5), or `application/json` if the caller
    /// accepts only that.
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
        let described = self.described_problem(problem, &body);
        let media_type = described
            .as_ref()
            .and_then(|(media_type, _)| HeaderValue::try_from(media_type).ok())
            .unwrap_or(HeaderValue::from_static(media_type));
        let body = described.map_or(body, |(_, body)| body.into_bytes());
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }

    /// The error as a description of the user's own has it: its media type and its body.
    fn described_problem(&self, problem: &Problem, body: &[u8]) -> Option<(String, String)> {
        let engine = self.shared.setup.engine.as_ref()?;
        let operation = self.operation.as_ref()?;
        let body = serde_json::from_slice(body).ok()?;
        let now = self.shared.clock.now();
        engine.problem_body(operation, problem.status, &body, now)
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
        let operation = &*route.operation;
        let parts = arrival.parts;
        self.throttle()?;
        if matches!(route.does, Does::GrantToken) {
            return self.grant(operation, arrival).map(Outcome::answered);
        }
        self.authorise(operation, arrival)?;
        let all_json = operation.media_types.iter().all(|offered| is_json(offered));
        if all_json {
            acceptable(&operation.media_types, parts)?;
        }
        if matches!(route.does, Does::GiveKeys) {
            let keys = self.webhook_keys().key_set();
            return Ok(Outcome::answered(Answer::json_text(&keys)));
        }
        let call = self
            .read_call(operation, path, parts, arrival.body)
            .map_err(|problem| problem_as_described(operation, problem))?;
        let key = self.idempotency_key(operation, idempotency_key)?;
        let request = key.map(|_| {
            let target = parts
                .uri
                .path_and_query()
                .map_or("", |target| target.as_str());
            fingerprint(parts.method.as_str(), target, arrival.body)
        });
        let key = key.zip(request);
        let mut outcome = match route.does {
            Does::Serve(at) => self.serve(at, &call, arrival, key),
            Does::Handle(handler) => self.commit(&handler, &call, key, arrival.earlier_state),
            Does::GrantToken | Does::GiveKeys => return Err(Problem::server_error(500, BUG)),
        };
        if let Err(problem) = outcome.result {
            outcome.result = Err(problem_as_described(operation, problem));
        }
        if let Ok(answer) = &outcome.result
            && !all_json
            && accepted(parts).any(|(range, wanted)| range == answer.media_type && !wanted)
        {
            // The media type of a file is not negotiated, as generated clients always ask for JSON.
            return Err(Problem::not_acceptable(&answer.media_type));
        }
        Ok(outcome)
    }

    fn read_call(
        &self,
        operation: &Operation,
        path: Vec<(String, String)>,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Call, Problem> {
        let body = read_body(operation, parts, body)?;
        let description = &self.setup.description;
        Call::read(description, operation, path, parts.uri.query(), body)
    }

    /// Lets the engine serve a call.
    fn serve(
        &self,
        at: usize,
        call: &Call,
        arrival: Arrival<'_>,
        key: Option<(Uuid, Fingerprint)>,
    ) -> Outcome {
        let accept = arrival.parts.headers.get(ACCEPT);
        let request = engine::Request {
            path: &call.path,
            query: &call.query,
            body: &call.body,
            accept: accept.and_then(|it| it.to_str().ok()).unwrap_or_default(),
        };
        let Some(engine) = &self.setup.engine else {
            return Outcome::refused(Problem::server_error(500, BUG));
        };
        self.commit(
            &Served {
                engine,
                at,
                request,
            },
            call,
            key,
            arrival.earlier_state,
        )
    }

    fn grant(&self, operation: &Operation, arrival: Arrival<'_>) -> Result<Answer, Problem> {
        acceptable(&operation.media_types, arrival.parts)?;
        let call = self
            .read_call(operation, Vec::new(), arrival.parts, arrival.body)
            .map_err(|problem| problem_as_described(operation, problem))?;
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
        if !matches!(operation.access, OperationAccess::Token(_)) {
            return Ok(());
        }
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
                // Other APIs have keys of other forms.
                Err(_) if self.setup.engine.is_some() => {
                    Ok(Some(Uuid::from_bytes(short_digest(&[key.as_bytes()]))))
                }
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

    /// Carries out a call. Only this function changes the state for a call.
    fn commit(
        &self,
        work: &dyn Work,
        call: &Call,
        key: Option<(Uuid, Fingerprint)>,
        earlier_state: Option<&[u8]>,
    ) -> Outcome {
        let earlier = earlier_state.and_then(|state| read_from(state, work, call));
        if let Some(result) = earlier {
            return Outcome {
                result,
                replayed: false,
            };
        }
        let now = self.clock.now();
        {
            let core = self.core_to_read();
            // If nothing is due, reads need not wait for each other. A read that panics is repeated below, where the
            // panic is recorded.
            if core.is_up_to_date(now)
                && let Ok(Some(result)) = catch_unwind(AssertUnwindSafe(|| work.read(&core, call)))
            {
                return Outcome {
                    result,
                    replayed: false,
                };
            }
        }
        let mut core = self.core();
        self.catch_up(&mut core, now);
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
        let done = catch_unwind(AssertUnwindSafe(|| work.run(core, call)));
        let result = done.unwrap_or_else(|_| {
            core.state.record_panic("a call");
            Err(Problem::server_error(500, BUG))
        });
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

/// What carries out a call. If it returns a problem, nothing has changed.
trait Work {
    /// Carries out a call that changes nothing. `None` if it may change something.
    fn read(&self, core: &Core, call: &Call) -> Option<Result<Answer, Problem>>;

    fn run(&self, core: &mut Core, call: &Call) -> Result<Answer, Problem>;
}

impl Work for Handler {
    fn read(&self, core: &Core, call: &Call) -> Option<Result<Answer, Problem>> {
        match self {
            Self::Read(read) => Some(read(&core.state, call)),
            Self::Change(_) => None,
        }
    }

    fn run(&self, core: &mut Core, call: &Call) -> Result<Answer, Problem> {
        Handler::run(*self, &mut core.state, call)
    }
}

/// Carries out a read of an earlier state. `None` if the call changes something, or reads what is made by its first
/// read.
fn read_from(state: &[u8], work: &dyn Work, call: &Call) -> Option<Result<Answer, Problem>> {
    let core: Core = serde_json::from_slice(state).ok()?;
    catch_unwind(AssertUnwindSafe(|| work.read(&core, call))).ok()?
}

/// An operation that the engine serves.
struct Served<'a> {
    engine: &'a Engine,
    at: usize,
    request: engine::Request<'a>,
}

impl Work for Served<'_> {
    fn read(&self, core: &Core, _: &Call) -> Option<Result<Answer, Problem>> {
        let now = core.state.time.now;
        let reply = self.engine.read(self.at, &core.rows, now, self.request)?;
        Some(reply.map(Answer::from).map_err(Problem::from))
    }

    fn run(&self, core: &mut Core, _: &Call) -> Result<Answer, Problem> {
        let mut world = core.world();
        let reply = self.engine.serve(self.at, &mut world, self.request);
        reply.map(Answer::from).map_err(Problem::from)
    }
}

/// A problem with the status that the description has for it: an invalid request can be 422, and so can an unknown id
/// in its body.
fn problem_as_described(operation: &Operation, problem: Problem) -> Problem {
    let others: &[u16] = match problem.status {
        400 => &[400, 422],
        422 => &[422, 404, 400],
        409 => &[409, 422, 400, 404],
        _ => &[],
    };
    let described = others.iter().find(|status| operation.answers(**status));
    match described {
        Some(status) => problem.with_status(*status),
        None => problem,
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

/// The media ranges of the header `accept`, without those with the weight 0, which are not acceptable (RFC 9110
/// section 12.5.1).
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

/// Parses the body in a format of the operation: JSON, a form, or anything else as a text.
fn read_body<'a>(
    operation: &'a Operation,
    parts: &Parts,
    body: &Bytes,
) -> Result<GivenBody<'a>, Problem> {
    let Some(first) = operation.bodies.first() else {
        return Ok(GivenBody::default());
    };
    let given = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if given.is_empty() && body.is_empty() && !operation.needs_body {
        return Ok(GivenBody::default());
    }
    let mut bodies = operation.bodies.iter();
    let fitting = bodies.find(|it| is_in_range_ignoring_case(given, &it.media_type));
    let Some(wanted) = fitting else {
        return Err(Problem::invalid(format!(
            "the body must be {}, by its header `content-type` too",
            first.media_type
        )));
    };
    let value = if is_json(given) {
        serde_json::from_slice(body).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Problem::invalid(format!("the body is not valid JSON, at {place}"))
        })?
    } else if given.eq_ignore_ascii_case(FORM) {
        read_form(body, wanted.schema.as_ref())
    } else {
        // The schemas of files and of forms with files say nothing about the bytes.
        return Ok(GivenBody::default());
    };
    Ok(GivenBody {
        value,
        schema: wanted.schema.as_ref(),
    })
}

fn is_in_range_ignoring_case(media_type: &str, range: &str) -> bool {
    let range = range.split(';').next().unwrap_or_default().trim();
    is_in_range(
        &media_type.to_ascii_lowercase(),
        &range.to_ascii_lowercase(),
    )
}

/// Inserts a field of a form: `a[b]` is a field of `a`, and `a[]` an item of it.
fn insert_field(form: &mut Value, name: &str, value: String) {
    let value = Value::String(value);
    let Some((first, rest)) = name.split_once('[') else {
        form[name] = value;
        return;
    };
    let inner = &mut form[first];
    let (key, _) = rest.split_once(']').unwrap_or((rest, ""));
    let is_index = key.bytes().all(|byte| byte.is_ascii_digit());
    match inner {
        Value::Array(items) if is_index => items.push(value),
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        inner if is_index => *inner = Value::Array(vec![value]),
        inner => {
            let fields = [(key.to_owned(), value)];
            *inner = Value::Object(fields.into_iter().collect());
        }
    }
}

/// A form. A field that is not a text in the schema is read as JSON.
fn read_form(body: &Bytes, schema: Option<&Schema>) -> Value {
    let mut form = Value::Object(serde_json::Map::new());
    for (name, value) in form_urlencoded::parse(body) {
        insert_field(&mut form, &name, value.into_owned());
    }
    let mismatches = schema.map(|schema| schema.mismatches(&form));
    for mismatch in mismatches.into_iter().flatten() {
        let field = form.pointer_mut(&mismatch.at).filter(|it| it.is_string());
        if let Some(field) = field
            && let Some(Ok(value)) = field.as_str().map(serde_json::from_str::<Value>)
            && !value.is_string()
        {
            *field = value;
        }
    }
    form
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
            let outcome = sandbox.shared.commit(&panics, &call, None, None);
            assert_eq!(
                outcome.result.err().map(|problem| problem.status),
                Some(500)
            );
        }
        let outcome = sandbox.shared.commit(
            &Handler::Change(|_, _| Ok(Answer::no_content())),
            &call,
            None,
            None,
        );
        assert_eq!(outcome.result.ok().map(|answer| answer.status), Some(204));
        assert_eq!(sandbox.audit().len(), 2);
    }
}
