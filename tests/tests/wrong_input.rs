//! Invalid input is an error with the field, the value and the rule, and nothing is sent.

use serde_json::{Value, json};
use upvest_api::runtime::{HttpTransport, Operation, Strict};
use upvest_api::types::{
    Address, CountryCode, CurrencyCode, Decimal, Isin, OrderCreate, OrderId, OrderSide, OrderType,
    UserCreate,
};
use upvest_api::{Client, ErrorKind};

fn client() -> Client {
    // Port 9 is the discard port. No test here connects to it.
    Client::new(
        "http://127.0.0.1:9",
        HttpTransport::new(|| Ok(reqwest::Client::new())).expect("the client is made"),
    )
}

async fn rejected<T: Operation>(operation: T) -> String {
    match operation.send().await {
        Err(error) if error.kind() == ErrorKind::InvalidRequest => error.to_string(),
        Err(error) => panic!("not rejected but {error}"),
        Ok(_) => panic!("sent"),
    }
}

#[test]
fn codes_ids_and_decimals_name_value_and_rule() {
    let cases = [
        (
            "EURO".parse::<CurrencyCode>().map(drop),
            "invalid currency code \"EURO\": expected three capital letters",
        ),
        (
            "eur".parse::<CurrencyCode>().map(drop),
            "invalid currency code \"eur\"",
        ),
        (
            "Deutschland".parse::<CountryCode>().map(drop),
            "invalid country code \"Deutschland\": expected two capital",
        ),
        (
            "DE000BASF112".parse::<Isin>().map(drop),
            "invalid ISIN \"DE000BASF112\"",
        ),
        (
            "US037833100".parse::<Isin>().map(drop),
            "invalid ISIN \"US037833100\"",
        ),
        (
            "1e400".parse::<Decimal>().map(drop),
            "invalid decimal number \"1e400\": expected digits",
        ),
        (
            "not-a-uuid".parse::<OrderId>().map(drop),
            "invalid OrderId \"not-a-uuid\": expected a UUID",
        ),
    ];
    for (result, message) in cases {
        let error = result.expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn good_codes_are_taken() {
    for isin in [
        "US0378331005",
        "DE000BASF111",
        "IE00B4L5Y983",
        "GB0002634946",
        "AU0000XVGZA3",
    ] {
        assert_eq!(
            isin.parse::<Isin>().map(|isin| isin.to_string()).as_deref(),
            Ok(isin)
        );
        let wrong_digit = format!("{}{}", &isin[..11], (isin.as_bytes()[11] - b'0' + 1) % 10);
        assert!(wrong_digit.parse::<Isin>().is_err(), "{wrong_digit}");
    }
    assert_eq!("EUR".parse(), Ok(CurrencyCode::EUR));
    assert_eq!(CurrencyCode::USD.as_str(), "USD");
}

#[test]
fn a_decimal_keeps_its_digits_or_is_rejected() {
    for accepted in [
        "0",
        "-0.5",
        "10.00",
        "0.0000000000000000000000000001",
        "9999999999999999999999999999",
    ] {
        assert_eq!(
            accepted.parse::<Decimal>().expect(accepted).to_string(),
            accepted
        );
    }
    for rejected in [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "1e2",
        "+1",
        "1_000",
        "1,5",
        " 1",
        "NaN",
        // Too many digits.
        "0.12345678901234567890123456789",
    ] {
        assert!(rejected.parse::<Decimal>().is_err(), "{rejected:?}");
    }
}

#[tokio::test]
async fn a_body_names_every_field_that_is_missing_or_wrong_at_once() {
    let client = client();
    let order = OrderCreate::builder()
        .currency("EURO")
        .cash_amount("1e400")
        .side(OrderSide::Buy);
    let message = rejected(client.create_order().body(order)).await;
    for part in [
        "OrderCreate",
        "`currency`: invalid currency code \"EURO\"",
        "`cash_amount`: invalid decimal number \"1e400\"",
        "`account_id` is required",
        "`type_` is required",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert!(!message.contains("`side`"), "{message}");
    let message = rejected(
        client
            .create_order()
            .body_map(|body| body.type_(OrderType::Market)),
    )
    .await;
    assert!(message.contains("`side` is required"), "{message}");
}

#[tokio::test]
async fn a_parameter_names_itself_value_and_rule() {
    let client = client();
    let message = rejected(client.retrieve_order().order_id("not-a-uuid")).await;
    let expected = "retrieveOrder: `order_id`: invalid OrderId \"not-a-uuid\": expected a UUID";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(
        rejected(client.retrieve_order()).await,
        "retrieveOrder: `order_id` is required"
    );
    let message = rejected(client.list_instruments().isin("DE000BASF112")).await;
    assert!(
        message.starts_with("listInstruments: `isin`: invalid ISIN \"DE000BASF112\""),
        "{message}"
    );
    let message = rejected(client.list_orders().limit(-1_i64)).await;
    assert!(message.starts_with("listOrders: `limit`: "), "{message}");
}

#[tokio::test]
async fn a_complaint_about_personal_data_does_not_repeat_it() {
    let user = UserCreate::builder()
        .first_name("Ada")
        .nationality("Wonderland");
    let message = rejected(client().create_user().body(user)).await;
    assert!(
        message.contains("`nationality`: the value (not shown) is not a valid CountryCode"),
        "{message}"
    );
    assert!(
        !message.contains("Wonderland") && !message.contains("Ada"),
        "{message}"
    );
}

/// The body of a request to create a user, with a change.
fn user(change: impl FnOnce(&mut Value)) -> Value {
    let mut user = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "date_of_birth": "1990-12-10",
        "nationality": "DE",
        "address": { "street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE" },
    });
    change(&mut user);
    user
}

fn order(change: impl FnOnce(&mut Value)) -> Value {
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let mut order = json!({
        "account_id": id, "instrument_id": id, "side": "BUY", "type": "MARKET", "cash_amount": "10.00",
        "currency": "EUR",
    });
    change(&mut order);
    order
}

/// The problems of a body that is read strictly.
fn problems<T: serde::de::DeserializeOwned>(json: &Value) -> String {
    match serde_json::from_str::<Strict<T>>(&json.to_string()) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_strict_request_names_unknown_fields_and_values_at_any_depth() {
    assert_eq!(problems::<OrderCreate>(&order(|_| {})), "none");
    assert_eq!(
        problems::<OrderCreate>(&order(|it| it["curency"] = "EUR".into())),
        "unknown field `curency`: the API has no such field"
    );
    assert_eq!(
        problems::<OrderCreate>(&order(|it| it["side"] = "BUYY".into())),
        "`side`: expected one of BUY, SELL"
    );
    assert_eq!(
        problems::<OrderCreate>(&order(|it| it["currency"] = "euro".into())),
        "`currency`: expected three capital letters (ISO 4217), such as EUR"
    );
    assert_eq!(problems::<UserCreate>(&user(|_| {})), "none");
    let wrong = user(|it| {
        it["address"]["zip"] = "10117".into();
        it["address"]["country"] = "Germany".into();
        it["hobby"] = Value::Null;
    });
    assert_eq!(
        problems::<Vec<UserCreate>>(&json!([user(|_| {}), wrong])),
        "`[1].address.country`: expected two capital letters (ISO 3166-1 alpha-2), such as DE; \
         unknown field `[1].address.zip`: the API has no such field; \
         unknown field `[1].hobby`: the API has no such field"
    );
}

#[test]
fn a_request_of_the_wrong_type_is_named_by_its_path_and_not_repeated() {
    let wrong = user(|it| it["date_of_birth"] = "CANARY".into());
    let problem = problems::<UserCreate>(&wrong);
    assert!(problem.starts_with("`date_of_birth`: "), "{problem}");
    let wrong = user(|it| it["address"]["city"] = json!(["CANARY"]));
    assert_eq!(
        problems::<UserCreate>(&wrong),
        "`address.city`: expected a string"
    );
    let wrong = user(|it| drop(it["address"].as_object_mut().unwrap().remove("city")));
    assert_eq!(
        problems::<UserCreate>(&wrong),
        "`address`: missing field `city`"
    );
    for canary in [
        json!("CANARY"),
        json!({ "CANARY": "CANARY" }),
        json!(["CANARY"]),
    ] {
        for field in ["email", "nationality", "date_of_birth", "address"] {
            let problem = problems::<UserCreate>(&user(|it| it[field] = canary.clone()));
            let values = problem.replace(&format!("{field}.CANARY"), "");
            assert!(!values.contains("CANARY"), "{problem}");
        }
    }
}

#[test]
fn a_type_is_read_leniently_before_and_after_a_strict_request() {
    let wrong = order(|it| (it["curency"], it["side"]) = ("EUR".into(), "SHORT".into()));
    let read = || serde_json::from_value::<OrderCreate>(wrong.clone()).unwrap();
    assert_eq!(read().side.as_str(), "SHORT");
    assert!(serde_json::from_value::<Strict<OrderCreate>>(wrong.clone()).is_err());
    assert_eq!(read().side.as_str(), "SHORT");
    let mut address = user(|it| it["address"]["country"] = "XYZ".into())["address"].take();
    address["zip"] = 1.into();
    let response: Address = serde_json::from_value(address).unwrap();
    assert_eq!(response.country.as_str(), "XYZ");
}
