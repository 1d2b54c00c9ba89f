//! Unions: inheritance, several values of a tag, tags without a discriminator, and the ids of branches.

use serde_json::{Value, json};
use upvest_constructs::Server;
use upvest_constructs::unions::Client;
use upvest_constructs::unions::types::{
    Card, Check, Holder, Mandate, Means, Payment, Role, Sepa, Signal, Transfer,
};

#[tokio::test]
async fn a_child_of_a_base_with_a_discriminator_keeps_its_fields() {
    let json = r#"{"kind":"SEPA","amount":"1.50","iban":"DE00"}"#;
    let (client, server) = Server::answering::<Client>(json);
    let read = client.get_payment().send().await.unwrap().into_inner();
    assert!(matches!(&read, Payment::Sepa(sepa) if sepa.iban == "DE00"));
    let sent = Sepa::builder().kind("SEPA").amount("2").iban("DE11");
    client
        .create_payment()
        .body(sent.build().unwrap())
        .send()
        .await
        .unwrap();
    let sent: Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(sent["iban"], "DE11");
    assert_eq!(sent["kind"], "SEPA");
}

#[tokio::test]
async fn the_builder_of_each_alternative_is_a_body() {
    let (client, server) = Server::answering::<Client>(r#"{"kind":"SEPA","iban":"DE00"}"#);
    let sepa = Sepa::builder().kind("SEPA").amount("2").iban("DE11");
    client.create_payment().body(sepa).send().await.unwrap();
    let sent: Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(
        sent,
        json!({ "kind": "SEPA", "amount": "2", "iban": "DE11" })
    );
    let card = Card::builder().kind("CARD").pan("4000");
    client.create_payment().body(card).send().await.unwrap();
    let sent: Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(sent, json!({ "kind": "CARD", "pan": "4000" }));
}

#[tokio::test]
async fn a_builder_of_an_alternative_reports_all_its_fields() {
    let (client, server) = Server::answering::<Client>("");
    let card = Card::builder().amount("two");
    let error = client.create_payment().body(card).send().await.unwrap_err();
    for field in ["`kind` is required", "`pan` is required", "`amount`"] {
        assert!(error.to_string().contains(field), "{error}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn both_values_of_a_mapping_are_the_branch_and_are_kept() {
    for speed in ["INSTANT", "URGENT"] {
        let json = format!(r#"{{"speed":"{speed}","fee":"1"}}"#);
        let (client, _) = Server::answering::<Client>(json.clone());
        let read = client.get_transfer().send().await.unwrap().into_inner();
        assert!(matches!(&read, Transfer::Instant(fast) if fast.speed == speed));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}

#[tokio::test]
async fn a_default_or_a_set_of_values_tells_branches_apart() {
    let (client, _) = Server::answering::<Client>(r#"{"type":"NOTE","text":"x"}"#);
    let check = client.get_check().send().await.unwrap().into_inner();
    assert!(matches!(check, Check::Note(note) if note.text == "x"));
    for kind in ["PERSONAL", "JOINT"] {
        let json = format!(r#"{{"type":"{kind}","users":["u"]}}"#);
        let (client, _) = Server::answering::<Client>(json);
        let holder = client.get_holder().send().await.unwrap().into_inner();
        assert!(matches!(holder, Holder::Personal(_)), "{kind}");
    }
    let (client, _) = Server::answering::<Client>(r#"{"type":"BUSINESS","company":"c"}"#);
    let holder = client.get_holder().send().await.unwrap().into_inner();
    assert!(matches!(holder, Holder::Business(_)));
}

#[tokio::test]
async fn the_id_of_a_branch_is_the_id_that_the_operation_takes() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = format!(r#"{{"id":"{id}","owner":"BUSINESS"}}"#);
    let (client, server) = Server::answering::<Client>(json);
    let role = client
        .retrieve_role()
        .role_id(id)
        .send()
        .await
        .unwrap()
        .into_inner();
    let Role::Business(role) = role else {
        panic!("{role:?}");
    };
    client
        .retrieve_role()
        .role_id(role.id)
        .send()
        .await
        .unwrap();
    assert!(server.last().url.ends_with(id));
}

#[tokio::test]
async fn two_values_of_a_mapping_can_be_one_schema() {
    for colour in ["RED", "AMBER"] {
        let json = format!(r#"{{"colour":"{colour}","seconds":3}}"#);
        let (client, _) = Server::answering::<Client>(json.clone());
        let read = client.get_signal().send().await.unwrap().into_inner();
        assert!(
            matches!(&read, Signal::Red(stop) if stop.seconds == Some(3)),
            "{read:?}"
        );
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
    let (client, _) = Server::answering::<Client>(r#"{"colour":"GREEN","speed":5}"#);
    let read = client.get_signal().send().await.unwrap().into_inner();
    assert!(matches!(read, Signal::Green(go) if go.speed == Some(5)));
}

#[tokio::test]
async fn two_values_of_an_encoded_mapping_are_one_branch() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    for scheme in ["CORE", "B2B"] {
        let json = format!(r#"{{"id":"{id}","scheme":"{scheme}","iban":"DE"}}"#);
        let (client, server) = Server::answering::<Client>(json.clone());
        let call = client.retrieve_mandate().mandate_id(id);
        let read = call.send().await.unwrap().into_inner();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        let Mandate::Core(mandate) = read else {
            panic!("{read:?}");
        };
        let call = client.retrieve_mandate().mandate_id(mandate.id);
        call.send().await.unwrap();
        assert!(server.last().url.ends_with(id));
    }
    // The inline branch has the same id.
    let (client, _) = Server::answering::<Client>(format!(r#"{{"id":"{id}","scheme":"OTHER"}}"#));
    let call = client.retrieve_mandate().mandate_id(id);
    let Mandate::Other(other) = call.send().await.unwrap().into_inner() else {
        panic!("it is the inline branch");
    };
    let call = client.retrieve_mandate().mandate_id(other.id);
    call.send().await.unwrap();
}

#[tokio::test]
async fn the_id_of_a_branch_in_a_list_is_the_id_that_the_operation_takes() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = format!(r#"{{"data":[{{"id":"{id}","owner":"USER"}}]}}"#);
    let (client, _) = Server::answering::<Client>(json);
    let roles = client.list_roles().send().await.unwrap().into_inner();
    let Role::User(role) = &roles.data[0] else {
        panic!("{roles:?}");
    };
    let (client, server) = Server::answering::<Client>(r#"{"owner":"NEW"}"#);
    client
        .retrieve_role()
        .role_id(role.id)
        .send()
        .await
        .unwrap();
    assert!(server.last().url.ends_with(id));
}

#[tokio::test]
async fn a_branch_with_a_path_of_its_own_has_the_id_of_that() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let (client, server) = Server::answering::<Client>(format!(r#"{{"id":"{id}","kind":"CARD"}}"#));
    let call = client.retrieve_means().means_id(id);
    let Means::Card(card) = call.send().await.unwrap().into_inner() else {
        panic!("it is a card");
    };
    client
        .retrieve_credit_card()
        .credit_card_id(card.id)
        .send()
        .await
        .unwrap();
    assert!(server.last().url.ends_with(&format!("/credit_cards/{id}")));
    let (client, _) = Server::answering::<Client>(format!(r#"{{"id":"{id}","kind":"BANK"}}"#));
    let call = client.retrieve_means().means_id(id);
    let Means::Bank(bank) = call.send().await.unwrap().into_inner() else {
        panic!("it is a bank account");
    };
    client
        .retrieve_means()
        .means_id(bank.id)
        .send()
        .await
        .unwrap();
}
