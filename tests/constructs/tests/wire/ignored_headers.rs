//! Headers that the client sets itself: in other letter case, at a path, as components, and as names of other things.

use upvest_constructs::Server;
use upvest_constructs::ignored_headers::types::CreateOrderBody;
use upvest_constructs::ignored_headers::{Client, LEFT_OUT, NOTES, operations};

#[tokio::test]
async fn headers_of_a_path_are_ignored_in_any_letter_case() {
    let (client, server) = Server::answering::<Client>("");
    client.list_orders().send().await.unwrap();
    let request = server.last();
    for header in ["host", "content-type", "authorization", "date"] {
        assert!(!request.headers.contains_key(header), "{header}");
    }
    assert_eq!(request.headers["accept"], "application/json");
    for header in ["`host`", "`content-type`", "`date`"] {
        assert!(NOTES.iter().any(|note| note.contains(header)), "{header}");
    }
    assert!(LEFT_OUT.is_empty(), "{LEFT_OUT:?}");
}

#[tokio::test]
async fn a_required_header_parameter_of_components_is_ignored() {
    let (client, server) = Server::answering::<Client>("");
    let order = CreateOrderBody::builder().side("BUY");
    client.create_order().body(order).send().await.unwrap();
    assert_eq!(server.last().headers["content-type"], "application/json");
    assert!(!server.last().headers.contains_key("content-length"));
    assert!(operations::CREATE_ORDER.parameters.is_empty());
    assert!(NOTES.iter().any(|note| note.contains("`content-length`")));
}

#[tokio::test]
async fn a_query_parameter_with_the_name_of_a_header_is_sent() {
    let (client, server) = Server::answering::<Client>("");
    let call = client.list_orders().host("h").x_host("x");
    let call = call.date(
        "2024-02-29"
            .parse::<upvest_runtime::chrono::NaiveDate>()
            .unwrap(),
    );
    call.send().await.unwrap();
    assert_eq!(
        server.last().url,
        "http://api.invalid/orders?Host=h&date=2024-02-29"
    );
    assert_eq!(server.last().headers["x-host"], "x");
}
