//! The generated code marks exactly those items `#[deprecated]` that the description marks as deprecated.
#![deny(deprecated)]

use upvest_constructs::Server;
use upvest_constructs::deprecated::Client;
use upvest_constructs::deprecated::types::{Order, OrderSide};

// It passes if it compiles under `deny(deprecated)`.
#[tokio::test]
async fn code_without_deprecated_items_has_no_warnings() {
    let (client, server) = Server::answering::<Client>(r#"{"side":"SHORT","shop":"a"}"#);
    let order = Order::builder().side("BUY").shop("a").build().unwrap();
    let call = client.create_order().new_("x").body(order.clone());
    let read = call.send().await.unwrap().into_inner();
    assert_ne!(read, order);
    assert!(read.side.is_known());
    assert_ne!(read.side, OrderSide::Sell);
    assert!(server.last().url.ends_with("?new=x"));
}

// Without a warning of the compiler, the expectation is not fulfilled, which is an error.
#[tokio::test]
#[deny(unfulfilled_lint_expectations)]
async fn deprecated_items_warn_and_work() {
    let (client, server) =
        Server::answering::<Client>(r#"{"side":"SHORT","shop":"a","venue":"v"}"#);
    #[expect(deprecated)]
    let operation = client.list_old_orders();
    let read = operation.send().await.unwrap().into_inner();
    #[expect(deprecated)]
    let value = OrderSide::Short;
    assert_eq!(read.side, value);
    #[expect(deprecated)]
    let field = read.venue;
    assert_eq!(field.as_deref(), Some("v"));
    #[expect(deprecated)]
    let body = Order::builder().side("BUY").shop("a").venue("w");
    #[expect(deprecated)]
    let call = client.create_order().old("x");
    #[expect(deprecated)]
    let call = call.older("y");
    call.body(body).send().await.unwrap();
    let sent = server.last();
    assert!(sent.url.ends_with("?old=x&older=y"), "{}", sent.url);
    assert!(sent.body.contains(r#""venue":"w""#), "{}", sent.body);
}
