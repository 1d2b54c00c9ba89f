//! The cost of a warm call: `list_orders` and `create_order` with the SDK, unsigned, compared with `reqwest` and
//! hand-written structs of plain strings, to the same server in the same process.
//!
//! `cargo bench -p upvest-tests --bench calls` measures the CPU time of the client's thread. Each round makes the same
//! number of calls both ways, alternating. The figures are medians of the rounds. It fails if the SDK costs more than
//! promised. `-- --draw` writes the figures into the guide on performance, as a table and a plot.

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use upvest_api::types::{AccountId, InstrumentId, OrderCreate, OrderSide, OrderType};
use upvest_ext::{Environment, Upvest};
use upvest_tests::description::Description;

const ROUNDS: usize = 60;
const WARM_UP: usize = 5;
/// Calls of one kind in a round.
const CALLS: u32 = 200;
/// How often a round alternates between the two ways.
const TURNS: u32 = 10;

const LIST_AT_MOST: f64 = 0.90;
const CREATE_AT_MOST: f64 = 1.15;

const ACCOUNT: &str = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
const INSTRUMENT: &str = "251e84b2-82e1-440b-a008-6357ebe46a96";

fn main() -> ExitCode {
    let url = format!("http://{}", serve(Answers::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (list, create) = runtime.block_on(async {
        let bare = Bare::new(&url);
        let upvest = upvest(&url);
        let list = compare(
            async || bare.list_orders().await,
            async || list_orders(&upvest).await,
        )
        .await;
        let create = compare(
            async || bare.create_order().await,
            async || create_order(&upvest).await,
        )
        .await;
        (list, create)
    });
    let rows = [
        list.row("list_orders, 100 orders", LIST_AT_MOST),
        create.row("create_order", CREATE_AT_MOST),
    ];
    for Row {
        what,
        bare,
        ours,
        ratio,
        at_most,
    } in &rows
    {
        println!(
            "{what}: bare {bare:?}, SDK {ours:?}, ratio {ratio:.3} (promised: at most {at_most})"
        );
    }
    if std::env::args().any(|argument| argument == "--draw") {
        draw(&rows).expect("the guide can be written");
    }
    if rows.iter().all(|row| row.ratio <= row.at_most) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The medians of one comparison.
struct Row {
    what: &'static str,
    bare: Duration,
    ours: Duration,
    ratio: f64,
    at_most: f64,
}

/// Writes the table into the guide, between its marks, and the plot beside the other drawings.
fn draw(rows: &[Row]) -> std::io::Result<()> {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let guide = docs.join("guides/performance.md");
    let text = std::fs::read_to_string(&guide)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("the guide has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place has an end");
    let mut table = "| CPU time of a call | bare `reqwest` | this SDK | ratio | promised |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for Row {
        what,
        bare,
        ours,
        ratio,
        at_most,
    } in rows
    {
        let _ = writeln!(
            table,
            "| {what} | {bare:.1?} | {ours:.1?} | {ratio:.2} | {at_most:.2} |"
        );
    }
    std::fs::write(guide, format!("{before}{BEGIN}\n{table}{END}{after}"))?;
    std::fs::write(docs.join("guides/diagrams/calls.svg"), plot(rows))
}

const BEGIN: &str = "<!-- written by `cargo bench -p upvest-tests --bench calls -- --draw` -->";
const END: &str = "<!-- end -->";

/// Two bars for each row, on the same scale.
fn plot(rows: &[Row]) -> String {
    let longest = rows
        .iter()
        .flat_map(|row| [row.bare, row.ours])
        .max()
        .unwrap_or_default()
        .as_secs_f64();
    let mut bars = String::new();
    for (
        number,
        Row {
            what, bare, ours, ..
        },
    ) in rows.iter().enumerate()
    {
        let top = 30 + 70 * number;
        let _ = writeln!(bars, "<text x='0' y='{}'>{what}</text>", top - 6);
        for (kind, time, y) in [("bare", bare, top), ("ours", ours, top + 22)] {
            let width = 420.0 * time.as_secs_f64() / longest;
            let _ = writeln!(
                bars,
                "<rect class='{kind}' x='0' y='{y}' width='{width:.0}' height='18'/>"
            );
            let name = if kind == "bare" {
                "bare reqwest"
            } else {
                "this SDK"
            };
            let _ = writeln!(
                bars,
                "<text x='{:.0}' y='{}'>{name}, {time:.1?}</text>",
                width + 6.0,
                y + 13
            );
        }
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 600 {}' width='600' font-family='sans-serif' font-size='12'>\n\
         <style>text {{ fill: #1f2328; }} .bare {{ fill: #9198a1; }} .ours {{ fill: #0969da; }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #d1d7e0; }} .bare {{ fill: #656c76; }} .ours {{ fill: #4493f8; }} }}</style>\n\
         {bars}</svg>\n",
        20 + 70 * rows.len()
    )
}

async fn list_orders(upvest: &Upvest) {
    let orders = upvest
        .list_orders()
        .limit(100)
        .send()
        .await
        .expect("the server answers");
    black_box(orders.into_inner());
}

async fn create_order(upvest: &Upvest) {
    let (account, instrument): (AccountId, InstrumentId) = black_box(ids());
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(instrument)
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00")
        .currency("EUR");
    let order = upvest
        .create_order()
        .body(order)
        .send()
        .await
        .expect("the server answers");
    black_box(order.into_inner());
}

fn ids() -> (AccountId, InstrumentId) {
    let uuid = |number| upvest_api::uuid::Uuid::from_u128(number);
    (
        uuid(0x7d05_2811_c57c_4920_9fd6_bdba_a6c9_4e47).into(),
        uuid(0x251e_84b2_82e1_440b_a008_6357_ebe4_6a96).into(),
    )
}

fn upvest(url: &str) -> Upvest {
    Upvest::builder(Environment::Custom(url.parse().expect("a URL")))
        .credentials("0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081", "client-secret")
        .build()
        .expect("all settings are there")
}

/// The same two requests without an SDK.
struct Bare {
    http: reqwest::Client,
    url: String,
}

impl Bare {
    fn new(url: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
        }
    }

    async fn list_orders(&self) {
        let request = self.http.get(format!("{}/orders?limit=100", self.url));
        let request = request
            .header("accept", "application/json")
            .header("authorization", "Bearer a-token");
        let orders: PlainPage = request
            .send()
            .await
            .expect("a response")
            .json()
            .await
            .expect("orders");
        black_box(orders);
    }

    async fn create_order(&self) {
        let order = PlainOrderCreate {
            account_id: black_box(ACCOUNT).to_owned(),
            instrument_id: black_box(INSTRUMENT).to_owned(),
            side: "BUY".to_owned(),
            kind: "MARKET".to_owned(),
            cash_amount: "250.00".to_owned(),
            currency: "EUR".to_owned(),
        };
        let request = self.http.post(format!("{}/orders", self.url)).json(&order);
        let request = request
            .header("accept", "application/json")
            .header("authorization", "Bearer a-token");
        let order: PlainOrder = request
            .send()
            .await
            .expect("a response")
            .json()
            .await
            .expect("an order");
        black_box(order);
    }
}

#[derive(Serialize)]
struct PlainOrderCreate {
    account_id: String,
    instrument_id: String,
    side: String,
    #[serde(rename = "type")]
    kind: String,
    cash_amount: String,
    currency: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct PlainPage {
    data: Vec<PlainOrder>,
    meta: Option<PlainMeta>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct PlainMeta {
    offset: Option<u64>,
    limit: Option<u64>,
    count: Option<u64>,
    total: Option<u64>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct PlainOrder {
    id: String,
    account_id: Option<String>,
    user_id: Option<String>,
    instrument_id: Option<String>,
    side: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
    quantity: Option<String>,
    cash_amount: Option<String>,
    limit_price: Option<String>,
    stop_price: Option<String>,
    currency: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

/// The CPU time of one call in each round.
struct Comparison {
    bare: Vec<Duration>,
    ours: Vec<Duration>,
}

impl Comparison {
    fn row(mut self, what: &'static str, at_most: f64) -> Row {
        let ratios = self
            .bare
            .iter()
            .zip(&self.ours)
            .map(|(bare, ours)| ours.as_secs_f64() / bare.as_secs_f64());
        let mut ratios: Vec<f64> = ratios.collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios[ratios.len() / 2];
        Row {
            what,
            bare: median(&mut self.bare),
            ours: median(&mut self.ours),
            ratio,
            at_most,
        }
    }
}

async fn compare(mut bare: impl AsyncFnMut(), mut ours: impl AsyncFnMut()) -> Comparison {
    let mut comparison = Comparison {
        bare: Vec::new(),
        ours: Vec::new(),
    };
    for round in 0..WARM_UP + ROUNDS {
        let mut one = Duration::ZERO;
        let mut two = Duration::ZERO;
        for _ in 0..TURNS {
            one += time(&mut bare).await;
            two += time(&mut ours).await;
        }
        if round >= WARM_UP {
            comparison.bare.push(one / CALLS);
            comparison.ours.push(two / CALLS);
        }
    }
    comparison
}

async fn time(call: &mut impl AsyncFnMut()) -> Duration {
    let started = ThreadTime::now();
    for _ in 0..CALLS / TURNS {
        call().await;
    }
    started.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Whole HTTP answers.
struct Answers {
    token: String,
    orders: String,
    order: String,
}

impl Answers {
    /// 100 orders after the example of the description, no two alike, and one order.
    fn new() -> Self {
        let operations = Description::vendored().operations();
        let example = operations
            .into_iter()
            .find(|operation| operation.id == "listOrders");
        let example = example
            .and_then(|list| list.response)
            .expect("the list has an example");
        let orders = example["data"]
            .as_array()
            .expect("a list")
            .iter()
            .cycle()
            .take(100)
            .cloned()
            .enumerate();
        let orders: Vec<_> = orders
            .map(|(number, mut order)| {
                order["quantity"] = format!("{number}.50").into();
                order
            })
            .collect();
        let order = orders[0].clone();
        let meta = json!({ "offset": 0, "limit": 100, "count": 100, "total": 1234 });
        let token =
            json!({ "access_token": "a-token", "expires_in": 86_400, "token_type": "bearer" });
        Self {
            token: answer("200 OK", &token),
            orders: answer("200 OK", &json!({ "meta": meta, "data": orders })),
            order: answer("201 Created", &order),
        }
    }

    fn to(&self, request: &[u8]) -> &str {
        match request {
            request if request.starts_with(b"POST /auth/token") => &self.token,
            request if request.starts_with(b"POST /orders") => &self.order,
            _ => &self.orders,
        }
    }
}

fn answer(status: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A server on its own thread, whose time is not counted.
fn serve(answers: Answers) -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let answers = std::sync::Arc::new(answers);
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            send.send(listener.local_addr().expect("the port is known"))
                .expect("the client waits");
            loop {
                let (stream, _) = listener.accept().await.expect("a client");
                stream.set_nodelay(true).expect("a TCP stream");
                tokio::spawn(converse(stream, std::sync::Arc::clone(&answers)));
            }
        });
    });
    receive.recv().expect("the server listens")
}

/// Requests are short and are sent one at a time, so each arrives in one piece.
async fn converse(mut stream: TcpStream, answers: std::sync::Arc<Answers>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        if stream
            .write_all(answers.to(&buffer[..read]).as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}
