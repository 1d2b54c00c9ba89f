//! A sandbox with an account, and callers that use plain HTTP, a socket, and the SDK.

#![allow(dead_code, reason = "each test file needs a part of it")]

use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use upvest_ext::api::types::{Order, OrderCreate, OrderSide, OrderType};
use upvest_ext::{Backoff, CallOptions, Error, RetryPolicy, Upvest, UpvestBuilder};
use upvest_sandbox::{Command, Fault, RequestRecord, Sandbox, SandboxBuilder};
use uuid::Uuid;

pub(crate) const DOWN: Fault = Fault::ServerError {
    status: 503,
    html: false,
    after_commit: false,
};

/// A sandbox with an account, and callers that accept any response.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) account: Uuid,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
    /// A client of the SDK without retries.
    pub(crate) upvest: Upvest,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(Sandbox::builder()).await
    }

    pub(crate) async fn with(builder: SandboxBuilder) -> Self {
        let sandbox = builder.plain_http().log_limit(1_000).start().await.unwrap();
        let account = sandbox.open_account("1000.00").await.unwrap();
        let issued = sandbox.execute(Command::IssueToken).await.unwrap();
        let token = issued["access_token"].as_str().unwrap().to_owned();
        let http = reqwest::Client::builder()
            .no_proxy()
            .retry(reqwest::retry::never())
            .build()
            .unwrap();
        let upvest = UpvestBuilder::from_vars(sandbox.vars())
            .defaults(CallOptions::new().retry(RetryPolicy::never()))
            .build()
            .unwrap();
        Self {
            sandbox,
            account,
            http,
            token,
            upvest,
        }
    }

    pub(crate) async fn fail(&self, fault: Fault) {
        self.sandbox.fail_next("createOrder", fault).await.unwrap();
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.sandbox.url()))
            .bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        Response::read(self.request(reqwest::Method::GET, path)).await
    }

    pub(crate) async fn command(&self, name: &str, body: Value) -> Response {
        Response::read(
            self.http
                .post(format!("{}/_sandbox/{name}", self.sandbox.url()))
                .json(&body),
        )
        .await
    }

    /// Places an order by plain HTTP.
    pub(crate) async fn order(&self) -> Response {
        Response::read(
            self.request(reqwest::Method::POST, "/orders")
                .json(&self.body()),
        )
        .await
    }

    /// Places an order with the SDK, without retries.
    pub(crate) async fn order_once(&self) -> Result<Order, Error> {
        place(&self.upvest, self.account).await
    }

    /// Places an order over a socket and reads the response by its `content-length`.
    pub(crate) async fn order_by_socket(&self) -> std::io::Result<Vec<u8>> {
        let mut socket = TcpStream::connect(self.sandbox.address()).await?;
        let token = &self.token;
        let body = self.body().to_string();
        let head = format!(
            "POST /orders HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut response = Vec::new();
        let head = loop {
            match response.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None if socket.read_buf(&mut response).await? == 0 => {
                    return Err(std::io::Error::other(
                        "the connection closed within the head of the response",
                    ));
                }
                None => {}
            }
        };
        let text = String::from_utf8(response[..head].to_ascii_lowercase()).unwrap();
        let (_, length) = text.split_once(&format!("{CONTENT_LENGTH}: ")).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while response.len() < head + length {
            let read = socket.read_buf(&mut response).await;
            if !matches!(read, Ok(1..)) {
                let got = response.len() - head;
                return Err(std::io::Error::other(format!("{got} of {length} bytes")));
            }
        }
        Ok(response.split_off(head))
    }

    pub(crate) fn body(&self) -> Value {
        json!({
            "account_id": self.account,
            "instrument_id": Sandbox::instrument("IE0032077012"),
            "side": "BUY",
            "type": "MARKET",
            "cash_amount": "10.00",
        })
    }

    pub(crate) fn client(&self, options: CallOptions) -> Upvest {
        UpvestBuilder::from_vars(self.sandbox.vars())
            .defaults(options)
            .build()
            .unwrap()
    }

    /// The number of orders, without a request that a fault could affect.
    pub(crate) async fn orders(&self) -> u64 {
        self.get("/_sandbox/state").await.json()["orders"]
            .as_u64()
            .unwrap()
    }

    /// Each applied fault, with the status that the caller received.
    pub(crate) fn applied_faults(&self) -> Vec<(&'static str, Option<u16>)> {
        let applied = |request: RequestRecord| Some((request.fault?, request.status));
        self.sandbox
            .requests()
            .into_iter()
            .filter_map(applied)
            .collect()
    }
}

impl Response {
    pub(crate) async fn read(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Self {
            status,
            headers,
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn content_type(&self) -> &str {
        self.headers[CONTENT_TYPE].to_str().unwrap()
    }
}

pub(crate) async fn place(upvest: &Upvest, account: Uuid) -> Result<Order, Error> {
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE0032077012"))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("10.00");
    Ok(upvest.create_order().body(order).send().await?.into_inner())
}

pub(crate) fn soon() -> Backoff {
    Backoff::new(Duration::from_millis(5), Duration::from_millis(50))
}
