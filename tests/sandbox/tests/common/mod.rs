//! A client with plain JSON over HTTP, without the SDK, that validates every response against the description.

#![allow(dead_code, reason = "each test file needs a part of it")]

pub(crate) mod document;
pub(crate) mod household;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use reqwest::{Client, Request, RequestBuilder};
use serde_json::Value;
use upvest_sandbox::{Command, Sandbox, SandboxBuilder};
use uuid::Uuid;

use self::document::{Document, Operation};

/// A sandbox that requires only a token, which does not expire in tests that advance the clock.
pub(crate) fn plain() -> SandboxBuilder {
    Sandbox::builder()
        .plain_http()
        .token_lifetime(Duration::from_secs(365 * 86_400))
}

/// A client of one sandbox with one token.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) document: &'static Document,
    http: Client,
    url: String,
    token: Option<String>,
    succeeded: Mutex<BTreeSet<String>>,
}

/// A complete response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A call that has not been sent.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    api: &'a Api,
    operation: &'a Operation,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    key: Option<String>,
    token: Option<String>,
}

impl Api {
    /// A client with all scopes.
    pub(crate) async fn of(sandbox: &Sandbox) -> Self {
        let issued = sandbox.execute(Command::IssueToken).await.unwrap();
        let token = issued["access_token"].as_str().unwrap().to_owned();
        Self {
            token: Some(token),
            ..Self::nobody(sandbox).await
        }
    }

    /// A client without a token.
    pub(crate) async fn nobody(sandbox: &Sandbox) -> Self {
        // The proxy of the machine must not be used.
        let http = Client::builder().no_proxy().build().unwrap();
        let document = Document::of(sandbox, &http).await;
        Self {
            document,
            http,
            url: sandbox.url(),
            token: None,
            succeeded: Mutex::default(),
        }
    }

    /// Starts a call by its `operationId`, with the token, and with a new idempotency key if the operation supports
    /// one.
    pub(crate) fn call<'a>(&'a self, operation: &str) -> Call<'a> {
        let operation = self.document.operation(operation);
        Call {
            api: self,
            operation,
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            key: operation
                .takes_idempotency_key()
                .then(|| Uuid::new_v4().to_string()),
            token: self.token.clone(),
        }
    }

    /// A request that the description does not contain.
    pub(crate) fn raw(&self, method: http::Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        let response = self.http.execute(request).await.unwrap();
        let status = response.status();
        let headers = response.headers().clone();
        Response {
            status,
            headers,
            body: response.bytes().await.unwrap().into(),
        }
    }

    /// The operations that have succeeded so far.
    pub(crate) fn succeeded(&self) -> BTreeSet<String> {
        self.succeeded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Call<'_> {
    pub(crate) fn id(mut self, name: &str, id: impl Display + Copy) -> Self {
        self.path.push((name.to_owned(), id.to_string()));
        self
    }

    pub(crate) fn query(mut self, name: &str, value: impl Display + Copy) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Display + Copy) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sends this idempotency key, or none.
    pub(crate) fn key(mut self, key: Option<&str>) -> Self {
        self.key = key.map(str::to_owned);
        self
    }

    /// Sends this token, or none.
    pub(crate) fn token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// The complete request, for signing or changing it.
    pub(crate) fn request(&self) -> Request {
        let path = self
            .path
            .iter()
            .fold(self.operation.path.clone(), |path, (name, value)| {
                path.replace(&format!("{{{name}}}"), value)
            });
        assert!(!path.contains('{'), "{path} lacks an id");
        let mut request = self.api.http.request(
            self.operation.method.clone(),
            format!("{}{path}", self.api.url),
        );
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        match &self.body {
            None => {}
            Some(form) if self.operation.takes_form() => request = request.form(form),
            Some(json) => request = request.json(json),
        }
        request.build().unwrap()
    }

    /// Sends the call, and validates its response against the description.
    pub(crate) async fn send(self) -> Response {
        let response = self.api.send(self.request()).await;
        self.api.document.check(self.operation, &response);
        if response.status.is_success() {
            let mut succeeded = self
                .api
                .succeeded
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            succeeded.insert(self.operation.id.clone());
        }
        response
    }

    /// Sends a call that must succeed, and returns the JSON of its response, or null if that is a file or empty.
    pub(crate) async fn ok(self) -> Value {
        let id = self.operation.id.clone();
        let response = self.send().await;
        assert!(
            response.status.is_success(),
            "{id} answered {}: {}",
            response.status,
            response.text()
        );
        match response.header("content-type") {
            Some("application/json") => response.json(),
            _ => Value::Null,
        }
    }

    /// Sends a call that creates a resource, and returns its id.
    pub(crate) async fn made(self) -> Uuid {
        id_of(&self.ok().await)
    }

    /// Sends a call that must fail, and returns the detail of the problem.
    pub(crate) async fn rejected(self, status: u16) -> String {
        let id = self.operation.id.clone();
        let response = self.send().await;
        assert_eq!(
            response.status.as_u16(),
            status,
            "{id} answered: {}",
            response.text()
        );
        response.detail()
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The detail of a problem.
    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap().to_owned()
    }

    /// The code of a problem: the last segment of its `type`.
    pub(crate) fn kind(&self) -> String {
        let problem = self.json();
        problem["type"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }
}

/// The `id` of a resource.
pub(crate) fn id_of(resource: &Value) -> Uuid {
    resource["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .unwrap_or_else(|| panic!("no id in {resource}"))
}
