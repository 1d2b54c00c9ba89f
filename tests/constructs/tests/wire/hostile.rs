//! Descriptions with hostile names, prose, depths and numbers. Their callers spawn the calls.

use serde_json::json;
use upvest_constructs::hostile_collisions::types::{Kind2, Thing};
use upvest_constructs::hostile_names::types::{
    Absent, Box_, Failure, Goal, Maker, Outcome, Part, Present, Product, Refusal, Self_, String_,
    Success,
};
use upvest_constructs::{
    Server, Task, hostile_collisions, hostile_depth, hostile_names, hostile_prose,
    hostile_summaries,
};
use upvest_runtime::ErrorKind;

/// Runs each call on a task of its own, and returns how many were sent and how many lack an argument.
async fn spawn(calls: Vec<Task>) -> (usize, usize) {
    let tasks = calls.into_iter().map(tokio::spawn);
    let mut sent = 0;
    let mut incomplete = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Err(error) if error.kind() == ErrorKind::InvalidRequest => incomplete += 1,
            Ok(()) | Err(_) => sent += 1,
        }
    }
    (sent, incomplete)
}

#[tokio::test]
async fn each_call_of_a_hostile_description_runs_on_a_task() {
    let (client, server) = Server::answering("{}");
    assert_eq!(spawn(hostile_names::calls(&client)).await, (10, 3));
    assert_eq!(server.received().len(), 10);
    let (client, _) = Server::answering("{}");
    assert_eq!(spawn(hostile_prose::calls(&client)).await, (0, 2));
    let (client, _) = Server::answering("{}");
    assert_eq!(spawn(hostile_depth::calls(&client)).await, (2, 1));
    let (client, _) = Server::answering("{}");
    assert_eq!(spawn(hostile_summaries::calls(&client)).await, (0, 300));
    let (client, _) = Server::answering("{}");
    assert_eq!(spawn(hostile_collisions::calls(&client)).await, (3, 1));
}

#[test]
fn nothing_of_a_hostile_description_is_left_out() {
    for left_out in [
        hostile_names::LEFT_OUT,
        hostile_prose::LEFT_OUT,
        hostile_depth::LEFT_OUT,
        hostile_summaries::LEFT_OUT,
        hostile_collisions::LEFT_OUT,
    ] {
        assert!(left_out.is_empty(), "{left_out:?}");
    }
}

#[tokio::test]
async fn hostile_names_are_sent_and_read_as_they_are() {
    let json = json!({ "Self": "1", "self": "2", "_self": "3", "self_": "4" });
    let (client, _) = Server::answering::<hostile_names::Client>(json.to_string());
    let value: Self_ = client.self_().send().await.unwrap().into_inner();
    assert_eq!(serde_json::to_value(&value).unwrap(), json);
    let json = json!({ "str": "1", "a-b": "2", "a_b": "3", "a.b": "4", "a b": "5", "aB": "6" });
    let text: String_ = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&text).unwrap(), json);
    let json = json!({ "Box": { "Option": "a", "other": "b" }, "None": { "Box": {} } });
    let nested: Box_ = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&nested).unwrap(), json);
}

#[tokio::test]
async fn alternatives_called_like_names_of_the_language_are_bodies() {
    let (client, server) = Server::answering::<hostile_names::Client>("");
    let report = || client.report();
    for call in [
        report().body(Success::builder().kind("OK")),
        report().body(Failure::builder().kind("ERROR")),
        report().body(Refusal::builder().kind("ERR")),
        report().body(Present::builder().kind("SOME")),
        report().body(Absent::builder().kind("NONE")),
        report().body(Part::builder().kind("ITEM")),
        report().body(Goal::builder().kind("TARGET")),
        report().body(Product::builder().kind("OUTPUT")),
        report().body(Maker::builder().kind("BUILDER")),
    ] {
        call.send().await.unwrap();
        let sent = server.last().body;
        let outcome: Outcome = serde_json::from_str(&sent).unwrap();
        assert!(!matches!(outcome, Outcome::Unknown(_)), "{sent}");
    }
    assert_eq!(server.received().len(), 9);
    let failure = serde_json::from_value(json!({ "kind": "ERROR" })).unwrap();
    assert!(matches!(failure, Outcome::Error(_)), "{failure:?}");
}

#[test]
fn values_that_collide_in_code_are_different_values() {
    let mut known: Vec<&str> = Kind2::VARIANTS.iter().map(Kind2::as_str).collect();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), 23);
    for kind in ["a", "A", "Unknown"] {
        let json = json!({ "kind": kind });
        let thing: Thing = serde_json::from_value(json.clone()).unwrap();
        assert!(!matches!(thing, Thing::Unknown(_)), "{kind}");
        assert_eq!(serde_json::to_value(&thing).unwrap(), json);
    }
}

#[tokio::test]
async fn parameters_called_like_methods_of_the_builder_are_sent() {
    let json = r#"{"id":"7d052811-c57c-4920-9fd6-bdbaa6c94e47"}"#;
    let (client, server) = Server::answering::<hostile_collisions::Client>(json);
    let call = client.create_order__().send_("s").body_("b").new_("n");
    let call = call.a_b("1").a_b_("2").self_("me").idempotency_key_("k");
    let call = call.body_map(|body| body.kind("b").a_b("3").build_("4"));
    call.send().await.unwrap();
    let request = server.last();
    assert!(request.url.starts_with("http://api.invalid/orders/s?"));
    for pair in ["body=b", "new=n", "self=me", "idempotency_key=k"] {
        assert!(request.url.contains(pair), "{}", request.url);
    }
    assert_eq!(request.body, r#"{"kind":"b","build":"4","a_b":"3"}"#);
    let parameters = hostile_collisions::operations::CREATE_ORDER__.parameters;
    assert_eq!(parameters.len(), 21);
}
