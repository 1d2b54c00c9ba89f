//! Events: one for each change of state, in order, signed, in both forms of their objects.

use std::collections::BTreeSet;

use upvest_ext::Upvest;
use upvest_ext::api::events::EventKind;
use upvest_ext::api::runtime::OpenEnum as _;
use upvest_ext::api::types::{
    Account, AccountCreate, Address, CountryCode, DirectDebit, DirectDebitCreate, Order,
    OrderStatus, Portfolio, PortfolioAllocationCreate, PortfolioCreate, PortfolioUpdate,
    SavingsPlan, SavingsPlanCreate, SavingsPlanFrequency, SavingsPlanStatus, SavingsPlanUpdate,
    User, UserCreate, WebhookEventCategory,
};
use upvest_ext::signing::SignatureVersion;
use upvest_ext::webhooks::{ResourceError, WebhookVerifier};
use upvest_sandbox::{PayloadShape, Sandbox};

use super::support::{
    HOUR, SECOND, happened, ids, instrument, morning, parameter, place_order, subscribe, switch_on,
};
use crate::endpoint::{Arrival, Endpoint, tally};

#[tokio::test]
async fn deliveries_are_signed_in_version_6_and_by_option_in_version_15() {
    for (version, digest) in [
        (None, "digest"),
        (Some(SignatureVersion::V6), "digest"),
        (Some(SignatureVersion::V15), "content-digest"),
    ] {
        let builder = Sandbox::builder();
        let builder = version
            .into_iter()
            .fold(builder, upvest_sandbox::SandboxBuilder::webhook_signatures);
        let sandbox = builder.start().await.unwrap();
        let endpoint = Endpoint::start().await;
        switch_on(&sandbox, &endpoint).await;
        sandbox.open_account("10.00").await.unwrap();

        let verifier = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
        assert!(!endpoint.arrived().is_empty());
        for arrival in endpoint.arrived() {
            let events = verifier.verify(&arrival.received()).await.unwrap();
            assert_eq!(events.len(), arrival.events().len());
            assert!(arrival.headers.contains_key(digest), "{version:?}");
            let spoilt = Arrival {
                body: arrival.body.slice(1..),
                ..arrival.clone()
            };
            verifier.verify(&spoilt.received()).await.unwrap_err();
            let elsewhere = Arrival {
                target: "/hooks/upvest?tenant=8".parse().unwrap(),
                ..arrival
            };
            verifier.verify(&elsewhere.received()).await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn after_a_rotation_old_and_new_deliveries_can_be_verified() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    for _ in 0..3 {
        let verifier = WebhookVerifier::fetching(&upvest);
        sandbox.create_account_group().await.unwrap();
        sandbox.settle().await;
        verifier
            .verify(&endpoint.arrived().last().unwrap().received())
            .await
            .unwrap();
        sandbox.rotate_webhook_keys().await.unwrap();
    }
    let arrived = endpoint.arrived();
    let keys: BTreeSet<_> = arrived
        .iter()
        .map(|arrival| parameter(arrival, "keyid"))
        .collect();
    assert_eq!(keys.len(), 3);
    // A new verifier. The key set contains the newest key and the two before it.
    let newcomer = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
    for arrival in &arrived[1..] {
        newcomer.verify(&arrival.received()).await.unwrap();
    }
}

#[tokio::test]
async fn every_change_of_state_is_one_event_that_arrives_once_and_in_order() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    let before = happened(&sandbox).len();

    a_week_of_activity(&sandbox, &upvest).await;

    let events = sandbox.events().split_off(before);
    assert_eq!(
        tally(events.iter().map(|event| event.event_type)),
        tally(A_WEEK_OF_LIFE.iter().copied())
    );
    assert!(events.is_sorted_by_key(|event| event.created_at));
    assert_eq!(
        ids(&endpoint),
        happened(&sandbox)[before..],
        "each once, in the order in which they happened"
    );
    for arrival in endpoint.arrived() {
        assert!(arrival.events().is_sorted_by_key(|event| event.created_at));
        assert_eq!(arrival.method, http::Method::POST);
        assert_eq!(arrival.header("content-type"), "application/json");
    }
    let distinct: BTreeSet<_> = ids(&endpoint).into_iter().collect();
    assert_eq!(distinct.len(), events.len());
}

#[tokio::test]
async fn an_event_contains_the_resource_as_it_was_then() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    a_week_of_activity(&sandbox, &upvest).await;

    let mut orders = Vec::new();
    for event in endpoint.events() {
        let read = match WebhookEventCategory::from_wire(event.event_type.category()) {
            WebhookEventCategory::User => event.resource::<User>().map(drop),
            WebhookEventCategory::Account => event.resource::<Account>().map(drop),
            WebhookEventCategory::DirectDebit => event.resource::<DirectDebit>().map(drop),
            WebhookEventCategory::SavingsPlan => event.resource::<SavingsPlan>().map(drop),
            WebhookEventCategory::Portfolio
                if event.event_type.as_str().starts_with("PORTFOLIO.") =>
            {
                event.resource::<Portfolio>().map(drop)
            }
            WebhookEventCategory::Order => {
                event.resource::<Order>().map(|order| orders.push(order))
            }
            _ => Ok(()),
        };
        read.unwrap_or_else(|error| panic!("{event:?}: {error}"));
        assert!(event.webhook_id.is_some());
    }
    let first = orders[0].id;
    let statuses: Vec<_> = orders
        .iter()
        .filter(|order| order.id == first)
        .map(|order| order.status.clone().unwrap())
        .collect();
    assert_eq!(
        statuses.iter().map(OrderStatus::as_str).collect::<Vec<_>>(),
        ["NEW", "PROCESSING", "FILLED"]
    );
}

