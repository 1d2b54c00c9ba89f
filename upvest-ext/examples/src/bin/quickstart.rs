//! Onboards a user and fills an order in a local sandbox: `cargo example quickstart`.
//!
//! `-- --kill-after 3` kills the sandbox after the third step, to show what an error looks like.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use http::StatusCode;
use tokio::net::TcpListener;
use upvest_ext::Upvest;
use upvest_ext::api::types::{
    AccountCreate, Address, OrderCreate, OrderSide, OrderType, ReportId, UserCreate,
    WebhookEventCategory, WebhookSubscriptionCreate, WebhookSubscriptionStatus,
    WebhookSubscriptionUpdate,
};
use upvest_ext::webhooks::{VerifyError, WebhookVerifier};
use upvest_sandbox::Sandbox;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let kill_after = match (
        arguments.next().as_deref(),
        arguments.next().map(|step| step.parse()),
    ) {
        (None, _) => None,
        (Some("--kill-after"), Some(Ok(step))) => Some(step),
        _ => {
            eprintln!("usage: quickstart [--kill-after STEP]");
            return ExitCode::FAILURE;
        }
    };
    match run(kill_after).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line for each step, and kills the sandbox after the step that the option names.
struct Steps {
    started: Instant,
    number: u32,
    kill_after: Option<u32>,
    sandbox: Option<Sandbox>,
}

impl Steps {
    async fn done(&mut self, what: String) {
        self.number += 1;
        println!(
            "{:>4} ms  {}. {what}",
            self.started.elapsed().as_millis(),
            self.number
        );
        if self.kill_after == Some(self.number)
            && let Some(sandbox) = self.sandbox.take()
        {
            sandbox.kill().await;
            println!("          (the sandbox has been killed)");
        }
    }

    /// Advances the clock of the sandbox. Does nothing if the sandbox was killed.
    async fn wait(&self, seconds: u64) {
        if let Some(sandbox) = &self.sandbox {
            sandbox.advance(Duration::from_secs(seconds)).await;
        }
    }
}

