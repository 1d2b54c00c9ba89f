//! Calls that are answered from memory.

use upvest_api::http::{Method, StatusCode};
use upvest_api::types::{
    ListResponse, Order, OrderCreate, OrderSide, OrderStatus, OrderType, Problem,
};
use upvest_api::{Client, Error, ErrorKind, MockTransport, builder};

const ID: &str = "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b";

fn client(mock: &MockTransport) -> Client {
    Client::new("http://mock.invalid", mock.clone())
}

#[tokio::test]
async fn one_mocked_call_takes_four_lines() -> Result<(), Error> {
    let order = Order::builder()
        .id(ID)
        .status(OrderStatus::Filled)
        .cash_amount("10.00")
        .build()?;
    let client = Client::new(
        "http://mock.invalid",
        MockTransport::new().respond::<builder::RetrieveOrder>(order.clone()),
    );
    let response = client.retrieve_order().order_id(ID).send().await?;
    assert_eq!(response.into_inner(), order);
    Ok(())
}

#[tokio::test]
async fn responses_come_in_turn_and_the_last_one_repeats() {
    let mock = MockTransport::new()
        .fail::<builder::ListOrders>(Error::new(ErrorKind::Connect, "no connection"))
        .problem::<builder::ListOrders>(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "slow_down",
            "Wait.",
        ))
        .respond::<builder::ListOrders>(ListResponse::new(Vec::new()));
    let client = client(&mock);
    let list = || client.list_orders().send();
    let error = list().await.expect_err("the first call fails");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.to_string().as_str(), "listOrders: no connection");
    let error = list().await.expect_err("the second call is throttled");
    assert_eq!(
        error.to_string(),
        "listOrders: 429 Too Many Requests (slow_down)"
    );
    for _ in 0..3 {
        assert!(
            list()
                .await
                .expect("the third response repeats")
                .data
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_problem_without_an_error_status_is_a_400() {
    for problem in [
        Problem::default(),
        Problem::new(StatusCode::OK, "odd", "A success is no problem."),
    ] {
        let client = client(&MockTransport::new().problem::<builder::ListOrders>(problem));
        let error = client
            .list_orders()
            .send()
            .await
            .expect_err("a problem is an error");
        assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    }
}

#[tokio::test]
async fn an_operation_without_a_response_is_an_error_that_says_what_to_add() {
    let mock = MockTransport::new().respond::<builder::ListOrders>(ListResponse::new(Vec::new()));
    let error = client(&mock)
        .retrieve_order()
        .order_id(ID)
        .send()
        .await
        .expect_err("no response");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let message = "retrieveOrder: the MockTransport has no response for `retrieve_order`: add one with `respond`, `problem` or `fail`";
    assert_eq!(error.to_string(), message);
}

#[tokio::test]
async fn requests_are_recorded_in_their_order() {
    let mock = MockTransport::new()
        .respond::<builder::ListOrders>(ListResponse::new(Vec::new()))
        .respond::<builder::CreateOrder>(Order::builder().id(ID).build().expect("an id is enough"))
        .respond::<builder::CloseAccount>(());
    let client = client(&mock);
    let order = OrderCreate::builder()
        .account_id(ID)
        .instrument_id(ID)
        .side(OrderSide::Sell);
    let order = order.type_(OrderType::Market).quantity("0.50");
    client
        .create_order()
        .body(order)
        .send()
        .await
        .expect("the response is there");
    client
        .list_orders()
        .limit(5)
        .send()
        .await
        .expect("the response is there");
    client
        .close_account()
        .account_id(ID)
        .send()
        .await
        .expect("the response is there");
    let requests = mock.requests();
    let sent: Vec<_> = requests
        .iter()
        .map(|it| (it.operation, &it.method, it.path.as_str()))
        .collect();
    let closed = format!("/accounts/{ID}");
    assert_eq!(
        sent,
        [
            ("createOrder", &Method::POST, "/orders"),
            ("listOrders", &Method::GET, "/orders?limit=5"),
            ("closeAccount", &Method::DELETE, closed.as_str()),
        ]
    );
    let body: serde_json::Value = serde_json::from_slice(&requests[0].body).expect("JSON was sent");
    assert_eq!(body["side"], "SELL");
    assert_eq!(body["quantity"], "0.50");
    assert_eq!(requests[0].headers["content-type"], "application/json");
    assert!(requests[1].body.is_empty() && !requests[1].headers.contains_key("content-type"));
}

#[tokio::test]
async fn a_file_is_answered_as_bytes() {
    let mock = MockTransport::new().respond_bytes::<builder::RetrieveFile>("%PDF-1.7");
    let client = client(&mock);
    for _ in 0..2 {
        let file = client
            .retrieve_file()
            .file_id(ID)
            .send()
            .await
            .expect("the file is there")
            .into_inner();
        assert_eq!(file.bytes().await.expect("it is whole"), "%PDF-1.7");
    }
}
