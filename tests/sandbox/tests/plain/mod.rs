//! A sandbox without signatures, and a connection with plain JSON.
//!
//! The calls block the thread, so a test needs a runtime with several threads.
#![allow(dead_code, reason = "each test file uses a part of this")]

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use upvest_sandbox::{Command, Sandbox, SandboxBuilder};
use uuid::Uuid;

/// A sandbox with a connection to it.
pub(crate) struct Plain {
    pub(crate) sandbox: Sandbox,
    address: SocketAddr,
    token: String,
    connection: RefCell<Option<BufReader<TcpStream>>>,
}

/// The cash of an account in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cash {
    pub(crate) available: Decimal,
    pub(crate) pending: Decimal,
}

impl Cash {
    /// Only available cash, and nothing pending.
    pub(crate) fn available(amount: &str) -> Self {
        Self {
            available: number(amount),
            pending: Decimal::ZERO,
        }
    }

    pub(crate) fn and_pending(self, amount: &str) -> Self {
        Self {
            pending: number(amount),
            ..self
        }
    }
}

/// A received response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The last day of January, as the start for tests that count in months.
pub(crate) fn start_of_tests() -> DateTime<Utc> {
    "2024-01-31T09:00:00Z".parse().unwrap()
}

pub(crate) fn builder() -> SandboxBuilder {
    let a_century = Duration::from_secs(100 * 365 * 86_400);
    Sandbox::builder()
        .plain_http()
        .token_lifetime(a_century)
        .start_at(start_of_tests())
}

pub(crate) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A number in a response.
pub(crate) fn decimal(value: &Value) -> Decimal {
    number(
        value
            .as_str()
            .unwrap_or_else(|| panic!("{value} is not a decimal in a text")),
    )
}

/// Rounds down to whole cents, as for payouts and valuations.
pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.trunc_with_scale(2)
}

/// Rounds up to whole cents, as for purchases.
pub(crate) fn cents_up(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::AwayFromZero)
}

pub(crate) fn id(thing: &Value) -> String {
    thing["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{thing} has no id"))
        .to_owned()
}

impl Plain {
    pub(crate) async fn start() -> Self {
        Self::of(builder()).await
    }

    pub(crate) async fn of(builder: SandboxBuilder) -> Self {
        let sandbox = builder.start().await.unwrap();
        let token = sandbox.execute(Command::IssueToken).await.unwrap();
        let token = token["access_token"].as_str().unwrap().to_owned();
        let address = sandbox.address();
        Self {
            sandbox,
            address,
            token,
            connection: RefCell::new(None),
        }
    }

    pub(crate) async fn seconds(&self, seconds: u64) {
        self.sandbox.advance(Duration::from_secs(seconds)).await;
    }

    pub(crate) async fn days(&self, days: u64) {
        self.seconds(days * 86_400).await;
    }

    pub(crate) async fn command(&self, command: Value) -> Value {
        let command = serde_json::from_value(command).unwrap();
        self.sandbox.execute(command).await.unwrap()
    }

