//! Calls, lists, waits and downloads borrow nothing: they can be moved into a task, or become the body of an HTTP
//! response.

use crate::common::{FakeApi, Reply};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde_json::json;
use upvest_ext::api::types::OrderStatus;
use upvest_ext::{PaginateExt as _, Upvest};

const ID: &str = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";

fn upvest() -> Upvest {
    let api = FakeApi::new(|seen, _| match seen.path.as_str() {
        "/orders" => Reply::new(
            200,
            json!({"data": [{"id": ID}], "meta": {"total": 1}}).to_string(),
        ),
        path if path.starts_with("/files") => {
            Reply::new(200, "%PDF-1.7").content_type("application/pdf")
        }
        path if path.ends_with("positions") => Reply::new(200, r#"{"data": []}"#),
        _ => Reply::new(200, json!({"id": ID, "status": "FILLED"}).to_string()),
    });
    api.client()
}

#[tokio::test(start_paused = true)]
async fn calls_lists_waits_and_downloads_can_be_moved_into_a_task() {
    let order = tokio::spawn(upvest().retrieve_order().order_id(ID).send());
    assert_eq!(
        order.await.unwrap().unwrap().status,
        Some(OrderStatus::Filled)
    );
    let orders = tokio::spawn(upvest().list_orders().items().try_collect::<Vec<_>>());
    assert_eq!(orders.await.unwrap().unwrap().len(), 1);
    let positions = tokio::spawn(upvest().list_positions().account_id(ID).send());
    assert!(positions.await.unwrap().unwrap().data.is_empty());
    let pages = tokio::spawn(
        upvest()
            .list_orders()
            .prefetch(2)
            .pages()
            .try_collect::<Vec<_>>(),
    );
    assert_eq!(pages.await.unwrap().unwrap().len(), 1);
    let wait = tokio::spawn(
        upvest()
            .wait_for(upvest().retrieve_order().order_id(ID))
            .into_future(),
    );
    assert_eq!(
        wait.await.unwrap().unwrap().status,
        Some(OrderStatus::Filled)
    );
    let get = upvest().retrieve_order().order_id(ID);
    let wait = tokio::spawn(
        upvest()
            .wait_until(get, |order| order.status.is_some())
            .into_future(),
    );
    assert_eq!(
        wait.await.unwrap().unwrap().status,
        Some(OrderStatus::Filled)
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statement.pdf");
    let file = upvest().retrieve_file().file_id(ID).send();
    let file = tokio::spawn(file).await.unwrap().unwrap().into_inner();
    let written = tokio::spawn(file.write_to(path));
    assert_eq!(written.await.unwrap().unwrap(), 8);
    let raw = tokio::spawn(upvest().request(upvest_ext::Method::GET, ["orders"]).send());
    assert!(raw.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_list_and_a_download_can_become_the_body_of_a_response() {
    let ids = upvest()
        .list_orders()
        .items()
        .map_ok(|order| Bytes::from(order.id.to_string()));
    assert_eq!(to_bytes(Body::from_stream(ids), 1000).await.unwrap(), ID);
    let file = upvest()
        .retrieve_file()
        .file_id(ID)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        to_bytes(Body::from_stream(file), 1000).await.unwrap(),
        "%PDF-1.7"
    );
}
