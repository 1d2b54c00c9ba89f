//! The adapters verify the received request, and read no more than their limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::common::tamper::{Tamper, Tampered as _};
use axum::Router;
use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Frame, SizeHint};
use serde_json::json;
use tower_service::Service as _;
use upvest_ext::webhooks::axum::{Verified, route};
use upvest_ext::webhooks::{
    EventType, TestDelivery, WebhookHandler, WebhookService, WebhookTester,
};

fn delivery(tester: &WebhookTester, target: &str) -> TestDelivery {
    tester.deliver(
        target,
        &[WebhookTester::event(
            "ORDER.FILLED",
            json!({ "id": uuid::Uuid::new_v4() }),
        )],
    )
}

fn counting(tester: &WebhookTester) -> (WebhookHandler, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let handler = WebhookHandler::new(tester.verifier()).on(EventType::OrderFilled, move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    });
    (handler, count)
}

async fn status(router: &mut Router, delivery: &TestDelivery) -> StatusCode {
    router
        .call(delivery.to_request().map(Body::from))
        .await
        .unwrap()
        .status()
}

#[tokio::test]
async fn the_route_handles_deliveries_and_refuses_forgeries() {
    let tester = WebhookTester::new().unwrap();
    let (handler, count) = counting(&tester);
    let mut router = Router::new().route("/webhooks", route(handler));
    let delivery = delivery(&tester, "/webhooks?x=1");
    assert_eq!(
        status(&mut router, &delivery.tampered(Tamper::Body)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(status(&mut router, &delivery).await, StatusCode::OK);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let get = Request::get("/webhooks").body(Body::empty()).unwrap();
    assert_eq!(
        router.call(get).await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn a_nested_route_checks_the_path_that_was_signed() {
    let tester = WebhookTester::new().unwrap();
    let (handler, _) = counting(&tester);
    let inner = Router::new().route("/webhooks", route(handler));
    let mut router = Router::new().nest("/upvest", inner);
    assert_eq!(
        status(&mut router, &delivery(&tester, "/upvest/webhooks")).await,
        StatusCode::OK
    );
    let inner: Router = Router::new()
        .route(
            "/webhooks",
            post(async |delivery: Verified| assert_eq!(delivery.events().len(), 1)),
        )
        .with_state(tester.verifier());
    let mut router = Router::new().nest("/upvest", inner);
    assert_eq!(
        status(&mut router, &delivery(&tester, "/upvest/webhooks")).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_extractor_lets_no_forgery_through() {
    let tester = WebhookTester::new().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let endpoint = move |delivery: Verified| {
        counter.fetch_add(delivery.events().len(), Ordering::Relaxed);
        async {}
    };
    let mut router: Router = Router::new()
        .route("/webhooks", post(endpoint))
        .with_state(tester.verifier());
    let delivery = delivery(&tester, "/webhooks");
    for tamper in Tamper::ALL {
        assert!(
            !status(&mut router, &delivery.tampered(tamper))
                .await
                .is_success(),
            "{tamper:?}"
        );
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert_eq!(status(&mut router, &delivery).await, StatusCode::OK);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

/// An endless body that counts the bytes that were read.
struct Endless {
    read: Arc<AtomicUsize>,
    announced: u64,
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.read.fetch_add(1024, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1024])))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

#[tokio::test]
async fn no_more_than_the_limit_is_read_and_nothing_of_what_announces_more() {
    let tester = WebhookTester::new().unwrap();
    let handler = WebhookHandler::new(tester.verifier().body_limit(10 * 1024));
    for (announced, expected) in [(0, 11 * 1024), (10 * 1024 + 1, 0)] {
        let read = Arc::new(AtomicUsize::new(0));
        let body = Endless {
            read: Arc::clone(&read),
            announced,
        };
        let mut service = WebhookService::new(handler.clone());
        let response = service
            .call(Request::post("/webhooks").body(body).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read.load(Ordering::Relaxed), expected);
    }
    let read = Arc::new(AtomicUsize::new(0));
    let body = Endless {
        read: Arc::clone(&read),
        announced: 0,
    };
    let endpoint = post(async |_: Verified| {});
    let mut router: Router = Router::new()
        .route("/webhooks", endpoint)
        .with_state(tester.verifier());
    let response = router
        .call(Request::post("/webhooks").body(Body::new(body)).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(read.load(Ordering::Relaxed) <= 2 * 1024 * 1024 + 1024);
}
