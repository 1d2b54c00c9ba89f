//! Decimals that patterns describe: in maps, lists and parameters, behind references, with null.

use upvest_constructs::Server;
use upvest_constructs::decimals::Client;
use upvest_runtime::Decimal;

/// The texts of decimals that may be missing.
fn texts<'d>(decimals: impl IntoIterator<Item = &'d Option<Decimal>>) -> Vec<String> {
    let decimals = decimals.into_iter();
    let text = |decimal: &Option<Decimal>| decimal.map_or("none".to_owned(), |it| it.to_string());
    decimals.map(text).collect()
}

#[tokio::test]
async fn decimals_of_maps_and_lists_are_read_as_their_patterns_allow() {
    let json = r#"{"by_isin":{"a":".50","b":"-.50","c":"7","d":""},"steps":["+1.50",".5","-2"],
        "levels":{"x":["+.25"]},"last":"-.75","fee":"+0.10"}"#;
    let (client, _) = Server::answering::<Client>(json);
    let prices = client.find_prices().least("1").send().await.unwrap();
    let prices = prices.into_inner();
    assert_eq!(
        texts(prices.by_isin.values()),
        ["0.50", "-0.50", "7", "none"]
    );
    let steps: Vec<String> = prices.steps.iter().map(Decimal::to_string).collect();
    assert_eq!(steps, ["1.50", "0.5", "-2"]);
    assert_eq!(prices.levels["x"][0].to_string(), "0.25");
    assert_eq!(prices.last.unwrap().to_string(), "-0.75");
    assert_eq!(prices.fee.unwrap().to_string(), "0.10");
}

#[tokio::test]
async fn a_decimal_that_may_be_null_is_read_as_none() {
    let json = r#"{"by_isin":{},"steps":[],"levels":{},"last":null}"#;
    let (client, _) = Server::answering::<Client>(json);
    let prices = client.find_prices().least("1").send().await.unwrap();
    assert_eq!(prices.into_inner().last, None);
}

#[tokio::test]
async fn decimals_of_parameters_are_sent_exactly() {
    let json = r#"{"by_isin":{},"steps":[],"levels":{},"last":null}"#;
    let (client, server) = Server::answering::<Client>(json);
    let steps: Vec<Decimal> = vec!["-0.5".parse().unwrap(), "10.00".parse().unwrap()];
    let call = client.find_prices().least("1.50").most("0.50");
    let call = call.steps(steps.clone()).x_rates(steps);
    call.send().await.unwrap();
    assert_eq!(
        server.last().url,
        "http://api.invalid/prices/1.50?most=0.50&steps=-0.5&steps=10.00"
    );
    assert_eq!(server.last().headers["x-rates"], "-0.5,10.00");
}

#[tokio::test]
async fn a_decimal_that_may_be_an_empty_text_is_none_in_each_place() {
    let (client, _) = Server::answering::<Client>(r#"{"card":"","mail":"1.50"}"#);
    let fees = client.get_fees().send().await.unwrap().into_inner();
    assert_eq!(texts(fees.values()), ["none", "1.50"]);
    let (client, _) = Server::answering::<Client>(r#"{"data":["", "2"]}"#);
    let amounts = client.list_amounts().send().await.unwrap().into_inner();
    assert_eq!(texts(&amounts.data), ["none", "2"]);
    let (client, _) = Server::answering::<Client>(r#""""#);
    let amount = client.get_amount().send().await.unwrap().into_inner();
    assert_eq!(amount, None);
    let json = r#"{"base":"","tiers":["","3"],"other":""}"#;
    let (client, _) = Server::answering::<Client>(json);
    let rates = client.get_rates().send().await.unwrap().into_inner();
    assert_eq!(rates.base, None);
    assert_eq!(texts(&rates.tiers.unwrap()), ["none", "3"]);
    assert_eq!(texts(rates.extra.values()), ["none"]);
}

#[tokio::test]
async fn a_decimal_that_may_be_an_empty_text_is_sent_as_a_decimal() {
    let (client, server) = Server::answering::<Client>(r#"{"data":[]}"#);
    let one: Decimal = "1.00".parse().unwrap();
    client
        .replace_fees()
        .body(vec![Some(one)])
        .send()
        .await
        .unwrap();
    assert_eq!(server.last().body, r#"["1.00"]"#);
    client.list_amounts().from(vec![one]).send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/amounts?from=1.00");
}

#[tokio::test]
async fn a_body_of_one_value_is_read_as_leniently_as_a_field() {
    for (json, count) in [
        ("7", Some(7)),
        ("1.0", Some(1)),
        (r#""5""#, Some(5)),
        ("", None),
    ] {
        let (client, _) = Server::answering::<Client>(json);
        let found = client.get_count().send().await.unwrap().into_inner();
        assert_eq!(found, count, "{json}");
    }
}