#[tokio::test]
async fn the_reference_shape_has_only_the_id_of_the_object() {
    let sandbox = morning()
        .payload_shape(PayloadShape::Reference)
        .start()
        .await
        .unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    let before = happened(&sandbox).len();
    a_week_of_activity(&sandbox, &upvest).await;

    let events = endpoint.events();
    for event in &events {
        let ResourceError::NotCarried(reference) = event.resource::<Order>().unwrap_err() else {
            panic!("{event:?} carries something")
        };
        assert_eq!(
            reference.object_type,
            event.event_type.category(),
            "{event:?}"
        );
    }
    let sent: Vec<_> = events
        .iter()
        .map(|event| event.event_type.as_str())
        .collect();
    let happened = sandbox.events().split_off(before);
    let happened: Vec<_> = happened.iter().map(|event| event.event_type).collect();
    assert_eq!(sent, happened, "the names are those of the other shape");
    let logged = sandbox.deliveries();
    let types: Vec<_> = logged
        .iter()
        .flat_map(|delivery| delivery.event_types.clone())
        .collect();
    assert_eq!(
        types,
        events
            .iter()
            .map(|event| event.event_type.as_str())
            .collect::<Vec<_>>()
    );
    let logged: Vec<_> = logged
        .into_iter()
        .flat_map(|delivery| delivery.events)
        .collect();
    assert_eq!(logged, ids(&endpoint), "the log has what was sent");
}

#[tokio::test]
async fn the_resource_of_an_event_of_either_shape_can_be_read() {
    for shape in [PayloadShape::Full, PayloadShape::Reference] {
        let sandbox = Sandbox::builder()
            .payload_shape(shape)
            .start()
            .await
            .unwrap();
        let endpoint = Endpoint::start().await;
        switch_on(&sandbox, &endpoint).await;
        let account = sandbox.open_account("1000.00").await.unwrap();
        place_order(
            &Upvest::from_vars(sandbox.vars()).unwrap(),
            account,
            "100.00",
        )
        .await;
        sandbox.advance(2 * SECOND).await;

        let verifier = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
        let mut keys = BTreeSet::new();
        let mut filled = 0;
        for arrival in endpoint.arrived() {
            for event in verifier.verify(&arrival.received()).await.unwrap() {
                let event = event.unwrap();
                assert!(EventKind::from(&event.event_type).is_known(), "{event:?}");
                assert!(keys.insert(event.key()), "{event:?} arrived twice");
                if event.event_type == EventKind::OrderFilled {
                    let event = event
                        .fetch(&Upvest::from_vars(sandbox.vars()).unwrap())
                        .await
                        .unwrap();
                    let order: Order = event.resource().unwrap();
                    assert_eq!(order.status, Some(OrderStatus::Filled));
                    filled += 1;
                }
            }
        }
        assert_eq!(keys.len(), endpoint.events().len());
        assert_eq!(filled, 1);
    }
}

