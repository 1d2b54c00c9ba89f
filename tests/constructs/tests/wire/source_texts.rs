//! Values that YAML could read as numbers, booleans, dates or null. They stay as they are written in the description.

use upvest_constructs::Server;
use upvest_constructs::source_texts::types::{Branch, CodesByLevel, Day, Nothing, Version};
use upvest_constructs::source_texts::{Client, LEFT_OUT, NOTES, operations};

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

#[tokio::test]
async fn values_in_an_all_of_or_without_a_type_are_the_text_of_the_source() {
    let json = r#"{"branch":"0x1F","level":"0123","branches":["1_000","1e3"],"by_level":{"a":"007","b":"1.50"}}"#;
    let (client, server) = Server::answering::<Client>(json);
    let call = client.get_codes().branch("0123").level("0456").kind("1e3");
    let codes = call.send().await.unwrap().into_inner();
    assert_eq!(
        server.last().url,
        "http://api.invalid/codes?branch=0123&kind=1e3&level=0456"
    );
    let branches: Vec<&str> = Branch::VARIANTS.iter().map(Branch::as_str).collect();
    assert_eq!(branches, ["0123", "1e3", "1_000", "0x1F"]);
    assert!(codes.branch.is_known() && codes.level.is_known());
    assert!(codes.branches.unwrap().iter().all(Branch::is_known));
    assert!(codes.by_level.unwrap().values().all(CodesByLevel::is_known));
    assert!(client.get_codes().branch("123").send().await.is_err());
    assert!(client.get_codes().kind("1000").send().await.is_err());
}

#[tokio::test]
async fn numbers_without_quotes_and_type_are_any_json_and_noted_as_written() {
    assert!(LEFT_OUT.is_empty(), "{LEFT_OUT:?}");
    let is_note = |note: &&&str| note.contains("`rate` of") && note.contains("1e3 or 1.10");
    assert_eq!(NOTES.iter().filter(is_note).count(), 1, "{NOTES:?}");
    let (client, server) = Server::answering::<Client>(r#"{"branch":"0123","level":"0123"}"#);
    client.get_codes().rate(1.1).send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/codes?rate=1.1");
    let mut parameters = operations::GET_CODES.parameters.iter();
    assert!(parameters.any(|parameter| parameter.name == "branch"));
}
