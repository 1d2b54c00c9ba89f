//! Open enums: known values map to their variant, any other string survives byte for byte.

use std::fmt::{Debug, Display};

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use upvest_api::events::EventKind;
use upvest_api::runtime::OpenEnum;
use upvest_api::types;
use upvest_tests::description::{Description, workspace_file};

/// The traits of every enum.
trait WireEnum: OpenEnum + Clone + Debug + Display + DeserializeOwned + Eq + Ord + Serialize {}

impl<T> WireEnum for T where
    T: OpenEnum + Clone + Debug + Display + DeserializeOwned + Eq + Ord + Serialize
{
}

/// One name for each enum; [`every_generated_enum_is_tested_here`] fails if one is missing.
macro_rules! enums {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn known_values() -> Vec<Vec<&'static str>> {
            vec![$(types::$name::VARIANTS.iter().map(types::$name::as_str).collect()),*]
        }

        fn check_all(wire: &str) {
            $(check::<types::$name>(wire);)*
        }
    };
}

enums! {
    AccountGroupStatus AccountGroupType AccountStatus AccountTransferStatus CorporateActionStatus CorporateActionType DirectDebitStatus
    ExecutionStatus GrantType InstrumentType LiquidationStatus LiquidationType MandateStatus
    OrderCancellationStatus OrderSide OrderStatus OrderType PortfolioOrderStatus PortfolioStatus
    RebalancingExecutionStatus ReferenceAccountStatus ReportStatus SavingsPlanFrequency SavingsPlanStatus
    SecuritiesTransferStatus TokenType TransactionType TransferDirection UserCheckStatus UserStatus
    WebhookEventCategory WebhookSubscriptionStatus WithdrawalStatus
}

fn check<T: WireEnum>(wire: &str) {
    let json = serde_json::to_string(wire).expect("a string can be written");
    let value: T = serde_json::from_str(&json).expect("any string can be read");
    assert_eq!(value.as_str(), wire);
    assert_eq!(value.to_string(), wire);
    assert_eq!(
        serde_json::to_string(&value).expect("it can be written"),
        json
    );
    assert_eq!(value, T::from_wire(wire));
    let variant = T::VARIANTS.iter().find(|variant| variant.as_str() == wire);
    assert_eq!(value.is_known(), variant.is_some());
    assert!(variant.is_none_or(|variant| *variant == value));
}

/// All lists of enum values in the description.
fn described(value: &Value, lists: &mut Vec<Vec<String>>) {
    if let Some(values) = value["enum"].as_array() {
        lists.push(
            values
                .iter()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect(),
        );
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| described(value, lists)),
        Value::Array(items) => items.iter().for_each(|value| described(value, lists)),
        _ => {}
    }
}

#[test]
fn every_generated_enum_is_tested_here() {
    let source = std::fs::read_to_string(workspace_file("upvest-api/src/generated/enums.rs"));
    let source = source.expect("the generated code is there");
    for name in NAMES {
        assert!(source.contains(&format!("    {name} {{")), "{name}");
    }
    assert_eq!(source.matches("open_enum! {").count(), NAMES.len());
}

#[test]
fn the_known_values_are_those_of_the_description() {
    let mut lists = Vec::new();
    described(Description::vendored().document(), &mut lists);
    let known = known_values();
    for values in &known {
        assert!(
            lists.iter().any(|list| list == values),
            "{values:?} stands nowhere in the description"
        );
    }
    for list in &lists {
        let covered =
            |values: &Vec<&str>| list.iter().all(|value| values.contains(&value.as_str()));
        // The types of events of all deliveries are one enum.
        let events = || {
            list.iter()
                .all(|value| EventKind::from_wire(value).is_known())
        };
        assert!(
            known.iter().any(covered) || events(),
            "{list:?} is not a part of any enum"
        );
    }
}

#[test]
fn each_known_wire_string_maps_to_its_variant() {
    for wire in known_values().into_iter().flatten() {
        check_all(wire);
    }
}

proptest! {
    #[test]
    fn any_other_string_survives_a_round_trip_byte_for_byte(wire in any::<String>()) {
        check_all(&wire);
    }
}

#[test]
fn order_and_order_creation_share_one_side_and_an_update_has_the_status_of_its_plan() {
    let body = types::OrderCreate::builder().side(types::OrderSide::Sell);
    assert!(format!("{body:?}").contains("side"));
    let update = types::SavingsPlanUpdate::builder()
        .status(types::SavingsPlanStatus::Paused)
        .build();
    assert_eq!(
        update.expect("nothing is required").status,
        Some(types::SavingsPlanStatus::Paused)
    );
}

#[test]
fn a_slip_of_the_pen_is_rejected_and_a_deliberate_unknown_value_is_not() {
    let error = types::OrderSide::try_from("BYU").expect_err("no such side is known");
    assert_eq!(
        error.to_string(),
        "invalid OrderSide \"BYU\": expected one of BUY SELL"
    );
    let unknown: types::OrderSide = "SHORT".parse().expect("parsing never fails");
    assert!(!unknown.is_known());
    assert_eq!(unknown.as_str(), "SHORT");
}

#[test]
fn what_a_server_sends_cannot_forge_a_line_of_a_log() {
    let side: types::OrderSide =
        serde_json::from_str(r#""BUY\nERROR forged""#).expect("any string can be read");
    let currency: types::CurrencyCode =
        serde_json::from_str(r#""EU\nR""#).expect("it is short enough");
    assert_eq!(
        format!("{side:?} {currency:?} {:?}", types::OrderSide::Buy),
        r"BUY\nERROR forged EU\nR BUY"
    );
    assert_eq!(side.as_str(), "BUY\nERROR forged");
    assert_eq!(currency.as_str(), "EU\nR");
}