pub(crate) async fn run(kill_after: Option<u32>) -> Result<(), Failure> {
    let sandbox = Sandbox::start().await?;
    let url = sandbox.url();
    let group = sandbox.account_group();
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let mut steps = Steps {
        started: Instant::now(),
        number: 0,
        kill_after,
        sandbox: Some(sandbox),
    };
    steps.done(format!("a local Upvest listens on {url}")).await;

    let instrument = upvest
        .list_instruments()
        .isin("IE00B3XXRP09")
        .send()
        .await?
        .into_inner()
        .data
        .remove(0);
    steps
        .done(format!(
            "signed and answered: {} is {}",
            instrument.id,
            name(instrument.name.as_ref())
        ))
        .await;

    let address = Address::builder()
        .street("Unter den Linden 1")
        .city("Berlin")
        .postal_code("10117")
        .country("DE");
    let user = UserCreate::builder()
        .first_name("Ada")
        .last_name("Lovelace")
        .email("ada@example.com")
        .date_of_birth("1990-12-10".parse::<chrono::NaiveDate>()?)
        .nationality("DE")
        .address(address.build()?);
    let user = upvest.create_user().body(user).send().await?.into_inner();
    steps.wait(1).await;
    let user = upvest
        .retrieve_user()
        .user_id(user.id)
        .send()
        .await?
        .into_inner();
    steps
        .done(format!(
            "user {} is {}",
            user.id,
            state(user.status.as_ref())
        ))
        .await;

    let account = AccountCreate::builder()
        .user_id(user.id)
        .account_group_id(group);
    let account = upvest
        .create_account()
        .body(account)
        .send()
        .await?
        .into_inner();
    steps.wait(1).await;
    let account = upvest
        .retrieve_account()
        .account_id(account.id)
        .send()
        .await?
        .into_inner();
    if let Some(sandbox) = &steps.sandbox {
        sandbox.top_up(account.id, "1000.00").await?;
    }
    steps
        .done(format!(
            "account {} is {}, with 1000.00 EUR",
            account.id,
            state(account.status.as_ref())
        ))
        .await;

    let (endpoint, received) = listen(upvest.clone()).await?;
    let subscription = WebhookSubscriptionCreate::builder()
        .url(&endpoint)
        .event_categories(vec![
            WebhookEventCategory::Order,
            WebhookEventCategory::Execution,
        ]);
    let subscription = upvest
        .create_webhook_subscription()
        .body(subscription)
        .send()
        .await?
        .into_inner();
    let switch_on = WebhookSubscriptionUpdate::builder().status(WebhookSubscriptionStatus::Active);
    upvest
        .update_webhook_subscription()
        .webhook_id(subscription.id)
        .body(switch_on)
        .send()
        .await?;
    steps
        .done(format!("events of orders and executions go to {endpoint}"))
        .await;

    let order = OrderCreate::builder()
        .account_id(account.id)
        .instrument_id(instrument.id)
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00")
        .currency("EUR");
    let order = upvest.create_order().body(order).send().await?.into_inner();
    steps.wait(2).await;
    let order = upvest
        .wait_for(upvest.retrieve_order().order_id(order.id))
        .await?;
    steps
        .done(format!(
            "order {} is {}",
            order.id,
            state(order.status.as_ref())
        ))
        .await;

    let events = std::mem::take(&mut *received.lock().unwrap_or_else(PoisonError::into_inner));
    steps
        .done(format!("received and verified: {}", events.join(", ")))
        .await;

    let positions = upvest
        .list_positions()
        .account_id(account.id)
        .send()
        .await?;
    let held = positions.data.iter().map(|position| {
        match (position.quantity, position.average_buy_in_price) {
            (Some(quantity), Some(price)) => format!("{quantity} units at {price}"),
            _ => "an unknown quantity".to_owned(),
        }
    });
    steps
        .done(format!(
            "positions: {}",
            held.collect::<Vec<_>>().join(", ")
        ))
        .await;

    let report = match &steps.sandbox {
        Some(sandbox) => ReportId::from(sandbox.create_report("ACCOUNT_STATEMENT").await?),
        None => ReportId::new(uuid::Uuid::nil()),
    };
    steps.wait(1).await;
    let report = upvest.wait_for_item(upvest.list_reports(), report).await?;
    let file = report.file_id.ok_or("a report without a file")?;
    let folder = tempfile::tempdir()?;
    let file = upvest.retrieve_file().file_id(file).send().await?;
    let length = file
        .into_inner()
        .write_to(folder.path().join("statement.pdf"))
        .await?;
    steps
        .done(format!("report {} is {} bytes of PDF", report.id, length))
        .await;
    Ok(())
}

type Log = Arc<Mutex<Vec<String>>>;

/// A webhook endpoint in this process, which verifies deliveries with the keys that Upvest publishes.
async fn listen(upvest: Upvest) -> Result<(String, Log), Failure> {
    let received = Log::default();
    let log = Arc::clone(&received);
    let verifier = WebhookVerifier::fetching(&upvest);
    let deliver = async move |request: Request| match receive(&verifier, request, &log).await {
        Ok(()) => StatusCode::OK,
        Err(error) => error.status(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/webhooks", listener.local_addr()?);
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/webhooks", post(deliver))).await
    });
    Ok((endpoint, received))
}

/// Logs the types of the events. The example `webhook_server` stores events in a database.
async fn receive(
    verifier: &WebhookVerifier,
    request: Request,
    log: &Log,
) -> Result<(), VerifyError> {
    let delivery = verifier.read_delivery(request).await?;
    for event in verifier.verify(&delivery).await?.into_iter().flatten() {
        let event_type = event.event_type.to_string();
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(event_type);
    }
    Ok(())
}

fn state(status: Option<&impl std::fmt::Debug>) -> String {
    status.map_or_else(
        || "in an unknown state".to_owned(),
        |status| format!("{status:?}"),
    )
}

fn name(name: Option<&String>) -> &str {
    name.map_or("nameless", String::as_str)
}
