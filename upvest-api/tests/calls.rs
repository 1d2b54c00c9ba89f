//! Calls without a server: arguments and responses.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use upvest_api::http::{HeaderMap, Request, StatusCode};
use upvest_api::runtime::{List, Operation, OperationMeta, Paginated};
use upvest_api::types::{
    ListResponse, Order, OrderCreate, OrderSide, OrderStatus, OrderType, UserUpdate,
    WebhookSubscriptionUpdate,
};
use upvest_api::{
    ByteStream, Client, Error, ErrorKind, Metadata, MockTransport, Response, Transport, builder,
};

const ID: &str = "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b";

fn no_orders() -> (MockTransport, Client) {
    let mock = MockTransport::new().respond::<builder::ListOrders>(ListResponse::new(Vec::new()));
    (mock.clone(), Client::new("http://mock.invalid/v1/", mock))
}

/// The path and the query of the request of `list`.
async fn asked(list: impl FnOnce(builder::ListOrders) -> builder::ListOrders) -> String {
    let (mock, client) = no_orders();
    list(client.list_orders())
        .send()
        .await
        .expect("the response is there");
    mock.requests().remove(0).path
}

async fn rejected<T: Operation>(operation: T) -> String {
    match operation.send().await {
        Err(error) if error.kind() == ErrorKind::InvalidRequest => error.to_string(),
        Err(error) => panic!("not rejected but {error:?}"),
        Ok(_) => panic!("sent"),
    }
}

/// Answers every call with one status and one body.
#[derive(Debug)]
struct Fixed(StatusCode, fn() -> ByteStream);

impl Transport for Fixed {
    fn execute<'a>(
        &'a self,
        _: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(async {
            Ok(Response::new(
                (self.1)(),
                HeaderMap::new(),
                Metadata::new(self.0),
            ))
        })
    }
}

fn broken_off() -> ByteStream {
    let lost = Error::new(ErrorKind::Interrupted, "the connection broke");
    ByteStream::new(stream::iter([
        Ok(Bytes::from_static(b"{\"data\":")),
        Err(lost),
    ]))
}

fn fixed(status: u16, body: fn() -> ByteStream) -> Client {
    Client::new(
        "http://mock.invalid",
        Fixed(StatusCode::from_u16(status).expect("a status"), body),
    )
}

fn order() -> OrderCreate {
    let order = OrderCreate::builder()
        .account_id(ID)
        .instrument_id(ID)
        .side(OrderSide::Buy);
    order
        .type_(OrderType::Market)
        .cash_amount("10.00")
        .currency("EUR")
        .build()
        .expect("it is whole")
}

#[test]
fn optional_fields_are_plain_values_or_options() {
    let update = |name: Option<String>| {
        let builder = UserUpdate::builder().first_name(name).last_name("Lovelace");
        let update = builder.build().expect("nothing is required");
        serde_json::to_value(update).expect("an update is JSON")
    };
    assert_eq!(update(None), json!({ "last_name": "Lovelace" }));
    let named = update(Some("Ada".to_owned()));
    assert_eq!(
        named,
        json!({ "first_name": "Ada", "last_name": "Lovelace" })
    );
}

#[test]
fn the_items_of_a_list_need_no_type_as_they_are_not_converted() {
    let update = || WebhookSubscriptionUpdate::builder();
    for builder in [
        update().event_categories(vec![]),
        update().event_categories(vec!["ORDER".parse().expect("a category")]),
        update().event_categories(None),
    ] {
        assert!(builder.build().is_ok());
    }
}

