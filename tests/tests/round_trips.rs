//! Every schema of the description survives type -> JSON -> type and JSON -> type -> JSON without loss.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use upvest_api::types;
use upvest_tests::description::Description;

/// Reads `sent` with an unknown field as `T`, writes it as JSON, and checks that reading this JSON gives the same
/// value. Returns the JSON.
fn round_trip<T>(sent: &Value) -> Result<Value, TestCaseError>
where
    T: DeserializeOwned + Serialize + PartialEq,
{
    let mut with_unknown_field = sent.clone();
    with_unknown_field["an_unknown_field"] = unknown_field();
    let read: T = parse(&with_unknown_field)?;
    let written = serde_json::to_value(&read).expect("what was read can be written");
    let again: T = parse(&written)?;
    prop_assert!(read == again, "type -> JSON -> type changed {written}");
    Ok(written)
}

fn unknown_field() -> Value {
    json!({ "nested": [1, 2, 3] })
}

/// Checks that a problem keeps an unknown field, then removes it so that the rest can be compared.
fn round_trip_of_problem(sent: &Value) -> Result<Value, TestCaseError> {
    let mut written = round_trip::<types::Problem>(sent)?;
    let object = written.as_object_mut().expect("a problem is an object");
    let kept = object.remove("an_unknown_field");
    prop_assert_eq!(kept, Some(unknown_field()));
    Ok(written)
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, TestCaseError> {
    // From text, as from a server, because a `Value` would contain owned strings.
    serde_json::from_str(&value.to_string())
        .map_err(|error| TestCaseError::fail(format!("{error}: {value}")))
}

/// One name for each schema; [`every_schema_survives_both_ways`] fails if the description has another.
macro_rules! schemas {
    ($($name:ident)*) => {
        fn round_trip_of(schema: &str, sent: &Value) -> Option<Result<Value, TestCaseError>> {
            match schema {
                $(stringify!($name) => Some(round_trip::<types::$name>(sent)),)*
                "Error" => Some(round_trip_of_problem(sent)),
                _ => None,
            }
        }
    };
}

schemas! {
    AccessToken User UserCreate UserUpdate Address UserIdentifier UserIdentifierCreate UserIdentifierUpdate UserCheck
    TaxResidency TaxResidencyCreate Account AccountCreate AccountUpdate Instrument Exchange InstrumentPrice Order OrderCreate
    OrderCancellation Execution Portfolio PortfolioCreate PortfolioUpdate PortfolioAllocation PortfolioAllocationCreate
    PortfolioOrder PortfolioOrderCreate RebalancingExecution SavingsPlan SavingsPlanCreate SavingsPlanUpdate Position
    Valuation AccountReturn CashBalance DirectDebit DirectDebitCreate Mandate Withdrawal WithdrawalCreate ReferenceAccount
    Fee FeeConfiguration Report TreasuryReport Transaction Liquidation LiquidationCreate SecuritiesTransfer
    SecuritiesTransferCreate AccountTransfer AccountTransferCreate CorporateAction WebhookSubscription
    WebhookSubscriptionCreate WebhookSubscriptionUpdate PaginationMeta AccountGroup
}

#[test]
fn every_schema_survives_both_ways() {
    let description = Description::vendored();
    // The overlay adds account groups.
    assert_eq!(description.schemas().count(), 60);
    for (name, schema) in description.schemas() {
        let mut runner = TestRunner::new(Config {
            cases: 128,
            failure_persistence: None,
            ..Config::default()
        });
        let result = runner.run(&description.values(schema), |sent| {
            let Some(written) = round_trip_of(name, &sent) else {
                return Err(TestCaseError::fail("no line in `schemas!`: add the name"));
            };
            prop_assert_eq!(written?, sent, "JSON -> type -> JSON");
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn an_optional_list_tells_absent_from_empty() {
    for body in [json!({}), json!({ "event_categories": [] })] {
        let update: types::WebhookSubscriptionUpdate =
            serde_json::from_value(body.clone()).expect("it fits");
        assert_eq!(
            serde_json::to_value(update).expect("it can be written"),
            body
        );
    }
}

#[test]
fn an_empty_optional_decimal_is_none_and_null_is_too() {
    for empty in [json!(""), json!(null)] {
        let order = json!({ "id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b", "limit_price": empty, "quantity": "0" });
        let order: types::Order = serde_json::from_value(order).expect("it fits");
        assert_eq!(order.limit_price, None);
        assert_eq!(order.quantity, Some(types::Decimal::ZERO));
    }
}
