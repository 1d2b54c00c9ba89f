//! Carries out a call of an operation: access, validation, idempotency, and the handler or the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::ACCEPT;
use http::request::Parts;
use upvest_signing::IncomingRequest;
use uuid::Uuid;

use super::routes::{Route, ServedBy};
use crate::description::{Operation, OperationAccess, is_json};
use crate::digest::short_digest;
use crate::engine::{self, Engine};
use crate::http::call::{Call, Response};
use crate::http::given_body::read_body;
use crate::http::idempotency::{Fingerprint, fingerprint};
use crate::http::media_types::{acceptable, accepted};
use crate::http::operations::Handler;
use crate::http::problem::Problem;
use crate::shared::{Core, Shared};

const BUG: &str = "The sandbox has a bug.";

/// A request whose body has been read.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a Bytes,
    /// When the request arrived. The signature is checked against it, so that the delay of a fault does not make it
    /// expire.
    pub(super) at: SystemTime,
    /// The state that a stale read gets, as JSON.
    pub(super) earlier_state: Option<&'a [u8]>,
}

/// The result of a call.
pub(super) struct Outcome {
    pub(super) result: Result<Response, Problem>,
    pub(super) replayed: bool,
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
    fn answered(response: Response) -> Self {
        Self {
            result: Ok(response),
            replayed: false,
        }
    }

    pub(super) fn rejected(problem: Problem) -> Self {
        Self {
            result: Err(problem),
            replayed: false,
        }
    }
}

impl Shared {
    /// Carries out a request, or returns a problem.
    pub(super) fn call(
        &self,
        route: &Route,
        arrival: Arrival<'_>,
        path: Vec<(String, String)>,
        idempotency_key: Option<&str>,
    ) -> Outcome {
        self.try_call(route, arrival, path, idempotency_key)
            .unwrap_or_else(Outcome::rejected)
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
        if matches!(route.served_by, ServedBy::GrantToken) {
            return self.grant(operation, arrival).map(Outcome::answered);
        }
        self.authorise(operation, arrival)?;
        let all_json = operation.media_types.iter().all(|offered| is_json(offered));
        if all_json {
            acceptable(&operation.media_types, parts)?;
        }
        if matches!(route.served_by, ServedBy::GiveKeys) {
            let keys = self.webhook_keys().key_set();
            let keys = keys.map_err(|error| Problem::server_error(500, &error.to_string()))?;
            return Ok(Outcome::answered(Response::json_text(&keys)));
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
        let mut outcome = match route.served_by {
            ServedBy::Serve(at) => self.serve(at, &call, arrival, key),
            ServedBy::Handle(handler) => self.commit(&handler, &call, key, arrival.earlier_state),
            ServedBy::GrantToken | ServedBy::GiveKeys => {
                return Err(Problem::server_error(500, BUG));
            }
        };
        if let Err(problem) = outcome.result {
            outcome.result = Err(problem_as_described(operation, problem));
        }
        if let Ok(response) = &outcome.result
            && !all_json
            && accepted(parts).any(|(range, wanted)| range == response.media_type && !wanted)
        {
            // The media type of a file is not negotiated, as generated clients always ask for JSON.
            return Err(Problem::not_acceptable(&response.media_type));
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
        let engine = &self.setup.engine;
        let served = Served {
            engine,
            at,
            request,
        };
        self.commit(&served, call, key, arrival.earlier_state)
    }

    fn grant(&self, operation: &Operation, arrival: Arrival<'_>) -> Result<Response, Problem> {
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
                Err(_) if !self.setup.description.has_rules() => {
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
                Ok(Some(response)) => {
                    return Outcome {
                        result: Ok(response),
                        replayed: true,
                    };
                }
                Err(problem) => return Outcome::rejected(problem),
            }
        }
        let done = catch_unwind(AssertUnwindSafe(|| work.run(core, call)));
        let result = done.unwrap_or_else(|_| {
            core.state.record_panic("a call");
            Err(Problem::server_error(500, BUG))
        });
        if let (Ok(response), Some((key, request))) = (&result, key) {
            core.idempotency
                .remember(key, request, response, core.state.timeline.now);
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
    fn read(&self, core: &Core, call: &Call) -> Option<Result<Response, Problem>>;

    fn run(&self, core: &mut Core, call: &Call) -> Result<Response, Problem>;
}

impl Work for Handler {
    fn read(&self, core: &Core, call: &Call) -> Option<Result<Response, Problem>> {
        match self {
            Self::Read(read) => Some(read(&core.state, call)),
            Self::Change(_) => None,
        }
    }

    fn run(&self, core: &mut Core, call: &Call) -> Result<Response, Problem> {
        Handler::run(*self, &mut core.state, call)
    }
}

/// Carries out a read of an earlier state. `None` if the call changes something, or reads what is made by its first
/// read.
fn read_from(state: &[u8], work: &dyn Work, call: &Call) -> Option<Result<Response, Problem>> {
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
    fn read(&self, core: &Core, _: &Call) -> Option<Result<Response, Problem>> {
        let response = self.engine.read(self.at, &core.state, self.request)?;
        Some(response.map(Response::from).map_err(Problem::from))
    }

    fn run(&self, core: &mut Core, _: &Call) -> Result<Response, Problem> {
        let response = self.engine.serve(self.at, &mut core.state, self.request);
        response.map(Response::from).map_err(Problem::from)
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn a_panic_gives_a_500_and_the_next_call_succeeds() {
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
            &Handler::Change(|_, _| Ok(Response::no_content())),
            &call,
            None,
            None,
        );
        assert_eq!(
            outcome.result.ok().map(|response| response.status),
            Some(204)
        );
        assert_eq!(sandbox.audit().len(), 2);
    }
}
