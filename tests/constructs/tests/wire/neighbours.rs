//! Constructs that are in unusual places, or are spelled in unusual ways.

use std::collections::BTreeMap;

use upvest_constructs::Server;
use upvest_constructs::neighbours::events::{EventKind, EventObject};
use upvest_constructs::neighbours::types::{Label, LabelExtra, PatchLabelBody};
use upvest_constructs::neighbours::{Client, LEFT_OUT, NOTES, operations};
use upvest_runtime::EventObjects;

#[test]
fn the_largest_page_is_read_from_every_keyword_that_bounds_a_number() {
    let largest = |paging: Option<upvest_runtime::Paging>| paging.unwrap().max_limit;
    // exclusiveMaximum: 51
    assert_eq!(largest(operations::LIST_EXCLUSIVE.paging), 50);
    // enum: [10, 20, 50], default: 20
    assert_eq!(largest(operations::LIST_SIZES.paging), 50);
    assert_eq!(operations::LIST_SIZES.paging.unwrap().default_limit, 20);
    // maximum: 40.0
    assert_eq!(largest(operations::LIST_WHOLE.paging), 40);
    assert!(!NOTES.iter().any(|note| note.contains("maximum")));
}

#[test]
fn a_key_beside_a_token_is_noted_but_not_the_signature() {
    let unmet = NOTES.iter().filter(|note| note.contains("a call needs"));
    let unmet: Vec<&&str> = unmet.collect();
    assert_eq!(unmet.len(), 1, "{unmet:?}");
    assert!(unmet[0].contains("/paths/~1both/get") && unmet[0].contains("`key`"));
}

#[test]
fn a_path_with_dots_is_left_out() {
    assert_eq!(LEFT_OUT.len(), 1, "{LEFT_OUT:?}");
    assert!(LEFT_OUT[0].contains("\"/labels/../all\" is invalid"));
}

#[test]
fn an_event_may_have_its_type_as_a_default_in_an_envelope() {
    assert_eq!(EventKind::BoxCreated.as_str(), "BOX.CREATED");
    let kind = EventKind::BoxCreated.into();
    let object = EventObject::read(&kind, br#"{"width":1}"#).unwrap();
    assert!(matches!(object, EventObject::Box_(found) if found.width == 1));
}

#[test]
fn values_of_additional_properties_are_no_loss() {
    assert!(
        !NOTES.iter().any(|note| note.contains("`count`")),
        "{NOTES:?}"
    );
}

#[tokio::test]
async fn a_repeated_property_is_rejected_in_a_list_too() {
    let (client, server) = Server::answering::<Client>("");
    let label = |name: &str| {
        let extra = BTreeMap::from([(name.to_owned(), LabelExtra::default())]);
        Label::builder().name("n").extra(extra).build().unwrap()
    };
    client
        .create_labels()
        .body(vec![label("other")])
        .send()
        .await
        .unwrap();
    assert_eq!(server.last().body, r#"[{"name":"n","other":{}}]"#);
    let error = client
        .create_labels()
        .body(vec![label("name")])
        .send()
        .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`name` is a field"), "{error}");
}

#[tokio::test]
async fn bytes_are_sent_and_read_as_bytes_whatever_their_media_type() {
    let (client, server) = Server::answering::<Client>("%PDF");
    client.create_bytes().body("%PDF").send().await.unwrap();
    assert_eq!(server.last().headers["content-type"], "application/pdf");
    assert_eq!(server.last().body, "%PDF");
    client.replace_bytes().body("%PDF").send().await.unwrap();
    assert_eq!(
        server.last().headers["content-type"],
        "application/octet-stream"
    );
    let file = client.get_bytes().send().await.unwrap().into_inner();
    assert_eq!(file.bytes().await.unwrap(), "%PDF");
}

#[tokio::test]
async fn a_media_type_that_is_not_sent_is_noted() {
    let (client, server) = Server::answering::<Client>(r#""done""#);
    let body = PatchLabelBody::builder().name("n");
    client.patch_label().body(body).send().await.unwrap();
    let sent = server.last().headers["content-type"].clone();
    assert_eq!(sent, "application/merge-patch+json");
    let notes = NOTES
        .iter()
        .filter(|note| note.contains("application/vnd.label+json"));
    assert!(notes.count() > 0 && NOTES.iter().any(|note| note.contains("`renamed`")));
    assert!(!NOTES.iter().any(|note| note.contains("*/*")), "{NOTES:?}");
}

#[tokio::test]
async fn a_value_of_several_types_is_any_json_with_a_note() {
    let json = r#"{"either":5,"number":1}"#;
    let (client, _) = Server::answering::<Client>(json);
    let value = client.get_several().send().await.unwrap().into_inner();
    assert_eq!(value.either, Some(5.into()));
    assert_eq!(value.number, Some(1.0));
    let notes = NOTES
        .iter()
        .filter(|note| note.contains("read as any JSON"));
    let notes: Vec<&&str> = notes.collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("`either` of Several may be string or integer"));
}

#[test]
fn usual_servers_are_not_noted_but_each_header_of_http_is() {
    let notes = NOTES.iter().filter(|note| note.contains("/paths/~1usual"));
    let notes: Vec<&str> = notes.copied().collect();
    let notes = notes.join("\n");
    assert!(!notes.contains("servers"), "{notes}");
    assert!(
        notes.contains("`trailer`") && notes.contains("`proxy-authorization`"),
        "{notes}"
    );
}
