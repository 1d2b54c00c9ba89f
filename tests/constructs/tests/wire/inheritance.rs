//! Bases with a discriminator, and the components that include them.

use serde_json::json;
use upvest_constructs::Server;
use upvest_constructs::inheritance::types::{Animal, Dog, Notice};
use upvest_constructs::inheritance::{Client, NOTES};

#[tokio::test]
async fn without_a_mapping_the_names_of_children_are_the_tags() {
    let (client, server) = Server::answering::<Client>(r#"{"species":"Dog","bark":"wau"}"#);
    let animal = client.get_animal().send().await.unwrap().into_inner();
    assert!(matches!(animal, Animal::Dog(_)));
    let dog = Dog::builder().species("Dog").bark("wuff").build().unwrap();
    client.create_animal().body(dog).send().await.unwrap();
    let sent: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(sent, json!({ "species": "Dog", "bark": "wuff" }));
}

#[tokio::test]
async fn a_child_of_a_child_is_a_branch_with_all_fields() {
    let json = json!({ "species": "Puppy", "bark": "w", "weeks": 3 });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let animal = client.get_animal().send().await.unwrap().into_inner();
    assert!(matches!(&animal, Animal::Puppy(puppy) if puppy.weeks == Some(3)));
    assert_eq!(serde_json::to_value(&animal).unwrap(), json);
}

#[tokio::test]
async fn a_child_may_contain_its_base() {
    let json = json!({ "species": "Cat", "mother": { "species": "Cat" } });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let Animal::Cat(cat) = client.get_animal().send().await.unwrap().into_inner() else {
        panic!("it is a cat");
    };
    assert!(matches!(cat.mother.as_deref(), Some(Animal::Cat(_))));
}

#[tokio::test]
async fn a_base_in_lists_and_beside_null_is_the_union() {
    let json = json!({ "animals": [{ "species": "Dog", "bark": "w" }], "best": null });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let zoo = client.get_zoo().send().await.unwrap().into_inner();
    assert!(matches!(zoo.animals.unwrap()[0], Animal::Dog(_)));
    assert!(zoo.best.is_none());
}

#[tokio::test]
async fn a_base_with_a_value_of_its_own_is_a_branch_too() {
    for (json, is_mail) in [
        (json!({ "channel": "PLAIN", "text": "x" }), false),
        (json!({ "channel": "MAIL", "address": "a" }), true),
    ] {
        let (client, _) = Server::answering::<Client>(json.to_string());
        let notice = client.get_notice().send().await.unwrap().into_inner();
        assert_eq!(matches!(notice, Notice::Mail(_)), is_mail);
        assert!(!matches!(notice, Notice::Unknown(_)));
        assert_eq!(serde_json::to_value(&notice).unwrap(), json);
    }
    assert!(NOTES.is_empty(), "{NOTES:?}");
}
