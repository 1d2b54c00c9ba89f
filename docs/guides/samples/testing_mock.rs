// region: guide
// docs/guides/samples/testing_mock.rs
// crates: tokio, upvest-ext
use upvest_ext::Upvest;
use upvest_ext::api::types::{ListResponse, Order};
use upvest_ext::api::{Error, ErrorKind, MockTransport, builder};

async fn count(upvest: &Upvest) -> Result<usize, Error> {
    Ok(upvest.list_orders().send().await?.data.len())
}

#[tokio::main] // #[tokio::test] in your tests
async fn main() {
    let mock = MockTransport::new()
        .respond::<builder::ListOrders>(ListResponse::new(Vec::<Order>::new()))
        .fail::<builder::ListOrders>(Error::new(ErrorKind::Timeout, "no response in time"));
    let upvest = Upvest::from_transport(mock.clone());
    assert_eq!(count(&upvest).await.ok(), Some(0));
    assert!(count(&upvest).await.is_err_and(|error| error.is_timeout()));
    assert_eq!(mock.requests()[0].path, "/orders");
}
// endregion

#[test]
fn the_mock_answers_and_fails() {
    main();
}
