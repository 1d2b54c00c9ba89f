//! Bases with a discriminator, and the components that include them.

use serde_json::json;
use upvest_constructs::Server;
use upvest_constructs::inheritance::types::{
    Animal, Dog, Heavy, Level, Notice, Pet, PlainDog, PlainTruck, Puppy, Transport, Truck, Van,
    VanUpdate, Vehicle, Young,
};
use upvest_constructs::inheritance::{Client, NOTES};

#[tokio::test]
async fn without_a_mapping_the_names_of_children_are_the_tags() {
    let (client, server) = Server::answering::<Client>(r#"{"species":"Dog","bark":"wau"}"#);
    let animal = client.get_animal().send().await.unwrap().into_inner();
    assert!(matches!(animal, Animal::Dog(_)));
    let dog = PlainDog::builder().species("Dog").bark("wuff");
    let dog = dog.build().unwrap();
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

#[tokio::test]
async fn a_child_with_children_keeps_their_fields() {
    let json = json!({ "species": "Puppy", "bark": "w", "weeks": 3 });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let dog = client.get_dog().send().await.unwrap().into_inner();
    assert!(matches!(&dog, Dog::Puppy(puppy) if puppy.weeks == Some(3)));
    assert_eq!(serde_json::to_value(&dog).unwrap(), json);
    let (client, _) = Server::answering::<Client>(r#"{"species":"Dog","bark":"w"}"#);
    let dog = client.get_dog().send().await.unwrap().into_inner();
    assert!(matches!(dog, Dog::Dog(dog) if dog.bark.as_deref() == Some("w")));
}

#[tokio::test]
async fn the_mapping_of_a_discriminator_counts_at_each_level() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = json!({ "id": id, "kind": "VAN", "axles": 2, "seats": 3 });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let truck = client.get_truck().send().await.unwrap().into_inner();
    assert!(matches!(&truck, Truck::Van(van) if van.seats == Some(3)));
    assert_eq!(serde_json::to_value(&truck).unwrap(), json);
    let vehicle = client.retrieve_vehicle().vehicle_id(id).send().await;
    let vehicle = vehicle.unwrap().into_inner();
    let Vehicle::Van(van) = vehicle else {
        panic!("{vehicle:?}");
    };
    // The id of a child is that of the base.
    client
        .retrieve_vehicle()
        .vehicle_id(van.id)
        .send()
        .await
        .unwrap();
    let plain = PlainTruck::builder().id(id).kind("TRUCK").axles(4);
    let plain = plain.build().unwrap();
    let (client, server) = Server::answering::<Client>("");
    client
        .create_truck()
        .body(plain.clone())
        .send()
        .await
        .unwrap();
    let sent: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(sent, json!({ "id": id, "kind": "TRUCK", "axles": 4 }));
    let truck = serde_json::from_value(sent).unwrap();
    assert!(matches!(truck, Vehicle::Truck(truck) if truck == plain));
}

#[tokio::test]
async fn a_component_that_the_mapping_does_not_name_is_no_child() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = json!({ "id": id, "kind": "VAN", "axles": 2 });
    let (client, server) = Server::answering::<Client>(json.to_string());
    let van: Van = client.get_van().send().await.unwrap().into_inner();
    assert_eq!(van.axles, 2);
    let update = VanUpdate::builder()
        .id(van.id)
        .kind("VAN")
        .axles(2)
        .reason("r");
    client.update_van().body(update).send().await.unwrap();
    assert!(server.last().body.contains(r#""reason":"r""#));
}

#[tokio::test]
async fn a_shared_tag_has_the_values_that_are_called_like_the_children() {
    let json = json!({ "level": "HIGH_LEVEL", "high": "h" });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let level = client.get_level().send().await.unwrap().into_inner();
    assert!(matches!(&level, Level::HighLevel(level) if level.high.as_deref() == Some("h")));
    assert_eq!(serde_json::to_value(&level).unwrap(), json);
}

#[tokio::test]
async fn a_child_without_a_value_is_only_the_base_of_its_child() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = json!({ "id": id, "kind": "CRANE", "tons": 40, "height": 30 });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let heavy = client.get_heavy().send().await.unwrap().into_inner();
    assert!(matches!(&heavy, Heavy::Crane(crane) if crane.height == Some(30)));
    let vehicle = client.retrieve_vehicle().vehicle_id(id).send().await;
    let vehicle = vehicle.unwrap().into_inner();
    assert!(matches!(&vehicle, Vehicle::Crane(crane) if crane.tons == Some(40)));
    assert_eq!(serde_json::to_value(&vehicle).unwrap(), json);
    let unknown: Heavy = serde_json::from_value(json!({ "id": id, "kind": "TRUCK" })).unwrap();
    assert!(matches!(unknown, Heavy::Unknown(_)));
}

#[tokio::test]
async fn an_alternative_that_is_a_base_has_the_tags_of_its_children() {
    let json = json!({ "species": "Puppy", "bark": "w", "weeks": 3 });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let pet = client.get_pet().send().await.unwrap().into_inner();
    assert!(matches!(&pet, Pet::Dog(Dog::Puppy(puppy)) if puppy.weeks == Some(3)));
    assert_eq!(serde_json::to_value(&pet).unwrap(), json);
    // `Young` lists `Puppy` directly beside its base `Dog`, so the tag `Puppy` selects `Puppy`.
    let young = client.get_young().send().await.unwrap().into_inner();
    assert!(matches!(&young, Young::Puppy(puppy) if puppy.weeks == Some(3)));
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = json!({ "id": id, "kind": "VAN", "axles": 2, "seats": 3 });
    let (client, _) = Server::answering::<Client>(json.to_string());
    let transport = client.get_transport().send().await.unwrap().into_inner();
    assert!(matches!(&transport, Transport::Truck(Truck::Van(van)) if van.seats == Some(3)));
    assert_eq!(serde_json::to_value(&transport).unwrap(), json);
}

#[tokio::test]
async fn a_child_of_an_alternative_is_sent_with_its_own_tag() {
    let (client, server) = Server::answering::<Client>("");
    let puppy = Puppy::builder().species("Puppy").weeks(3).build().unwrap();
    let pet = Pet::from(Dog::from(puppy));
    client.create_pet().body(pet).send().await.unwrap();
    let sent: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(sent, json!({ "species": "Puppy", "weeks": 3 }));
    let wrong = PlainDog::builder().species("Cat").build().unwrap();
    let error = client.create_pet().body(Pet::from(Dog::from(wrong)));
    assert!(error.send().await.is_err());
}
