//! Media types, headers that the client sets itself, and servers of one path.

use upvest_constructs::Server;
use upvest_constructs::requests::types::Order;
use upvest_constructs::requests::{Client, NOTES};

#[tokio::test]
async fn ranges_and_all_names_of_json_are_json() {
    let (client, server) = Server::answering::<Client>(r#"{"id":"o"}"#);
    let order = Order::builder().id("n").build().unwrap();
    let created = client
        .create_wild()
        .body(order)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.id, "o");
    assert_eq!(server.last().body, r#"{"id":"n"}"#);
    assert_eq!(server.last().headers["content-type"], "application/json");
    assert_eq!(server.last().headers["accept"], "application/json");
    assert_eq!(
        client.get_vendor().send().await.unwrap().into_inner().id,
        "o"
    );
    assert_eq!(client.get_text().send().await.unwrap().into_inner().id, "o");
}

#[tokio::test]
async fn headers_of_http_are_not_sent_and_noted() {
    let (client, server) = Server::answering::<Client>(r#"{"id":"o"}"#);
    client.get_elsewhere().x_trace("t").send().await.unwrap();
    assert_eq!(server.last().headers["x-trace"], "t");
    assert!(!server.last().headers.contains_key("host"));
    for header in ["`host`", "`content-length`"] {
        assert!(NOTES.iter().any(|note| note.contains(header)), "{header}");
    }
}

#[tokio::test]
async fn a_call_with_servers_of_its_own_goes_to_the_base_url() {
    let (client, server) = Server::answering::<Client>(r#"{"id":"o"}"#);
    client.get_elsewhere().send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/elsewhere");
    let is_named = |note: &&&str| note.contains("getElsewhere has its own servers");
    assert_eq!(NOTES.iter().filter(is_named).count(), 1);
}
