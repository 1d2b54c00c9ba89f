//! Tokens, signatures, retries, idempotency, raw requests, pages and webhooks, without an operation or a type of any
//! description.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{Method, Request, StatusCode, Uri};
use serde_json::{Value, json};
use upvest_ext::api::ByteStream;
use upvest_ext::api::runtime::{List, ListResponse, Operation, OperationMeta, Page, Paginated};
use upvest_ext::signing::{IncomingRequest, KeyAlgorithm, SignaturePolicy, SigningKey};
use upvest_ext::{
    BoxFuture, Environment, Error, ErrorKind, IdempotencyKey, PaginateExt as _, Response,
    Transport, Upvest, UpvestBuilder,
};

#[tokio::test(start_paused = true)]
async fn one_token_serves_all_calls_until_it_is_rejected() {
    let server = Server::new(|_, number| {
        if number == 2 {
            (401, json!({}))
        } else {
            (200, json!({}))
        }
    });
    let upvest = server.client();
    for _ in 0..3 {
        upvest
            .request(Method::GET, ["things"])
            .send()
            .await
            .unwrap();
    }
    let tokens: Vec<String> = server
        .requests()
        .iter()
        .map(|request| header(request, "authorization"))
        .collect();
    assert_eq!(
        tokens,
        [
            "Bearer token-0",
            "Bearer token-0",
            "Bearer token-0",
            "Bearer token-1"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_is_retried_and_each_attempt_is_signed_anew() {
    let server = Server::new(|_, number| {
        if number < 2 {
            (503, json!({}))
        } else {
            (200, json!({ "is": "there" }))
        }
    });
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let public = key.public_key().clone();
    let upvest = server
        .builder()
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .build()
        .unwrap();
    let response: Response<Value> = upvest
        .request(Method::GET, ["things"])
        .query("a", 1)
        .send_json()
        .await
        .unwrap();
    assert_eq!(response["is"].as_str(), Some("there"));
    assert_eq!(response.metadata().attempts, 3);

    let requests = server.requests();
    let signatures: BTreeSet<String> = requests
        .iter()
        .map(|request| header(request, "signature"))
        .collect();
    assert_eq!(signatures.len(), 3);
    for request in requests {
        let target: Uri = request
            .uri()
            .path_and_query()
            .unwrap()
            .as_str()
            .parse()
            .unwrap();
        let received =
            IncomingRequest::new(request.method(), &target, request.headers(), request.body());
        let claims = SignaturePolicy::requests()
            .claims(&received, SystemTime::now())
            .unwrap();
        assert!(claims[0].is_signed_by(&public));
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_retried_only_with_its_idempotency_key() {
    let server = Server::new(|_, _| (503, json!({})));
    let upvest = server.client();
    let error = upvest
        .request(Method::POST, ["things"])
        .json(&json!({}))
        .send()
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 1);
    assert!(error.is_outcome_unknown());

    let error = upvest
        .request(Method::POST, ["things"])
        .idempotency_key(IdempotencyKey::generate())
        .json(&json!({}))
        .send()
        .await
        .unwrap_err();
    let keyed = server.requests().split_off(1);
    let keys: BTreeSet<String> = keyed
        .iter()
        .map(|request| header(request, "idempotency-key"))
        .collect();
    assert_eq!(keyed.len(), 4);
    assert_eq!(keys.len(), 1);
    assert_eq!(error.attempts(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_error_response_of_any_shape_is_one_error() {
    for body in [
        json!({ "title": "No", "detail": "why" }),
        json!({ "error": { "message": "why" } }),
        json!([1]),
    ] {
        let server = Server::new(move |_, _| (422, body.clone()));
        let error = server
            .client()
            .request(Method::POST, ["things"])
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::UNPROCESSABLE_ENTITY));
        assert_eq!(server.requests().len(), 1, "a rejection is final");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_connection_is_an_error_of_kind_connect() {
    // Status 0: the fake server refuses the connection.
    let server = Server::new(|_, _| (0, json!({})));
    let error = server
        .client()
        .request(Method::GET, ["things"])
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(!error.is_outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_page_after_page() {
    let server = Server::new(|request, _| {
        let query = request.uri().query().unwrap_or_default();
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(found, _)| *found == name)
                .map_or(0, |(_, value)| value.parse::<u64>().unwrap())
        };
        let data: Vec<u64> = (number("offset")..25)
            .take(usize::try_from(number("limit")).unwrap())
            .collect();
        (
            200,
            json!({ "meta": { "offset": number("offset"), "count": data.len(), "total_count": 25 }, "data": data }),
        )
    });
    let list = Numbers {
        upvest: server.client(),
        offset: 0,
        limit: 0,
    };
    let items: Vec<u64> = list
        .clone()
        .page_size(10)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(items, (0..25).collect::<Vec<_>>());
    assert_eq!(server.requests().len(), 3);
    let items: Vec<u64> = list
        .page_size(10)
        .prefetch(2)
        .resume_at(20)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(items, (20..25).collect::<Vec<_>>());
}

#[cfg(feature = "webhooks")]
#[tokio::test]
async fn a_delivery_is_verified_and_its_events_are_decoded() {
    use upvest_ext::webhooks::WebhookTester;

    let tester = WebhookTester::new().unwrap();
    let events = [WebhookTester::event("THING.MADE", json!({ "id": "a" }))];
    let delivery = tester.deliver("/webhooks", &events);
    let verifier = tester.verifier();
    let events = verifier.verify(&delivery).await.unwrap();
    let event = events[0].as_ref().unwrap();
    assert_eq!(event.resource::<Value>().unwrap(), json!({ "id": "a" }));
    let other = delivery.map(|_| "{}");
    assert!(verifier.verify(&other).await.is_err());
}

/// The response of an invented operation.
#[derive(Clone)]
struct Numbers {
    upvest: Upvest,
    offset: u64,
    limit: u32,
}

static NUMBERS: OperationMeta = OperationMeta::custom("listNumbers", Method::GET, "/numbers");

impl Operation for Numbers {
    const META: &'static OperationMeta = &NUMBERS;
    type Output = ListResponse<u64>;

    async fn send(self) -> Result<Response<ListResponse<u64>>, Error> {
        let request = self.upvest.request(Method::GET, ["numbers"]);
        request
            .query("offset", self.offset)
            .query("limit", self.limit)
            .send_json()
            .await
    }
}

impl List for Numbers {
    type Item = u64;

    fn page(output: ListResponse<u64>) -> Page<u64> {
        output.into()
    }

    fn with_page(self, offset: u64, limit: u32) -> Self {
        Self {
            offset,
            limit,
            ..self
        }
    }
}

impl Paginated for Numbers {}

type Answer = dyn Fn(&Request<Bytes>, usize) -> (u16, Value) + Send + Sync;

/// A server without a network. It answers by the request and its number; status 0 is no connection.
#[derive(Clone)]
#[allow(clippy::type_complexity, reason = "it is taken apart in two places")]
struct Server(Arc<(Box<Answer>, Mutex<Vec<Request<Bytes>>>)>);

impl Server {
    fn new(
        response: impl Fn(&Request<Bytes>, usize) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new((Box::new(response), Mutex::default())))
    }

    fn builder(&self) -> UpvestBuilder {
        Upvest::builder(Environment::Custom("http://127.0.0.1:9".parse().unwrap()))
            .credentials("client", "secret")
            .transport(self.clone())
    }

    fn client(&self) -> Upvest {
        self.builder().build().unwrap()
    }

    /// The requests so far, without token requests.
    fn requests(&self) -> Vec<Request<Bytes>> {
        let requests = self.0.1.lock().unwrap();
        requests
            .iter()
            .filter(|request| request.uri().path() != "/auth/token")
            .cloned()
            .collect()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Transport for Server {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let mut requests = self.0.1.lock().unwrap();
        let is_token = |request: &Request<Bytes>| request.uri().path() == "/auth/token";
        let number = requests
            .iter()
            .filter(|other| is_token(other) == is_token(&request))
            .count();
        let (status, body) = if is_token(&request) {
            (
                200,
                json!({ "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 3600 }),
            )
        } else {
            (self.0.0)(&request, number)
        };
        requests.push(request);
        Box::pin(async move {
            if status == 0 {
                return Err(Error::new(ErrorKind::Connect, "connection refused"));
            }
            let response = http::Response::builder()
                .status(status)
                .header("content-type", "application/json");
            let body = Bytes::from(body.to_string()).into();
            Ok(response.body(body).unwrap().into())
        })
    }
}

fn header(request: &Request<Bytes>, name: &str) -> String {
    request
        .headers()
        .get(name)
        .map_or(String::new(), |value| value.to_str().unwrap().to_owned())
}
