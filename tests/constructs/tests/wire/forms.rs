//! Forms: lists that are repeated, joined or JSON, and fields that cannot be written.

use std::collections::BTreeMap;

use upvest_constructs::Server;
use upvest_constructs::forms::types::{CreateTagsBody, Filter, Search, Side};
use upvest_constructs::forms::{Client, LEFT_OUT, NOTES};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[tokio::test]
async fn a_list_in_a_form_is_repeated_unless_its_encoding_says_otherwise() {
    let (client, server) = Server::answering::<Client>("");
    let days = ["2024-02-29", "2024-03-01"].map(|day| day.parse().unwrap());
    let body = CreateTagsBody::builder()
        .tags(texts(&["a b", "c&d", "a b"]))
        .days(days.to_vec())
        .sides(vec![Side::Buy, Side::Sell])
        .amounts(vec!["1.50".parse().unwrap(), "2".parse().unwrap()])
        .counts(vec![1, 2])
        .filter(Filter::builder().side(Side::Buy).build().unwrap());
    client.create_tags().body(body).send().await.unwrap();
    let request = server.last();
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        request.body,
        "tags=a+b&tags=c%26d&tags=a+b&days=2024-02-29,2024-03-01&sides=BUY%7CSELL&amounts=1.50%202\
         &filter=%7B%22side%22%3A%22BUY%22%7D&counts=1&counts=2"
    );
}

#[tokio::test]
async fn an_empty_list_in_a_form_is_left_out() {
    let (client, server) = Server::answering::<Client>("");
    let call = client.create_tags();
    let call = call.body_map(|body| body.tags(Vec::new()).days(Vec::new()).note("n".to_owned()));
    call.send().await.unwrap();
    assert_eq!(server.last().body, "note=n");
}

#[tokio::test]
async fn additional_properties_of_a_form_may_be_lists() {
    let (client, server) = Server::answering::<Client>("");
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47".parse().unwrap();
    let extra = BTreeMap::from([("x".to_owned(), texts(&["1", "2"]))]);
    let search = Search::builder().ids(vec![id]).extra(extra);
    client.create_search().body(search).send().await.unwrap();
    assert_eq!(server.last().body, format!("ids={id}&x=1&x=2"));
}

#[tokio::test]
async fn a_field_of_a_form_that_cannot_be_written_is_named() {
    let is_note = |note: &&&str| note.contains("the field `deep` in the form of createTags");
    assert_eq!(NOTES.iter().filter(is_note).count(), 1);
    let is_left_out = |error: &str| error.contains("the field `filter` in the form of createDeep");
    assert!(
        matches!(LEFT_OUT, [only] if is_left_out(only)),
        "{LEFT_OUT:?}"
    );
    let (client, _) = Server::answering::<Client>("");
    let deep = Filter::builder().side(Side::Buy).build().unwrap();
    let call = client.create_tags();
    let call = call.body_map(|body| body.tags(Vec::new()).days(Vec::new()).deep(deep));
    let error = call.send().await.unwrap_err();
    assert!(error.to_string().contains("`deep`: "), "{error}");
}
