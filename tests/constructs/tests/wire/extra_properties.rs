//! Additional properties: in a part of an `allOf`, as a component, in lists, in maps and in unions.

use serde::de::DeserializeOwned;
use upvest_constructs::Server;
use upvest_constructs::extra_properties::Client;
use upvest_constructs::extra_properties::types::{Animal, Book, Open, Part, Prices};

/// A body for the first call, whose response is sent in the second.
fn body<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn a_part_of_an_all_of_adds_additional_properties() {
    let json = r#"{"name":"n","a":1,"b":null}"#;
    let (client, server) = Server::answering::<Client>(json);
    let first = client.exchange_part().body(body::<Part>(json));
    let part = first.send().await.unwrap().into_inner();
    assert_eq!(part.name, "n");
    assert_eq!(part.extra["a"], Some(1));
    assert_eq!(part.extra["b"], None);
    client.exchange_part().body(part).send().await.unwrap();
    assert_eq!(server.last().body, json);
}

#[tokio::test]
async fn unevaluated_properties_are_kept_like_additional_ones() {
    let json = r#"{"name":"n","a":1}"#;
    let (client, server) = Server::answering::<Client>(json);
    let first = client.exchange_open().body(body::<Open>(json));
    let open = first.send().await.unwrap().into_inner();
    assert_eq!(open.extra["a"], 1);
    client.exchange_open().body(open).send().await.unwrap();
    assert_eq!(server.last().body, json);
}

#[tokio::test]
async fn additional_properties_may_be_objects_of_a_component() {
    let json = r#"{"currency":"EUR","ask":{"amount":"1.50"},"bid":{"amount":"1.40"}}"#;
    let (client, server) = Server::answering::<Client>(json);
    let first = client.exchange_prices().body(body::<Prices>(json));
    let prices = first.send().await.unwrap().into_inner();
    assert_eq!(prices.extra["ask"].amount.to_string(), "1.50");
    client.exchange_prices().body(prices).send().await.unwrap();
    assert_eq!(server.last().body, json);
}

#[tokio::test]
async fn items_of_lists_and_maps_keep_additional_properties() {
    let json = r#"{"pages":[{"number":1,"notes":["a","b"]},{"number":2}],"index":{"k":{"name":"n","x":7}}}"#;
    let (client, server) = Server::answering::<Client>(json);
    let first = client.exchange_book().body(body::<Book>(json));
    let book = first.send().await.unwrap().into_inner();
    assert_eq!(book.pages[0].extra["notes"], ["a", "b"]);
    assert!(book.pages[1].extra.is_empty());
    assert_eq!(book.index["k"].extra["x"], Some(7));
    client.exchange_book().body(book).send().await.unwrap();
    assert_eq!(server.last().body, json);
}

#[tokio::test]
async fn a_branch_of_a_union_keeps_additional_properties() {
    let json = r#"{"kind":"CAT","tame":true}"#;
    let (client, server) = Server::answering::<Client>(json);
    let first = client.exchange_animal().body(body::<Animal>(json));
    let animal = first.send().await.unwrap().into_inner();
    assert!(matches!(&animal, Animal::Cat(cat) if cat.extra["tame"]));
    client.exchange_animal().body(animal).send().await.unwrap();
    assert_eq!(server.last().body, json);
}
