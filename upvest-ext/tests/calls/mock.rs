//! A client over a transport of a test: no server, no token, no key.

use futures_util::TryStreamExt as _;
use serde_json::json;
use upvest_ext::api::types::{ListResponse, Order, OrderId, OrderStatus, Problem};
use upvest_ext::api::{MockTransport, builder};
use upvest_ext::{
    CallOptions, Error, ErrorKind, IdempotencyKey, Method, PaginateExt as _, Unredacted, Upvest,
};

const ID: &str = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";

fn id() -> OrderId {
    ID.parse().unwrap()
}

fn order(status: &str) -> Order {
    serde_json::from_value(json!({"id": ID, "status": status})).unwrap()
}

#[tokio::test(start_paused = true)]
async fn calls_pages_and_waits_work_over_a_mock() {
    let mock = MockTransport::new()
        .respond::<builder::RetrieveOrder>(order("NEW"))
        .respond::<builder::RetrieveOrder>(order("FILLED"))
        .respond::<builder::ListOrders>(ListResponse::new(vec![order("FILLED")]));
    let upvest = Upvest::from_transport(mock.clone());
    assert_eq!(
        upvest
            .retrieve_order()
            .order_id(id())
            .send()
            .await
            .unwrap()
            .status,
        Some(OrderStatus::New)
    );
    assert_eq!(
        upvest
            .wait_for(upvest.retrieve_order().order_id(id()))
            .await
            .unwrap()
            .status,
        Some(OrderStatus::Filled)
    );
    let orders: Vec<_> = upvest
        .list_orders()
        .page_size(10)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(orders.len(), 1);
    let paths: Vec<_> = mock
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    let order = format!("/orders/{ID}");
    assert_eq!(
        paths,
        [order.as_str(), order.as_str(), "/orders?limit=10&offset=0"]
    );
    assert!(mock.requests()[0].headers.get("authorization").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_mock_sees_a_failing_call_once_and_its_error_arrives_as_it_was_made() {
    let problem = Problem::from_body(
        http::StatusCode::SERVICE_UNAVAILABLE,
        br#"{"detail": "come back later"}"#,
    );
    let failure = Error::new(ErrorKind::Interrupted, "cut").with_context(|context| {
        context.is_outcome_unknown = true;
        context.attempts = 3;
    });
    let mock = MockTransport::new()
        .problem::<builder::ListOrders>(problem)
        .fail::<builder::CancelOrder>(failure);
    let upvest = Upvest::from_transport(mock.clone());
    let error = upvest.list_orders().send().await.unwrap_err();
    assert!(
        error.is_server_error() && Unredacted(&error).to_string().contains("come back later"),
        "{error}"
    );
    let error = upvest
        .cancel_order()
        .order_id(id())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.operation(), Some("cancelOrder"));
    assert_eq!(error.attempts(), 3);
    assert!(error.is_outcome_unknown());
    assert_eq!(mock.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn options_and_idempotency_keys_reach_a_mock() {
    let mock = MockTransport::new().respond::<builder::CreateOrder>(order("NEW"));
    let key = IdempotencyKey::generate();
    let options = CallOptions::new().header("x-trace", "abc");
    let upvest = Upvest::from_transport(mock.clone()).with(options);
    let call = upvest.create_order().idempotency_key(key);
    let response = call.body(crate::common::order()).send().await.unwrap();
    assert_eq!(response.metadata().idempotency_key, Some(key));
    let headers = &mock.requests()[0].headers;
    assert_eq!(headers["x-trace"], "abc");
    assert_eq!(headers["idempotency-key"], key.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_reaches_a_mock() {
    let mock = MockTransport::new();
    let upvest = Upvest::from_transport(mock.clone());
    let error = upvest
        .request(Method::GET, ["quotes"])
        .query("isin", "x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(mock.requests()[0].path, "/quotes?isin=x");
}

#[tokio::test(start_paused = true)]
async fn a_download_works_over_a_mock() {
    let mock = MockTransport::new().respond_bytes::<builder::RetrieveFile>("%PDF-1.7");
    let upvest = Upvest::from_transport(mock);
    let file = upvest.retrieve_file().file_id(ID).send().await.unwrap();
    assert_eq!(file.into_inner().bytes().await.unwrap(), "%PDF-1.7");
}
