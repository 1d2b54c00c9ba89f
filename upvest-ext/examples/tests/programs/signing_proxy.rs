//! The example `signing_proxy`, used by programs that cannot sign.

use crate::support::Server;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use upvest_sandbox::{Fault, Sandbox};

const PROXY: &str = env!("CARGO_BIN_EXE_signing_proxy");

async fn proxy(sandbox: &Sandbox) -> Server {
    Server::start(PROXY, sandbox, &[]).await
}

fn http() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn get(url: String) -> Response {
    http().get(url).send().await.unwrap()
}

async fn problem(response: Response) -> Value {
    let media_type = &response.headers()["content-type"];
    assert_eq!(media_type, "application/problem+json");
    response.json().await.unwrap()
}

async fn order(sandbox: &Sandbox) -> Value {
    json!({
        "account_id": sandbox.open_account("1000.00").await.unwrap(),
        "instrument_id": Sandbox::instrument("IE00B3XXRP09"),
        "side": "BUY", "type": "MARKET", "cash_amount": "250.00", "currency": "EUR",
    })
}

#[tokio::test]
async fn a_request_without_token_and_signature_is_answered() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let response = get(format!(
        "{}/instruments?limit=2&isin=IE00B3XXRP09",
        proxy.url
    ))
    .await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers().contains_key("upvest-request-id"));
    let instruments: Value = response.json().await.unwrap();
    assert_eq!(instruments["data"][0]["isin"], "IE00B3XXRP09");
}

#[tokio::test]
async fn headers_that_the_sdk_sets_are_replaced() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let request = http()
        .get(format!("{}/instruments", proxy.url))
        .header("authorization", "Bearer of-the-program")
        .header("signature", "sig1=:AAAA:")
        .header("signature-input", "sig1=()")
        .header("upvest-client-id", "somebody-else")
        .header("accept", "text/html")
        .header("cookie", "session=1")
        .header("x-trace", "7");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_order_gets_an_idempotency_key_or_keeps_its_own() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let order = order(&sandbox).await;
    let place = async |key: Option<&str>| {
        let mut request = http().post(format!("{}/orders", proxy.url)).json(&order);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
        response.json::<Value>().await.unwrap()["id"].clone()
    };
    assert_ne!(place(None).await, place(None).await);
    let key = Some("5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11");
    assert_eq!(place(key).await, place(key).await);
}

#[tokio::test]
async fn a_file_is_passed_on_whole() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let report = sandbox.create_report("ACCOUNT_STATEMENT").await.unwrap();
    sandbox.advance(std::time::Duration::from_secs(1)).await;
    let reports: Value = get(format!("{}/reports", proxy.url))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(reports["data"][0]["id"], report.to_string());
    let file = reports["data"][0]["file_id"].as_str().unwrap();
    let response = get(format!("{}/files/{file}", proxy.url)).await;
    assert_eq!(response.headers()["content-type"], "application/pdf");
    let bytes = response.bytes().await.unwrap();
    assert!(bytes.starts_with(b"%PDF") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
}

#[tokio::test]
async fn an_error_of_the_server_is_passed_on_with_a_hint() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let response = get(format!(
        "{}/orders/5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11",
        proxy.url
    ))
    .await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let problem = problem(response).await;
    assert_eq!(problem["status"], 404);
    assert!(problem["request_id"].is_string(), "{problem}");
    assert_eq!(problem["may_have_been_carried_out"], false);
}

#[tokio::test]
async fn an_error_of_the_sdk_is_a_problem_document() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let response = get(format!("{}/orders//x", proxy.url)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let title = problem(response).await["title"].to_string();
    assert!(title.contains("segment"), "{title}");

    let long = "x".repeat(10 * 1024 * 1024 + 1);
    let request = http().post(format!("{}/orders", proxy.url)).body(long);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);

    sandbox.kill().await;
    let response = get(format!("{}/instruments", proxy.url)).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    let problem = problem(response).await;
    assert!(problem["hint"].is_string(), "{problem}");
}

#[tokio::test]
async fn a_call_that_may_have_been_carried_out_says_so_with_its_key() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    let order = order(&sandbox).await;
    let fault = Fault::ServerError {
        status: 500,
        html: false,
        after_commit: true,
    };
    sandbox.fail_next("createOrder", fault).await.unwrap();
    let request = http().post(format!("{}/orders", proxy.url)).json(&order);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let problem = problem(response).await;
    assert_eq!(problem["may_have_been_carried_out"], true);
    assert!(problem["idempotency_key"].is_string(), "{problem}");
}

#[tokio::test]
async fn web_pages_cannot_use_the_proxy() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = proxy(&sandbox).await;
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let request = http().request(method, format!("{}/instruments", proxy.url));
            let response = request.header(name, value).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
        }
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn explain_prints_what_was_signed_without_secrets() {
    let sandbox = Sandbox::start().await.unwrap();
    let proxy = Server::start(PROXY, &sandbox, &["--explain"]).await;
    let url = proxy.url.clone();
    let request = http()
        .get(format!("{url}/instruments?limit=1"))
        .header("x-secret", "of the program");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let printed = proxy.end().await;
    assert!(printed.contains(r#""@query": ?limit=1"#), "{printed}");
    assert!(printed.contains("Bearer <hidden"), "{printed}");
    for secret in [sandbox.client_secret(), "of the program", "BEGIN"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
