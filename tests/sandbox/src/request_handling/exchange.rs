//! Handles one request: applies faults before and after the call, and makes the response.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};

use super::calls::{Arrival, Outcome};
use super::routes::{Route, ServedBy};
use crate::clients::Clients;
use crate::description::Operation;
use crate::faults::Fault;
use crate::http::call::Response;
use crate::http::fault_body::{gateway_page, spoil};
use crate::http::media_types::is_in_range;
use crate::http::paths::Parameters;
use crate::http::problem::Problem;
use crate::http::request_body::{BodyError, read_whole};
use crate::http::server::Reset;
use crate::log::RequestRecord;
use crate::shared::Shared;

const REQUEST_ID: HeaderName = HeaderName::from_static("upvest-request-id");
const PROBLEM: &str = "application/problem+json";
const REQUESTED_FAULT: &str = "A requested fault.";
const JSON: &str = "application/json";

/// A request that is being processed.
pub(super) struct Exchange {
    clients: Arc<Clients>,
    /// The state of the client that sent the request.
    client: Arc<Shared>,
    /// The arrival on the server's wall clock, which a fault can shift. `record.at` is the arrival on the sandbox's
    /// clock.
    arrival_wall_time: SystemTime,
    record: RequestRecord,
    accept: String,
    /// The operation, once it is known.
    operation: Option<Arc<Operation>>,
    /// The state that a stale read gets.
    earlier_state: Option<Arc<[u8]>>,
}

impl Exchange {
    pub(super) fn new(clients: Arc<Clients>, request: &Request<Body>) -> Self {
        let client = clients.of_request(request.headers());
        let header = |name: HeaderName| {
            let value = request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (number, request_id) = client.begin_request();
        let record = RequestRecord {
            number,
            at: client.clock.now(),
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
        let arrival_wall_time = client.wall_time();
        let accept = header(ACCEPT).unwrap_or_default();
        Self {
            clients,
            client,
            arrival_wall_time,
            record,
            accept,
            operation: None,
            earlier_state: None,
        }
    }

    pub(super) async fn run(
        mut self,
        routes: &[Route],
        path: Parameters,
        request: Request<Body>,
    ) -> http::Response<Body> {
        let route = routes
            .iter()
            .find(|route| route.operation.method == *request.method());
        let (parts, body) = request.into_parts();
        // Read before any response, as the connection cannot be used again if a part of the request is still on its
        // way.
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
        // The call runs on its own task, so that it is completed even if the caller disconnects.
        let late = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            self.carry_out(&route, &parts, path, body, fault.as_ref())
        });
        late.await.unwrap_or_else(|_| reset())
    }

    fn draw_fault(&mut self, operation: &Operation) -> Option<Fault> {
        let is_read = operation.method == Method::GET;
        let now = self.client.clock.now();
        let drawn = self.client.faults().draw(&operation.id, is_read, now)?;
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
    ) -> http::Response<Body> {
        let outcome = match (path, body) {
            (Some(path), Ok(body)) => {
                let earlier_state = self.earlier_state.take();
                let arrival = Arrival {
                    parts,
                    body: &body,
                    at: self.arrival_wall_time,
                    earlier_state: earlier_state.as_deref(),
                };
                if matches!(route.served_by, ServedBy::GrantToken)
                    && !parts.headers.contains_key("upvest-client-id")
                {
                    self.client = self.client_of_form(&body).unwrap_or(self.client);
                }
                self.client
                    .call(route, arrival, path, self.record.idempotency_key.as_deref())
            }
            (None, _) => Outcome::rejected(Problem::invalid("the path is not valid UTF-8")),
            (_, Err(error)) => {
                Outcome::rejected(Problem::invalid(error.to_string()).with_status(error.status()))
            }
        };
        self.record.replayed = outcome.replayed;
        match fault {
            Some(Fault::ResetAfterCommit) => self.reset(),
            Some(Fault::ServerError { status, html, .. }) => self.server_error(*status, *html),
            _ => {
                let response = match outcome.result {
                    Ok(response) => Self::answer(response),
                    Err(problem) => {
                        self.record.problem = Some(problem.detail.clone());
                        self.problem(&problem)
                    }
                };
                self.finish(response, fault)
            }
        }
    }

