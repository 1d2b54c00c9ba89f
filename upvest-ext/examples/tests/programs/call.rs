//! The example `call`, for a few operations of each kind.

use crate::support::{command, text};
use serde_json::{Value, json};
use upvest_ext::api::Client;
use upvest_ext::api::runtime::GeneratedClient as _;
use upvest_sandbox::Sandbox;

/// What a run printed.
struct Run {
    succeeded: bool,
    stdout: String,
    stderr: String,
}

impl Run {
    fn json(&self) -> Value {
        assert!(self.succeeded, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    fn error(&self) -> &str {
        assert!(!self.succeeded, "{}", self.stdout);
        &self.stderr
    }
}

async fn call(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let program = env!("CARGO_BIN_EXE_call");
    let output = command(program, sandbox, arguments).output().await.unwrap();
    Run {
        succeeded: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

#[tokio::test]
async fn help_lists_every_operation() {
    let sandbox = Sandbox::start().await.unwrap();
    let help = call(&sandbox, &["--help"]).await.stdout;
    for operation in Client::OPERATIONS {
        assert!(help.contains(&format!(" {}:", operation.name)), "{help}");
    }
}

#[tokio::test]
async fn parameters_are_sent_in_path_and_query() {
    let sandbox = Sandbox::start().await.unwrap();
    let account = sandbox.open_account("1000.00").await.unwrap();
    let accounts = call(&sandbox, &["list_accounts", "limit=1"]).await.json();
    assert_eq!(accounts["meta"]["limit"], 1);
    let id = format!("account_id={account}");
    let account = call(&sandbox, &["retrieveAccount", &id]).await.json();
    assert_eq!(account["id"], accounts["data"][0]["id"]);
}

#[tokio::test]
async fn a_body_is_sent_once_for_a_key() {
    let sandbox = Sandbox::start().await.unwrap();
    let order = json!({
        "account_id": sandbox.open_account("1000.00").await.unwrap(),
        "instrument_id": Sandbox::instrument("IE00B3XXRP09"),
        "side": "BUY", "type": "MARKET", "cash_amount": "250.00", "currency": "EUR",
    });
    let order = order.to_string();
    let place = ["create_order", "--body", &order];
    let again = ["--idempotency-key", "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11"];
    let keyed = [&place[..], &again[..]].concat();
    let first = call(&sandbox, &keyed).await.json();
    assert_eq!(call(&sandbox, &keyed).await.json()["id"], first["id"]);
    assert_ne!(call(&sandbox, &place).await.json()["id"], first["id"]);
}

#[tokio::test]
async fn a_mistake_is_explained_before_anything_is_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["place_order"], "no operation `place_order`"),
        (&["list_accounts", "size=1"], "no parameter `size`"),
        (&["retrieve_account"], "`account_id` is missing"),
        (&["list_accounts", "limit"], "NAME=VALUE"),
        (&["create_order", "--body", "{"], "EOF"),
    ];
    for (arguments, expected) in cases {
        let run = call(&sandbox, arguments).await;
        assert!(run.error().contains(expected), "{}", run.stderr);
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn an_error_of_the_server_is_printed_with_its_words() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = "account_id=5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let run = call(&sandbox, &["retrieve_account", id]).await;
    assert!(
        run.error().starts_with("error: retrieveAccount: 404"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
}