#[tokio::test]
async fn optional_arguments_are_plain_values_or_options() {
    let (limit, status): (Option<u32>, Option<OrderStatus>) = (Some(7), None);
    assert_eq!(asked(|list| list.limit(50)).await, "/v1/orders?limit=50");
    assert_eq!(
        asked(|list| list.limit(Some(50))).await,
        "/v1/orders?limit=50"
    );
    assert_eq!(asked(|list| list.limit(None)).await, "/v1/orders");
    assert_eq!(
        asked(|list| list.limit(limit).status(status)).await,
        "/v1/orders?limit=7"
    );
    assert_eq!(
        asked(|list| list.limit(50_u8).offset(3_usize)).await,
        "/v1/orders?limit=50&offset=3"
    );
    let by_text = asked(|list| list.account_id(ID).status("FILLED")).await;
    let by_type = asked(|list| {
        list.account_id(ID.parse::<upvest_api::types::AccountId>().ok())
            .status(Some(OrderStatus::Filled))
    });
    assert_eq!(by_text, format!("/v1/orders?account_id={ID}&status=FILLED"));
    assert_eq!(by_type.await, by_text);
    let unknown: OrderStatus = "NEW & odd+ä".parse().expect("any text is a status");
    assert_eq!(
        asked(|list| list.status(unknown)).await,
        "/v1/orders?status=NEW+%26+odd%2B%C3%A4"
    );
}

