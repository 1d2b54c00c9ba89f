//! The cost of exact types: parsing a page of 100 orders into the generated types, compared with hand-written structs
//! of strings.
//!
//! `cargo bench -p upvest-tests --bench parse_orders` prints the ratio of the medians. The promise is at most 1.15.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use upvest_api::types::{ListResponse, Order};
use upvest_tests::description::Description;

const ROUNDS: usize = 400;
const PARSES: usize = 20;

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

fn main() {
    let page = page();
    println!("a page of 100 orders, {} bytes", page.len());
    let mut plain = Vec::with_capacity(ROUNDS);
    let mut typed = Vec::with_capacity(ROUNDS);
    // Alternating, so that a change of the machine's speed affects both.
    for _ in 0..ROUNDS {
        plain.push(time::<PlainPage>(&page));
        typed.push(time::<ListResponse<Order>>(&page));
    }
    let plain = median(plain);
    let typed = median(typed);
    println!("plain strings   {plain:?}");
    println!("generated types {typed:?}");
    println!(
        "ratio           {:.3} (promised: at most 1.15)",
        typed.as_secs_f64() / plain.as_secs_f64()
    );
}

/// 100 orders after the example of the description, no two alike.
fn page() -> String {
    let operations = Description::vendored().operations();
    let example = operations
        .into_iter()
        .find(|operation| operation.id == "listOrders")
        .and_then(|list| list.response);
    let mut orders = example.expect("the list has an example")["data"]
        .as_array()
        .expect("a list")
        .clone();
    orders = orders.iter().cycle().take(100).cloned().collect();
    for (number, order) in orders.iter_mut().enumerate() {
        order["quantity"] = Value::String(format!("{number}.50"));
    }
    json!({ "meta": { "offset": 0, "limit": 100, "count": 100, "total": 1234 }, "data": orders })
        .to_string()
}

fn time<T: DeserializeOwned>(page: &str) -> Duration {
    let start = Instant::now();
    for _ in 0..PARSES {
        drop(black_box(
            serde_json::from_str::<T>(black_box(page)).expect("it fits"),
        ));
    }
    start.elapsed() / u32::try_from(PARSES).expect("a small number")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
