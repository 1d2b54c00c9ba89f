//! Values that YAML could read as numbers, booleans, dates or null: each is the text of the source.

use upvest_constructs::Server;
use upvest_constructs::source_texts::Client;
use upvest_constructs::source_texts::types::{Day, Nothing, Version};

const FOUND: &str = r#"{"version":"1.10","others":{"a":"0o17","b":"1.1"},"nothing":null}"#;

#[tokio::test]
async fn a_parameter_is_sent_as_the_text_of_the_source() {
    let (client, server) = Server::answering::<Client>(FOUND);
    for step in ["1_000", "0x1F", "1.", "007", "1.0"] {
        client.find().step(step).send().await.unwrap();
        let url = format!("http://api.invalid/find?step={step}");
        assert_eq!(server.last().url, url);
    }
    for step in ["1000", "31", "1", "7"] {
        let error = client.find().step(step).send().await;
        assert!(error.is_err(), "{step} is not described");
    }
}

#[tokio::test]
async fn enum_values_that_look_like_dates_or_times_are_texts() {
    let (client, server) = Server::answering::<Client>(FOUND);
    let days = ["2024-01-02", "12:30:00", "2024-02-29"];
    let days = days.map(|day| Day::try_from(day).unwrap());
    client.find().days(days.to_vec()).send().await.unwrap();
    assert_eq!(
        server.last().url,
        "http://api.invalid/find?days=2024-01-02&days=12%3A30%3A00&days=2024-02-29"
    );
}

#[tokio::test]
async fn words_of_a_component_are_texts_with_and_without_quotes() {
    let (client, server) = Server::answering::<Client>(FOUND);
    for response in ["yes", "no", "on", "off", "true"] {
        client.find().x_answer(response).send().await.unwrap();
        assert_eq!(server.last().headers["x-answer"], response);
    }
}

#[tokio::test]
async fn values_of_a_component_are_known_by_the_text_of_the_source() {
    let (client, _) = Server::answering::<Client>(FOUND);
    let found = client.find().send().await.unwrap().into_inner();
    assert!(found.version.is_known() && found.version.as_str() == "1.10");
    assert!(found.others.values().all(Version::is_known));
    assert_eq!(found.nothing, None);
    let versions: Vec<&str> = Version::VARIANTS.iter().map(Version::as_str).collect();
    assert_eq!(versions, ["1.10", "1.1", "0o17", "+1", "1e3"]);
    let nothing: Vec<&str> = Nothing::VARIANTS.iter().map(Nothing::as_str).collect();
    assert_eq!(nothing, ["~", "null", "1_0"]);
}
