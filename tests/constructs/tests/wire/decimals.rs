//! Decimals that patterns describe: in maps, lists and parameters, behind references, with null.

use upvest_constructs::Server;
use upvest_constructs::decimals::Client;
use upvest_runtime::Decimal;

#[tokio::test]
async fn decimals_of_maps_and_lists_are_read_as_their_patterns_allow() {
    let json = r#"{"by_isin":{"a":".50","b":"-.50","c":"7"},"steps":["+1.50",".5","-2"],
        "levels":{"x":["+.25"]},"last":"-.75","fee":"+0.10"}"#;
    let (client, _) = Server::answering::<Client>(json);
    let prices = client.find_prices().least("1").send().await.unwrap();
    let prices = prices.into_inner();
    let by_isin: Vec<String> = prices.by_isin.values().map(Decimal::to_string).collect();
    assert_eq!(by_isin, ["0.50", "-0.50", "7"]);
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