    /// Sends one request. Fails if the connection is reset.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<Uuid>,
        body: Option<&Value>,
    ) -> io::Result<Response> {
        let mut connection = self.connection.borrow_mut();
        let mut open = match connection.take() {
            Some(open) => open,
            None => BufReader::new(self.connect()?),
        };
        let reply = self.exchange(&mut open, method, path, key, body)?;
        *connection = Some(open);
        Ok(reply)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        // Longer than any response takes, so that the test fails if the sandbox hangs.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(stream)
    }

    fn exchange(
        &self,
        connection: &mut BufReader<TcpStream>,
        method: &str,
        path: &str,
        key: Option<Uuid>,
        body: Option<&Value>,
    ) -> io::Result<Response> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n",
            self.token,
            body.len()
        );
        if !body.is_empty() {
            request.push_str("content-type: application/json\r\n");
        }
        if let Some(key) = key {
            request.extend(["idempotency-key: ", &key.to_string(), "\r\n"]);
        }
        request.push_str("\r\n");
        request.push_str(&body);
        connection.get_mut().write_all(request.as_bytes())?;
        read_reply(connection)
    }

    /// Status and body.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let reply = self.send(method, path, None, body).unwrap();
        (
            reply.status,
            serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
        )
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, response) = self.call("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {response}");
        response
    }

    /// The items of a list, all pages of it.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let first = self.get(path);
        let Some(total) = first["meta"]["total"].as_u64() else {
            return first["data"].as_array().unwrap().clone();
        };
        let mut items = Vec::new();
        while (items.len() as u64) < total {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{joint}limit=100&offset={}", items.len()));
            items.extend(page["data"].as_array().unwrap().iter().cloned());
        }
        items
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, response) = self.call("POST", path, Some(body));
        assert_eq!(status, 201, "POST {path} {body}: {response}");
        response
    }

    /// The detail of the problem of a request that must fail with status 400.
    pub(crate) fn rejected(&self, method: &str, path: &str, body: &Value) -> String {
        let (status, response) = self.call(method, path, Some(body));
        assert_eq!(status, 400, "{method} {path} {body}: {response}");
        response["detail"].as_str().unwrap().to_owned()
    }

    /// Places a market order, unless the fields say otherwise.
    pub(crate) fn order(&self, account: Uuid, isin: &str, side: &str, fields: &Value) -> String {
        id(&self.post("/orders", &order(account, isin, side, fields)))
    }

    pub(crate) fn order_status(&self, order: &str) -> String {
        self.get(&format!("/orders/{order}"))["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn executions(&self, order: &str) -> Vec<Value> {
        self.list(&format!("/orders/{order}/executions"))
    }

    /// The cash of an account in EUR. Zero if there is no balance.
    pub(crate) fn cash(&self, account: Uuid) -> Cash {
        let balances = self.list(&format!("/accounts/{account}/cash_balances"));
        let balance = balances.iter().find(|balance| balance["currency"] == "EUR");
        balance.map_or_else(Cash::default, |it| Cash {
            available: decimal(&it["available"]),
            pending: decimal(&it["pending"]),
        })
    }

    pub(crate) fn position(&self, account: Uuid, isin: &str) -> Option<Value> {
        let positions = self.list(&format!("/accounts/{account}/positions"));
        let instrument = Sandbox::instrument(isin).to_string();
        positions
            .into_iter()
            .find(|position| position["instrument_id"] == instrument.as_str())
    }

    /// Units held.
    pub(crate) fn units(&self, account: Uuid, isin: &str) -> Decimal {
        self.position(account, isin)
            .map_or(Decimal::ZERO, |position| decimal(&position["quantity"]))
    }

    /// Type and amount of each booking.
    pub(crate) fn bookings(&self, account: Uuid) -> Vec<(String, Decimal)> {
        let transactions = self.list(&format!("/accounts/{account}/transactions"));
        let booking = |it: &Value| {
            (
                it["type"].as_str().unwrap().to_owned(),
                decimal(&it["amount"]),
            )
        };
        transactions.iter().map(booking).collect()
    }

    pub(crate) fn bid(&self, isin: &str) -> Decimal {
        let prices = self.list(&format!(
            "/instruments/{}/prices",
            Sandbox::instrument(isin)
        ));
        decimal(&prices[0]["price"])
    }

    /// The types of the events about a resource or its parts.
    pub(crate) fn events_of(&self, id: &str) -> Vec<&'static str> {
        let events = self.sandbox.events();
        let of = events
            .iter()
            .filter(|event| event.object.get().contains(id));
        of.map(|event| event.event_type).collect()
    }

    #[track_caller]
    pub(crate) fn assert_books_add_up(&self) {
        assert_eq!(self.sandbox.audit(), Vec::<String>::new());
    }
}

/// The body of a market order, unless the fields say otherwise.
pub(crate) fn order(account: Uuid, isin: &str, side: &str, fields: &Value) -> Value {
    let instrument = Sandbox::instrument(isin);
    let mut order = json!({ "account_id": account, "instrument_id": instrument, "side": side, "type": "MARKET" });
    for (name, value) in fields.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

fn read_reply(connection: &mut BufReader<TcpStream>) -> io::Result<Response> {
    let status_line = read_line(connection)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in `{status_line}`")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(connection)?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(Response {
        status,
        headers,
        body,
    })
}

fn read_line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
