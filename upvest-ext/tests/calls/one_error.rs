//! One error type covers all failures and keeps their details.

use crate::common::tamper::{Tamper, Tampered as _};
use crate::common::{FakeApi, Fate, Reply, order};
use futures_util::TryStreamExt as _;
use upvest_api::types::Address;
use upvest_ext::signing::SigningKey;
use upvest_ext::webhooks::WebhookTester;
use upvest_ext::{CallOptions, ErrorKind, Method, PaginateExt as _, RetryPolicy, Upvest};

/// The error type of a user's service.
#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error(transparent)]
    Upvest(#[from] upvest_ext::Error),
}

impl ServiceError {
    fn kind(&self) -> ErrorKind {
        let Self::Upvest(error) = self;
        error.kind()
    }
}

const ID: &str = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";

async fn call(upvest: &Upvest) -> Result<(), ServiceError> {
    upvest.create_order().body(order()).send().await?;
    Ok(())
}

async fn page(upvest: &Upvest) -> Result<(), ServiceError> {
    let _: Vec<_> = upvest.list_orders().items().try_collect().await?;
    Ok(())
}

async fn wait(upvest: &Upvest) -> Result<(), ServiceError> {
    upvest
        .wait_for(upvest.retrieve_order().order_id(ID))
        .await?;
    Ok(())
}

async fn download(upvest: &Upvest) -> Result<(), ServiceError> {
    let file = upvest.retrieve_file().file_id(ID).send().await?;
    file.into_inner().bytes().await?;
    Ok(())
}

async fn raw(upvest: &Upvest) -> Result<(), ServiceError> {
    upvest.request(Method::GET, ["quotes"]).send().await?;
    Ok(())
}

async fn verify(tester: &WebhookTester, tamper: Option<Tamper>) -> Result<(), ServiceError> {
    let delivery = tester.deliver(
        "/webhooks",
        &[WebhookTester::event(
            "ORDER.FILLED",
            serde_json::json!({"id": ID}),
        )],
    );
    let delivery = tamper.map_or(delivery.clone(), |tamper| delivery.tampered(tamper));
    let events = tester.verifier().verify(&delivery).await;
    for event in events.map_err(upvest_ext::Error::from)? {
        event
            .map_err(upvest_ext::Error::from)?
            .resource::<Address>()
            .map_err(upvest_ext::Error::from)?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn one_from_in_a_users_error_catches_calls_pages_waits_downloads_and_verifications() {
    let api = FakeApi::new(|_, _| Reply::fate(Fate::Broken));
    let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::never()));
    for result in [
        call(&upvest).await,
        page(&upvest).await,
        wait(&upvest).await,
        download(&upvest).await,
        raw(&upvest).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    }
    let tester = WebhookTester::new().unwrap();
    assert_eq!(
        verify(&tester, Some(Tamper::Body))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Webhook
    );
    assert_eq!(
        verify(&tester, None).await.unwrap_err().kind(),
        ErrorKind::Decode
    );
}

#[test]
fn what_keeps_an_error_type_of_its_own_becomes_the_one_error_with_a_question_mark() {
    fn load(pem: &str) -> Result<SigningKey, upvest_ext::Error> {
        Ok(SigningKey::from_pem(pem, None)?)
    }
    fn build(amount: &str) -> Result<(), upvest_ext::Error> {
        order().cash_amount(amount).build()?;
        Ok(())
    }
    let error = load("no key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("no PEM block"), "{error}");
    let error = build("ten").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("`cash_amount`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_error_that_the_readme_quotes_is_the_one_that_is_printed() {
    let readme = include_str!("../../../README.md");
    let api = FakeApi::new(|_, _| {
        let row = |amount: &str| serde_json::json!({"id": ID, "cash_amount": amount});
        let rows =
            serde_json::json!({"data": [row("1.00"), row("2.00"), row("3.00"), row("1e400")]});
        Reply::new(200, rows.to_string())
    });
    let error = api.client().list_orders().send().await.unwrap_err();
    let (_, quote) = readme.split_once("`listOrders: ").unwrap();
    let (quote, _) = quote.split_once("…`").unwrap();
    assert!(
        error
            .to_string()
            .starts_with(&format!("listOrders: {quote}")),
        "README.md does not quote `{error}`"
    );
}
