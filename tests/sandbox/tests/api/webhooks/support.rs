//! What several of these tests use.

use std::time::Duration;

use chrono::{DateTime, Utc};
use upvest_ext::api::types::{
    AccountId, CurrencyCode, OrderCreate, OrderSide, OrderType, WebhookEventCategory, WebhookId,
    WebhookSubscriptionCreate, WebhookSubscriptionStatus, WebhookSubscriptionUpdate,
};
use upvest_ext::{Error, Upvest};
use upvest_sandbox::{Command, Sandbox};
use uuid::Uuid;

use crate::endpoint::{Arrival, Endpoint};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A time far from midnight, when accounts are valued.
pub(crate) fn morning() -> upvest_sandbox::SandboxBuilder {
    Sandbox::builder().start_at("2026-03-02T09:00:00Z".parse::<DateTime<Utc>>().unwrap())
}

/// An instrument with a constant price of 100.
pub(crate) fn instrument() -> Uuid {
    Sandbox::instrument("IE0032077012")
}

pub(crate) async fn place_order(upvest: &Upvest, account: impl Into<AccountId>, cash: &str) {
    let order = OrderCreate::builder()
        .account_id(account.into())
        .instrument_id(instrument())
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount(cash)
        .currency("EUR".parse::<CurrencyCode>().unwrap());
    upvest.create_order().body(order).send().await.unwrap();
}

pub(crate) async fn create(
    upvest: &Upvest,
    url: &str,
    categories: impl IntoIterator<Item = WebhookEventCategory>,
) -> Result<WebhookId, Error> {
    let categories: Vec<_> = categories.into_iter().collect();
    let body = WebhookSubscriptionCreate::builder()
        .url(url)
        .event_categories(categories);
    Ok(upvest
        .create_webhook_subscription()
        .body(body)
        .send()
        .await?
        .into_inner()
        .id)
}

pub(crate) async fn set_status(
    upvest: &Upvest,
    webhook: WebhookId,
    status: WebhookSubscriptionStatus,
) {
    let update = WebhookSubscriptionUpdate::builder().status(status.clone());
    let updated = upvest
        .update_webhook_subscription()
        .webhook_id(webhook)
        .body(update)
        .send()
        .await
        .unwrap();
    assert_eq!(updated.status, Some(status));
}

/// An enabled subscription.
pub(crate) async fn subscribe(
    upvest: &Upvest,
    url: &str,
    categories: impl IntoIterator<Item = WebhookEventCategory>,
) -> WebhookId {
    let webhook = create(upvest, url, categories).await.unwrap();
    set_status(upvest, webhook, WebhookSubscriptionStatus::Active).await;
    webhook
}

/// Subscribes with a command, for tests that are not about subscriptions.
pub(crate) async fn switch_on(sandbox: &Sandbox, endpoint: &Endpoint) {
    sandbox
        .execute(Command::Subscribe {
            url: endpoint.url(),
        })
        .await
        .unwrap();
}

/// The events that have arrived, repetitions included.
pub(crate) fn ids(endpoint: &Endpoint) -> Vec<Uuid> {
    endpoint.events().iter().map(|event| event.id).collect()
}

/// The events in the log.
pub(crate) fn happened(sandbox: &Sandbox) -> Vec<Uuid> {
    sandbox.events().iter().map(|event| event.id).collect()
}

/// A parameter of the signature.
pub(crate) fn parameter(arrival: &Arrival, name: &str) -> String {
    let input = arrival.header("signature-input");
    let (_, value) = input.split_once(&format!("{name}=\"")).unwrap();
    value.split('"').next().unwrap().to_owned()
}
