use upvest_tests::inbox;

// region: guide
// docs/guides/samples/webhooks_inbox.rs
// crates: axum, sqlx, tokio, upvest-ext
use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use inbox::{Connection, Failure, Handler, Inbox};
use upvest_ext::Upvest;
use upvest_ext::api::events::EventKind;
use upvest_ext::api::types::Order;
use upvest_ext::webhooks::{Event, WebhookVerifier};

struct Orders {
    upvest: Upvest,
}

impl Handler for Orders {
    async fn handle(&self, event: Event, changes: &mut Connection) -> Result<(), Failure> {
        if event.event_type == EventKind::OrderFilled {
            // Some subscriptions deliver only the id. Only then does `fetch` request the order.
            let order: Order = event.fetch(&self.upvest).await?.resource()?;
            let insert = sqlx::query("insert into filled (order_id) values ($1)");
            insert.bind(order.id.to_string()).execute(changes).await?;
        }
        Ok(())
    }
}

/// A nested router changes the URI, and the signature covers the URI that was sent.
async fn deliver(
    State((inbox, verifier)): State<(Inbox, WebhookVerifier)>,
    OriginalUri(uri): OriginalUri,
    mut request: Request,
) -> StatusCode {
    *request.uri_mut() = uri;
    inbox.receive(&verifier, request).await
}

fn app(upvest: Upvest, inbox: Inbox) -> Router {
    let verifier = WebhookVerifier::fetching(&upvest);
    let worker = inbox.clone();
    tokio::spawn(async move { worker.work(&Orders { upvest }).await });
    Router::new()
        .route("/webhooks", post(deliver))
        .with_state((inbox, verifier))
}
// endregion

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_order_is_a_row() {
    use std::time::Duration;

    use upvest_ext::api::operations;
    use upvest_ext::api::types::AccountId;
    use upvest_ext::webhooks::VERIFY_KEYS;
    use upvest_ext::{Scopes, UpvestBuilder};
    use upvest_sandbox::Sandbox;

    use crate::orders_place::place_order;

    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/inbox.db?mode=rwc", folder.path().display());
    let inbox = Inbox::connect(&database).await.unwrap();
    inbox.create_table().await.unwrap();
    let table = sqlx::query("create table filled (order_id text)");
    table.execute(&inbox.pool).await.unwrap();

    let sandbox = Sandbox::start().await.unwrap();
    let scopes = Scopes::for_operations([
        &operations::CREATE_ORDER,
        &operations::RETRIEVE_ORDER,
        &VERIFY_KEYS,
    ]);
    let upvest = UpvestBuilder::from_vars(sandbox.vars()).scopes(scopes);
    let upvest = upvest.build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let app = app(upvest.clone(), inbox.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    sandbox.subscribe(&url).await.unwrap();

    let account = AccountId::from(sandbox.open_account("1000.00").await.unwrap());
    place_order(&upvest, account).await;
    sandbox.advance(Duration::from_secs(2)).await;
    sandbox.settle().await;
    while count(&inbox, "select count(*) from inbox where state = 'open'").await > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(&inbox, "select count(*) from filled").await, 1);
}

#[cfg(test)]
async fn count(inbox: &Inbox, query: &'static str) -> i64 {
    let query = sqlx::query_scalar(query);
    query.fetch_one(&inbox.pool).await.unwrap()
}
