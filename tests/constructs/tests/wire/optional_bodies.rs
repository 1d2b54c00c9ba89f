//! Optional bodies: components, lists, texts, numbers and bytes.

use upvest_constructs::optional_bodies::Client;
use upvest_constructs::optional_bodies::types::Reason;
use upvest_constructs::{Received, Server};
use upvest_runtime::ErrorKind;

fn has_no_body(request: &Received) -> bool {
    request.body.is_empty() && !request.headers.contains_key("content-type")
}

#[tokio::test]
async fn an_optional_body_of_a_component_is_sent_only_if_it_is_given() {
    let (client, server) = Server::answering::<Client>("");
    client.cancel().send().await.unwrap();
    assert!(has_no_body(&server.last()), "{:?}", server.last());
    let reason = Reason::builder().reason("late");
    client.cancel().body(reason).send().await.unwrap();
    assert_eq!(server.last().body, r#"{"reason":"late"}"#);
    let error = client.close().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn an_optional_list_is_sent_only_if_it_is_given() {
    let (client, server) = Server::answering::<Client>("");
    client.replace_tags().send().await.unwrap();
    assert!(has_no_body(&server.last()), "{:?}", server.last());
    for (tags, json) in [(vec!["a".to_owned()], r#"["a"]"#), (Vec::new(), "[]")] {
        client.replace_tags().body(tags).send().await.unwrap();
        assert_eq!(server.last().body, json);
    }
}

#[tokio::test]
async fn an_optional_text_is_sent_only_if_it_is_given() {
    let (client, server) = Server::answering::<Client>("");
    client.replace_comment().send().await.unwrap();
    assert!(has_no_body(&server.last()), "{:?}", server.last());
    client.replace_comment().body("late").send().await.unwrap();
    assert_eq!(server.last().body, "late");
}

#[tokio::test]
async fn optional_numbers_and_bytes_are_sent_only_if_they_are_given() {
    let (client, server) = Server::answering::<Client>("");
    client.replace_limit().send().await.unwrap();
    assert!(has_no_body(&server.last()), "{:?}", server.last());
    client.replace_limit().body(7).send().await.unwrap();
    assert_eq!(server.last().body, "7");
    let sent = server.last().headers["content-type"].clone();
    assert_eq!(sent, "application/merge-patch+json");
    client.replace_file().send().await.unwrap();
    assert!(has_no_body(&server.last()), "{:?}", server.last());
    client.replace_file().body("%PDF").send().await.unwrap();
    assert_eq!(server.last().body, "%PDF");
}