    /// Returns the client that the form of a token request names.
    fn client_of_form(&self, body: &[u8]) -> Option<Arc<Shared>> {
        let id = form_urlencoded::parse(body)
            .find(|(name, _)| name == "client_id")?
            .1;
        self.clients.named(&id)
    }

    fn no_such_operation(self, routes: &[Route]) -> http::Response<Body> {
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

    fn throttled(self, retry_after: Option<u64>) -> http::Response<Body> {
        let mut response = self.problem(&Problem::too_many_requests());
        // Removes the default header of a 429 answer, as the fault decides whether there is one.
        response.headers_mut().remove(RETRY_AFTER);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        self.finish(response, None)
    }

    fn server_error(self, status: u16, html: bool) -> http::Response<Body> {
        let response = if html {
            gateway_page(status)
        } else {
            self.problem_as(PROBLEM, &Problem::server_error(status, REQUESTED_FAULT))
        };
        self.finish(response, None)
    }

    fn reset(self) -> http::Response<Body> {
        self.client.end_request(self.record);
        reset()
    }

    fn answer(response: Response) -> http::Response<Bytes> {
        let status = StatusCode::from_u16(response.status);
        let mut sent = http::Response::new(response.body);
        *sent.status_mut() = status.expect("the sandbox answers with real statuses");
        if let Ok(media_type) = HeaderValue::try_from(response.media_type)
            && !media_type.is_empty()
        {
            sent.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        for (name, value) in response.headers {
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                sent.headers_mut().insert(name, value);
            }
        }
        sent
    }

    /// Makes the response to a problem. Its media type is `application/problem+json`, as in Upvest's own description
    /// (PROTOCOL 5), or `application/json` if the caller accepts only that.
    fn problem(&self, problem: &Problem) -> http::Response<Bytes> {
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

    fn problem_as(&self, media_type: &'static str, problem: &Problem) -> http::Response<Bytes> {
        let body = problem.to_json(&self.record.request_id.to_string());
        let custom = self.custom_error_body(problem, &body);
        let media_type = custom
            .as_ref()
            .and_then(|(media_type, _)| HeaderValue::try_from(media_type).ok())
            .unwrap_or(HeaderValue::from_static(media_type));
        let body = custom.map_or(body, |(_, body)| body.into_bytes());
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }

    /// Builds the error body that the user's own OpenAPI description defines. Returns the media type and the body.
    fn custom_error_body(&self, problem: &Problem, body: &[u8]) -> Option<(String, String)> {
        let setup = &self.client.setup;
        // The built-in description defines problem documents, which need no conversion.
        if setup.description.has_rules() {
            return None;
        }
        let operation = self.operation.as_ref()?;
        let body = serde_json::from_slice(body).ok()?;
        let now = self.client.clock.now();
        setup
            .engine
            .problem_body(operation, problem.status, &body, now)
    }

    fn finish(
        mut self,
        mut response: http::Response<Bytes>,
        fault: Option<&Fault>,
    ) -> http::Response<Body> {
        let request_id = HeaderValue::try_from(self.record.request_id.to_string())
            .expect("a UUID is a header value");
        response.headers_mut().insert(REQUEST_ID, request_id);
        // Without a shift, the HTTP server sets the date itself.
        if self.client.faults().clock_shift != 0 {
            let date = httpdate::fmt_http_date(self.client.wall_time());
            response.headers_mut().insert(
                DATE,
                HeaderValue::try_from(date).expect("a date is a header value"),
            );
        }
        self.record.status = Some(response.status().as_u16());
        self.client.end_request(self.record);
        spoil(response, fault)
    }
}

/// Returns a mark instead of a response, which makes the server reset the connection.
fn reset() -> http::Response<Body> {
    let mut response = http::Response::new(Body::empty());
    response.extensions_mut().insert(Reset);
    response
}