#[tokio::test]
async fn the_last_value_of_an_argument_wins() {
    assert_eq!(
        asked(|list| list.limit(1).limit(2)).await,
        "/v1/orders?limit=2"
    );
    assert_eq!(asked(|list| list.limit(1).limit(None)).await, "/v1/orders");
    assert_eq!(
        asked(|list| list.limit(-1).limit(2)).await,
        "/v1/orders?limit=2"
    );
    assert_eq!(
        asked(|list| list.offset(9).limit(1).with_page(20, 10)).await,
        "/v1/orders?limit=10&offset=20"
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_reported_at_once_and_nothing_is_sent() {
    let (mock, client) = no_orders();
    let message = rejected(
        client
            .list_orders()
            .limit(-1)
            .account_id("x")
            .status("FILED"),
    )
    .await;
    assert!(
        message.starts_with("listOrders: `account_id`: invalid AccountId \"x\""),
        "{message}"
    );
    for part in ["`limit`: ", "`status`: invalid OrderStatus \"FILED\""] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let message = rejected(client.update_user().body_map(|user| user.email("a@b.c"))).await;
    assert_eq!(message, "updateUser: `user_id` is required");
    let message = rejected(client.create_user_identifier().user_id("x")).await;
    assert!(
        message.starts_with("createUserIdentifier: `user_id`: invalid UserId \"x\""),
        "{message}"
    );
    assert!(
        message.contains("; UserIdentifierCreate: `type_` is required"),
        "{message}"
    );
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_body_is_a_struct_a_builder_or_built_in_place() {
    let mock =
        MockTransport::new().fail::<builder::CreateOrder>(Error::new(ErrorKind::Io, "enough"));
    let client = Client::new("http://mock.invalid", mock.clone());
    let create = || client.create_order();
    let calls = [
        create().body(order()),
        create().body(upvest_api::bodies::OrderCreateBuilder::from(order())),
        create().body_map(|_| order().into()),
        create()
            .body_map(|it| {
                it.account_id(ID)
                    .instrument_id(ID)
                    .side("BUY")
                    .type_("MARKET")
            })
            .body_map(|it| it.cash_amount("10.00").currency("EUR")),
        create()
            .body(order())
            .body_map(|it| it.cash_amount("10.00")),
    ];
    for call in calls {
        assert_eq!(
            call.send().await.expect_err("the mock fails").to_string(),
            "createOrder: enough"
        );
    }
    let requests = mock.requests();
    for request in &requests {
        assert_eq!(request.body, requests[0].body);
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.headers["accept"], "application/json");
    }
    assert!(
        rejected(create())
            .await
            .starts_with("createOrder: OrderCreate: `account_id` is required; ")
    );
    // The last body wins, even over an invalid earlier one.
    assert!(
        create()
            .body(OrderCreate::builder())
            .body(order())
            .send()
            .await
            .is_err_and(|it| it.kind() == ErrorKind::Io)
    );
}

#[tokio::test]
async fn a_client_with_a_url_that_is_none_says_so_at_the_first_call() {
    let (mock, _) = no_orders();
    for url in [
        "",
        "api.upvest.co",
        "ftp://api.upvest.co",
        "http://",
        "http://a/?b",
        "http://a/#b",
        "http://user:pw@a",
        "http://a b",
    ] {
        let client = Client::new(url, mock.clone());
        let error = client.list_orders().send().await.expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        assert_eq!(
            error.to_string(),
            "listOrders: the client's base URL is not of the form https://host[:port][/path]"
        );
        assert!(
            !format!("{client:?} {error:?}").contains("pw"),
            "a password is not shown"
        );
    }
    assert!(mock.requests().is_empty());
    for (url, base) in [
        ("https://a", "https://a"),
        ("http://a:8080/x/", "http://a:8080/x"),
        ("http://[::1]:1/", "http://[::1]:1"),
    ] {
        let client = Client::new(url, mock.clone());
        client
            .list_orders()
            .send()
            .await
            .expect("the response is there");
        assert_eq!(client.base_url(), base);
    }
}

#[tokio::test]
async fn a_response_has_status_headers_and_metadata_beside_its_value() {
    let mut headers = HeaderMap::new();
    headers.insert("upvest-request-id", "6ec8ab9f".parse().expect("a value"));
    let mut metadata = Metadata::new(StatusCode::ACCEPTED);
    metadata.attempts = 3;
    let response = Response::new(ListResponse::new(vec![1, 2]), headers, metadata.clone());
    assert_eq!(response.data.len(), 2);
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.request_id(), Some("6ec8ab9f"));
    assert_eq!(response.headers()["upvest-request-id"], "6ec8ab9f");
    metadata.request_id = Some("6ec8ab9f".to_owned());
    let response = response.map(|listing| listing.data.len());
    assert_eq!(response.metadata(), &metadata);
    assert_eq!(response.into_inner(), 2);
    let plain = Response::from(http_response(StatusCode::CREATED, "text"));
    assert_eq!(*plain, "text");
    assert_eq!(plain.metadata().attempts, 1);
    assert_eq!(plain.status(), StatusCode::CREATED);
}

fn http_response<T>(status: StatusCode, body: T) -> upvest_api::http::Response<T> {
    upvest_api::http::Response::builder()
        .status(status)
        .body(body)
        .expect("it is whole")
}

#[tokio::test]
async fn bytes_come_whole_or_piece_by_piece() {
    let pieces = |pieces: &'static [&'static str]| {
        ByteStream::new(stream::iter(pieces).map(|piece| Ok(Bytes::from_static(piece.as_bytes()))))
    };
    for (stream, whole) in [
        (pieces(&[]), ""),
        (pieces(&["one"]), "one"),
        (pieces(&["one", "two"]), "onetwo"),
        (pieces(&["a", "", "b", "c"]), "abc"),
        (ByteStream::from("whole"), "whole"),
        (ByteStream::from(Vec::new()), ""),
    ] {
        assert_eq!(stream.bytes().await.expect("nothing fails"), whole);
    }
    let mut whole = ByteStream::from("whole");
    assert_eq!(
        whole.next().await.and_then(Result::ok),
        Some(Bytes::from("whole"))
    );
    assert!(whole.next().await.is_none());
    let error = broken_off().bytes().await.expect_err("it breaks off");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(
        format!("{:?} {:?}", ByteStream::from("Ada"), broken_off()),
        "ByteStream(3 bytes) ByteStream(..)"
    );
}

