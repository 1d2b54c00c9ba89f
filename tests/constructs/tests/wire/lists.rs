//! Lists: empty alternatives, missing data, other pages.

use upvest_constructs::Server;
use upvest_constructs::lists::types::Order;
use upvest_constructs::lists::{Client, NOTES, operations};
use upvest_runtime::{ErrorKind, ListResponse};

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
async fn data_that_is_needed_must_be_a_list() {
    for json in [
        r#"{"data":null}"#,
        "{}",
        r#"{"meta":{}}"#,
        r#"{"data":{}}"#,
        "null",
    ] {
        let (client, _) = Server::answering::<Client>(json);
        let error = client.list_needed().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{json}");
    }
}

#[tokio::test]
async fn only_null_data_of_a_nullable_list_is_an_empty_list() {
    let (client, _) = Server::answering::<Client>(r#"{"data":null}"#);
    assert!(client.list_nullable().send().await.unwrap().data.is_empty());
    let (client, _) = Server::answering::<Client>(r#"{"data":{"a":1}}"#);
    let error = client.list_nullable().send().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("at data: expected a list, found map"),
        "{error}"
    );
    let (client, _) = Server::answering::<Client>(r#"{"data":[{"id":1}]}"#);
    let error = client.list_nullable().send().await.unwrap_err();
    assert!(error.to_string().contains("data[0].id"), "{error}");
}

#[tokio::test]
async fn null_instead_of_a_list_is_an_empty_list() {
    let (client, _) = Server::answering::<Client>("null");
    assert!(
        client
            .list_or_nothing()
            .send()
            .await
            .unwrap()
            .data
            .is_empty()
    );
    let (client, _) = Server::answering::<Client>("{}");
    assert!(client.list_or_nothing().send().await.is_err());
}

#[tokio::test]
async fn several_forms_of_a_list_are_one_list_with_pages() {
    let json = r#"{"data":[{"id":"o"}],"meta":{"total":1}}"#;
    let (client, _) = Server::answering::<Client>(json);
    let call = client.list_forms().offset(0_i64).limit(5_i64);
    let list: ListResponse<Order> = call.send().await.unwrap().into_inner();
    assert_eq!(list.data[0].id, "o");
    assert_eq!(list.meta.unwrap().total, Some(1));
    assert_eq!(operations::LIST_FORMS.paging.unwrap().max_limit, 20);
    let (client, _) = Server::answering::<Client>(r#"{"data":[]}"#);
    assert!(client.list_forms().send().await.unwrap().data.is_empty());
    let (client, _) = Server::answering::<Client>("{}");
    assert!(client.list_forms().send().await.is_err());
}

#[tokio::test]
async fn an_empty_object_instead_of_the_items_is_an_empty_list() {
    let (client, _) = Server::answering::<Client>(r#"{"data":{}}"#);
    assert!(client.list_data().send().await.unwrap().data.is_empty());
    let (client, _) = Server::answering::<Client>(r#"{"data":[{"id":"o"}]}"#);
    let list: ListResponse<Order> = client.list_data().send().await.unwrap().into_inner();
    assert_eq!(list.data[0].id, "o");
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
