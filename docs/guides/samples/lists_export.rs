// region: guide
// docs/guides/samples/lists_export.rs
// crates: axum, futures-util, upvest-ext
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use upvest_ext::{Error, PaginateExt as _, Upvest};

async fn export(State(upvest): State<Upvest>) -> impl IntoResponse {
    let header = stream::once(async { Ok::<_, Error>("id,amount\n".to_owned()) });
    let lines = upvest.list_orders().page_size(100).items().map_ok(|order| {
        let amount = order
            .cash_amount
            .map(|amount| amount.to_string())
            .unwrap_or_default();
        format!("{},{amount}\n", order.id)
    });
    Body::from_stream(header.chain(lines))
}
// endregion

#[tokio::test]
async fn orders_are_lines() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let request = axum::extract::Request::default();
    let response = axum::handler::Handler::call(export, request, upvest).await;
    let text = axum::body::to_bytes(response.into_body(), 100).await;
    let text = text.unwrap();
    assert_eq!(text, "id,amount\n");
}