#[tokio::test]
async fn a_success_that_cannot_be_read_may_have_changed_something() {
    for body in [
        || ByteStream::from("<html>"),
        || ByteStream::from(""),
        broken_off,
    ] {
        let error = fixed(201, body)
            .create_order()
            .body(order())
            .send()
            .await
            .expect_err("no order");
        assert!(error.is_outcome_unknown(), "{error}");
        assert_eq!(error.status(), Some(StatusCode::CREATED));
        assert_eq!(error.operation(), Some("createOrder"));
        let error = fixed(200, body)
            .list_orders()
            .send()
            .await
            .expect_err("no list");
        assert!(!error.is_outcome_unknown(), "{error}");
    }
    let error = fixed(200, broken_off)
        .list_orders()
        .send()
        .await
        .expect_err("half a list");
    assert_eq!(
        error.to_string(),
        "listOrders: 200 OK, but the body could not be received completely: the connection broke"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_download_that_breaks_off_names_its_operation_and_position() {
    let response = fixed(200, broken_off)
        .retrieve_file()
        .file_id(ID)
        .send()
        .await;
    let file = response.expect("the file begins").into_inner();
    let error = file.bytes().await.expect_err("half a file");
    assert_eq!(
        error.to_string(),
        "retrieveFile: 200 OK, but the connection broke, at position 8"
    );
    assert_eq!(
        error.hint(),
        Some("call the operation again: a download starts from its beginning")
    );
}

#[tokio::test]
async fn an_error_status_whose_body_breaks_off_keeps_its_status() {
    let error = fixed(503, broken_off)
        .create_order()
        .body(order())
        .send()
        .await
        .expect_err("503");
    assert_eq!(
        error.to_string(),
        "createOrder: 503 Service Unavailable; it may have been carried out all the same"
    );
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test]
async fn a_response_without_content_needs_no_body_and_ignores_one() {
    for body in [
        || ByteStream::from(""),
        || ByteStream::from("{\"odd\": true}"),
        broken_off,
    ] {
        let response = fixed(200, body).close_account().account_id(ID).send().await;
        assert_eq!(response.expect("it is closed").status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn what_a_builder_holds_is_not_shown() {
    let (_, client) = no_orders();
    let call = client
        .update_user()
        .user_id(ID)
        .body(UserUpdate::builder().first_name("Ada"));
    assert_eq!(
        format!("{call:?}"),
        r#"UpdateUser(Call { operation: "updateUser", set: ["user_id"], body: Some("set"), .. })"#
    );
    let call = client.update_user().body_map(|user| user.first_name("Ada"));
    assert_eq!(
        format!("{call:?}"),
        r#"UpdateUser(Call { operation: "updateUser", set: [], body: Some("{first_name}"), .. })"#
    );
}

/// Reads every page of a list with only its builder, as an SDK on top does.
fn items<T: Paginated>(
    list: T,
) -> impl stream::Stream<Item = Result<Vec<T::Item>, Error>> + Send + 'static {
    stream::once(
        async move { Ok(T::page(list.with_page(0, 100).send().await?.into_inner()).items) },
    )
}

/// Calls, list streams and response bodies do not borrow the client.
#[tokio::test]
async fn calls_and_streams_can_be_moved_into_tasks() {
    fn require_send_static<T: Send + 'static>(value: T) -> T {
        value
    }

    let (call, list, file) = {
        let mock = MockTransport::new()
            .respond::<builder::ListOrders>(ListResponse::new(Vec::<Order>::new()))
            .respond_bytes::<builder::RetrieveFile>("%PDF-1.7");
        let client = Client::new("http://mock.invalid", mock);
        let file = client
            .retrieve_file()
            .file_id(ID)
            .send()
            .await
            .expect("the file is there")
            .into_inner();
        (
            client.list_orders().send(),
            items(client.list_orders()),
            file,
        )
    };
    let orders = tokio::spawn(require_send_static(call))
        .await
        .expect("no panic")
        .expect("the response is there");
    assert!(orders.data.is_empty());
    let pages: Vec<_> = tokio::spawn(require_send_static(list).collect())
        .await
        .expect("no panic");
    assert!(matches!(pages.as_slice(), [Ok(page)] if page.is_empty()));
    let bytes = tokio::spawn(require_send_static(file).bytes())
        .await
        .expect("no panic");
    assert_eq!(bytes.expect("the file is whole"), "%PDF-1.7");
}

#[test]
fn builders_are_shared_between_threads_and_cloned() {
    fn is_shared<T: Operation + Sync + std::fmt::Debug>() {}
    fn is_list<T: List<Item = Order>>() {}
    is_shared::<builder::CreateOrder>();
    is_shared::<builder::ListOrders>();
    is_shared::<builder::RetrieveFile>();
    is_list::<builder::ListOrders>();
}
