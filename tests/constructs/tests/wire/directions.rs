//! `readOnly` and `writeOnly`: in nested objects, in parts of an `allOf`, in lists, in maps and behind references.

use upvest_constructs::Server;
use upvest_constructs::directions::Client;
use upvest_constructs::directions::types::{Account, Card, LoginCreate, Note, Owner};
use upvest_runtime::ErrorKind;

const ACCOUNT: &str = r#"{"number":"7","owner":{"name":"Ada","checked":true,"since":null},
    "cards":[{"digits":"4","expires":"2030-01-31"}],"notes":{"a":{"text":"t","author":"x"}}}"#;

#[tokio::test]
async fn what_only_responses_have_is_not_needed_in_a_request() {
    let (client, server) = Server::answering::<Client>(ACCOUNT);
    let owner = Owner::builder().name("Ada").pin("1").build().unwrap();
    let card = Card::builder().digits("4").code("9").build().unwrap();
    let note = Note::builder().text("t").build().unwrap();
    let account = Account::builder()
        .owner(owner)
        .cards(vec![card])
        .notes([("a".to_owned(), note)]);
    client.create_account().body(account).send().await.unwrap();
    assert_eq!(
        server.last().body,
        r#"{"owner":{"name":"Ada","pin":"1"},"cards":[{"digits":"4","code":"9"}],"notes":{"a":{"text":"t"}}}"#
    );
}

#[tokio::test]
async fn what_only_requests_have_is_not_needed_in_a_response() {
    let (client, _) = Server::answering::<Client>(ACCOUNT);
    let account = Account::builder()
        .owner(Owner::builder().name("Ada").build().unwrap())
        .cards(Vec::new());
    let sent = client.create_account().body(account).send().await;
    let account = sent.unwrap().into_inner();
    assert_eq!(account.number.as_deref(), Some("7"));
    assert_eq!(account.owner.checked, Some(true));
    assert_eq!(account.owner.pin, None);
    assert!(account.cards[0].expires.is_some() && account.cards[0].code.is_none());
    assert_eq!(account.notes.unwrap()["a"].author.as_deref(), Some("x"));
}

#[tokio::test]
async fn a_property_of_an_all_of_is_needed_in_its_own_direction() {
    let (client, server) = Server::answering::<Client>(r#"{"id":"i"}"#);
    let missing = LoginCreate::builder().build().unwrap_err().to_string();
    assert!(missing.contains("`secret`"), "{missing}");
    assert!(!missing.contains("`id`"), "{missing}");
    let login = LoginCreate::builder().secret("s");
    let login = client.create_login().body(login).send().await.unwrap();
    assert_eq!(server.last().body, r#"{"secret":"s"}"#);
    assert_eq!(login.into_inner().id, "i");

    let (client, _) = Server::answering::<Client>(r#"{"device":"d"}"#);
    let login = client
        .create_login()
        .body(LoginCreate::builder().secret("s"));
    let error = login.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}
