//! Lists: empty alternatives, missing data, other pages.

use upvest_constructs::Server;
use upvest_constructs::lists::{Client, NOTES, operations};

#[tokio::test]
async fn the_empty_alternative_is_the_empty_value() {
    let (client, _) = Server::answering::<Client>(r#"{"data":[{"id":"u"}]}"#);
    assert_eq!(
        client.list_users().send().await.unwrap().into_inner().data[0].id,
        "u"
    );
    let (client, _) = Server::answering::<Client>(r#"{"data":[]}"#);
    assert!(
        client
            .list_users()
            .send()
            .await
            .unwrap()
            .into_inner()
            .data
            .is_empty()
    );
    let (client, _) = Server::answering::<Client>("{}");
    assert_eq!(
        client.get_latest().send().await.unwrap().into_inner().id,
        None
    );
}

#[tokio::test]
async fn missing_data_is_an_empty_list_but_another_object_is_not() {
    for json in [r#"{"data":null}"#, "{}", r#"{"meta":{"offset":0}}"#] {
        let (client, _) = Server::answering::<Client>(json);
        let orders = client.list_orders().send().await.unwrap().into_inner();
        assert!(orders.data.is_empty(), "{json}");
    }
    let (client, _) = Server::answering::<Client>(r#"{"error":"down"}"#);
    assert!(client.list_orders().send().await.is_err());
}

#[tokio::test]
async fn a_page_without_a_maximum_has_the_default_size() {
    let paging = operations::LIST_ORDERS.paging.unwrap();
    assert_eq!(paging.max_limit, 20);
    assert!(NOTES.iter().any(|note| note.contains("pages of 20 items")));
}

#[tokio::test]
async fn totals_as_text_make_a_plain_object_and_are_noted() {
    let json = r#"{"data":[{"id":"t"}],"meta":{"offset":"0","total":"1"}}"#;
    let (client, _) = Server::answering::<Client>(json);
    let trades = client.list_trades().send().await.unwrap().into_inner();
    assert_eq!(trades.data[0].id, "t");
    assert!(
        NOTES
            .iter()
            .any(|note| note.contains("`meta` has other fields"))
    );
}