/// The events of [`a_week_of_activity`]. It has a user, an account, an order, a direct debit, a portfolio and a plan.
#[rustfmt::skip]
const A_WEEK_OF_LIFE: &[&str] = &[
    // The user is checked, and the account opens.
    "USER.CREATED", "USER_CHECK.CREATED", "ACCOUNT.CREATED", "MANDATE.CREATED",
    "USER_CHECK.PASSED", "USER.ACTIVATED", "ACCOUNT.ACTIVATED",
    // The direct debit.
    "DIRECT_DEBIT.NEW", "DIRECT_DEBIT.PROCESSING", "CASH_TRANSACTION.EXECUTED", "CASH_BALANCE.UPDATED", "DIRECT_DEBIT.COMPLETED",
    // The order: cash is reserved, then the reservation is released and the price is paid.
    "ORDER.NEW", "CASH_BALANCE.UPDATED", "ORDER.PROCESSING",
    "CASH_TRANSACTION.EXECUTED", "CASH_BALANCE.UPDATED", "POSITION.UPDATED",
    "EXECUTION.FILLED", "ORDER.FILLED", "EXECUTION.SETTLED",
    // The portfolio and its plan.
    "PORTFOLIO.CREATED", "PORTFOLIO.UPDATED", "SAVINGS_PLAN.CREATED",
    // Seven midnights.
    "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED",
    "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED",
    // The execution of the plan, with one portfolio order.
    "SAVINGS_PLAN.EXECUTED", "PORTFOLIO_ORDER.NEW", "PORTFOLIO_ORDER.PROCESSING",
    "ORDER.NEW", "CASH_BALANCE.UPDATED", "ORDER.PROCESSING",
    "CASH_TRANSACTION.EXECUTED", "CASH_BALANCE.UPDATED", "POSITION.UPDATED",
    "EXECUTION.FILLED", "ORDER.FILLED", "EXECUTION.SETTLED", "PORTFOLIO_ORDER.FILLED",
    // The plan is deleted.
    "SAVINGS_PLAN.PAUSED", "SAVINGS_PLAN.CANCELLED",
];

async fn a_week_of_activity(sandbox: &Sandbox, upvest: &Upvest) {
    let user = upvest
        .create_user()
        .body(somebody())
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    let account = AccountCreate::builder()
        .user_id(user)
        .account_group_id(sandbox.account_group());
    let account = upvest
        .create_account()
        .body(account)
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    let mandate = sandbox
        .create_mandate(sandbox.account_group(), "DE89370400440532013000")
        .await
        .unwrap();
    sandbox.advance(2 * SECOND).await;

    let debit = DirectDebitCreate::builder()
        .user_id(user)
        .account_group_id(sandbox.account_group())
        .mandate_id(mandate)
        .cash_amount("500.00")
        .currency("EUR");
    upvest
        .create_direct_debit()
        .body(debit)
        .send()
        .await
        .unwrap();
    sandbox.advance(2 * SECOND).await;

    place_order(upvest, account, "100.00").await;
    sandbox.advance(2 * SECOND).await;

    let whole = PortfolioAllocationCreate::builder()
        .instrument_id(instrument())
        .weight("1");
    let portfolio = PortfolioCreate::builder()
        .account_id(account)
        .name("Old age")
        .allocations(vec![whole.try_into().unwrap()]);
    let portfolio = upvest
        .create_portfolio()
        .body(portfolio)
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    let name = PortfolioUpdate::builder().name("Later");
    upvest
        .update_portfolio()
        .portfolio_id(portfolio)
        .body(name)
        .send()
        .await
        .unwrap();
    let plan = SavingsPlanCreate::builder()
        .account_id(account)
        .portfolio_id(portfolio)
        .cash_amount("50.00")
        .currency("EUR")
        .frequency(SavingsPlanFrequency::Weekly);
    let plan = upvest
        .create_savings_plan()
        .body(plan)
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    sandbox.advance(7 * 24 * HOUR).await;

    let pause = SavingsPlanUpdate::builder().status(SavingsPlanStatus::Paused);
    upvest
        .update_savings_plan()
        .savings_plan_id(plan)
        .body(pause)
        .send()
        .await
        .unwrap();
    upvest
        .delete_savings_plan()
        .savings_plan_id(plan)
        .send()
        .await
        .unwrap();
    sandbox.settle().await;
}

fn somebody() -> UserCreate {
    let address = Address::builder()
        .street("Unter den Linden 1")
        .city("Berlin")
        .postal_code("10117")
        .country("DE".parse::<CountryCode>().unwrap());
    let user = UserCreate::builder()
        .first_name("Erika")
        .last_name("Mustermann")
        .email("erika@example.com")
        .date_of_birth(chrono::NaiveDate::from_ymd_opt(1990, 12, 10).unwrap())
        .nationality("DE".parse::<CountryCode>().unwrap())
        .address(Address::try_from(address).unwrap());
    user.try_into().unwrap()
}
