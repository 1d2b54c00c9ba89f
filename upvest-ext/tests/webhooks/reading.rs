//! A delivery is read safely, whatever the peer sends, and each error has its status.

use std::convert::Infallible;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body::{Frame, SizeHint};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};
use tower_service::Service as _;
use upvest_ext::signing::SignatureError;
use upvest_ext::webhooks::{VerifyError, WebhookTester, WebhookVerifier};
use upvest_ext::{Error, ErrorKind};

use crate::common::tamper::{Tamper, Tampered as _};
use crate::common::{FakeApi, Reply};

const SECOND: Duration = Duration::from_secs(1);

fn signed(tester: &WebhookTester, target: &str) -> Request<Bytes> {
    let order = json!({ "id": uuid::Uuid::new_v4() });
    tester.deliver(target, &[WebhookTester::event("ORDER.FILLED", order)])
}

/// The headers of a signed delivery that announces no length.
fn signed_headers() -> HeaderMap {
    let tester = WebhookTester::new().unwrap();
    let mut headers = signed(&tester, "/").headers().clone();
    headers.remove("content-length");
    headers
}

/// A body that sends `piece` after each `pause`, as many times as are `left`, and then ends as `end` says.
struct Pieces {
    piece: &'static [u8],
    left: usize,
    pause: Duration,
    end: End,
    announced: u64,
    sleep: Option<Pin<Box<Sleep>>>,
    polled: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Broken,
    Hanging,
}

impl Pieces {
    fn new(piece: &'static [u8], pieces: usize, end: End) -> Self {
        Self {
            piece,
            left: pieces,
            pause: Duration::ZERO,
            end,
            announced: 0,
            sleep: None,
            polled: Arc::default(),
        }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.polled.fetch_add(1, Ordering::Relaxed);
        if self.left == 0 {
            return match self.end {
                End::Complete => Poll::Ready(None),
                End::Broken => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
                End::Hanging => Poll::Pending,
            };
        }
        let pause = self.pause;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(pause)));
        if !pause.is_zero() && sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.sleep = None;
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.piece)))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

async fn read(
    verifier: &WebhookVerifier,
    headers: HeaderMap,
    body: Pieces,
) -> Result<Request<Bytes>, VerifyError> {
    let mut request = Request::post("/webhooks").body(body).unwrap();
    *request.headers_mut() = headers;
    verifier.read_delivery(request).await
}

fn verifier() -> WebhookVerifier {
    WebhookTester::new().unwrap().verifier()
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_signature_is_rejected_before_a_byte_is_read() {
    for name in ["signature", "signature-input"] {
        let mut headers = signed_headers();
        headers.remove(name);
        let body = Pieces::new(b"{}", 1, End::Complete);
        let polled = Arc::clone(&body.polled);
        let error = read(&verifier(), headers, body).await.unwrap_err();
        let VerifyError::Rejected(SignatureError::MissingSignature) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(polled.load(Ordering::Relaxed), 0, "without {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_is_read_and_nothing_of_what_announces_more() {
    let limited = verifier().body_limit(10 * 1024);
    let kibibyte = &[b' '; 1024];
    let whole = Pieces::new(kibibyte, 10, End::Complete);
    let delivery = read(&limited, signed_headers(), whole).await.unwrap();
    assert_eq!(delivery.body().len(), 10 * 1024);

    let endless = || Pieces::new(kibibyte, usize::MAX, End::Hanging);
    let by_default = endless();
    let hinted = Pieces {
        announced: 10 * 1024 + 1,
        ..endless()
    };
    let announced = endless();
    let mut announcing = signed_headers();
    announcing.insert("content-length", (10 * 1024 + 1).into());
    for (verifier, headers, body, limit, pieces) in [
        (&limited, signed_headers(), endless(), 10 * 1024, 11),
        (&limited, signed_headers(), hinted, 10 * 1024, 0),
        (&limited, announcing, announced, 10 * 1024, 0),
        (
            &self::verifier(),
            signed_headers(),
            by_default,
            2 << 20,
            2049,
        ),
    ] {
        let polled = Arc::clone(&body.polled);
        let error = read(verifier, headers, body).await.unwrap_err();
        assert!(matches!(error, VerifyError::TooLarge(it) if it == limit));
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(polled.load(Ordering::Relaxed), pieces);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_hangs_or_trickles_in_is_given_up_after_its_time() {
    let patient = verifier().body_timeout(60 * SECOND);
    for (verifier, limit) in [(verifier(), 10), (patient, 60)] {
        let hanging = Pieces::new(b"{", 1, End::Hanging);
        let trickling = Pieces {
            pause: SECOND,
            ..Pieces::new(b" ", 10_000, End::Complete)
        };
        for body in [hanging, trickling] {
            let start = Instant::now();
            let error = read(&verifier, signed_headers(), body).await.unwrap_err();
            assert_eq!(start.elapsed(), limit * SECOND);
            assert!(matches!(error, VerifyError::TimedOut(it) if it == limit * SECOND));
            assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
            let message = format!("the body of the delivery did not arrive within {limit}s");
            assert_eq!(error.to_string(), message);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_or_has_another_length_than_announced_is_no_forgery() {
    let mut announcing = signed_headers();
    announcing.insert("content-length", 4.into());
    for (headers, body, cause) in [
        (
            signed_headers(),
            Pieces::new(b"{", 1, End::Broken),
            "connection reset",
        ),
        (
            announcing.clone(),
            Pieces::new(b"{", 3, End::Complete),
            "received 3 of 4 bytes",
        ),
        (
            announcing,
            Pieces::new(b"{", 5, End::Complete),
            "received 5 of 4 bytes",
        ),
    ] {
        let error = read(&verifier(), headers, body).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
        assert_eq!(error.to_string(), "the body of the delivery broke off");
        let VerifyError::BrokenOff(source) = error else {
            panic!("{error:?}")
        };
        assert_eq!(source.to_string(), cause);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_cannot_be_verified_has_its_status_and_its_kind_of_error() {
    let tester = WebhookTester::new().unwrap();
    let delivery = signed(&tester, "/webhooks");
    let forged = delivery.tampered(Tamper::Body);
    for (verifier, delivery, status, kind) in [
        (tester.verifier(), &forged, 401, ErrorKind::Webhook),
        (verifier(), &delivery, 401, ErrorKind::Webhook),
        (
            tester.verifier().body_limit(10),
            &delivery,
            413,
            ErrorKind::Webhook,
        ),
        (
            WebhookVerifier::fetching(&FakeApi::new(|_, _| Reply::status(503)).client()),
            &delivery,
            503,
            ErrorKind::Server,
        ),
    ] {
        let error = verifier.verify(delivery).await.unwrap_err();
        assert_eq!(error.status(), status, "{error:?}");
        assert_eq!(Error::from(error).kind(), kind);
    }
}

#[tokio::test]
async fn a_request_of_a_nested_router_of_axum_is_verified_by_the_uri_that_was_sent() {
    async fn receive(
        State(verifier): State<WebhookVerifier>,
        OriginalUri(uri): OriginalUri,
        mut request: axum::extract::Request,
    ) -> StatusCode {
        *request.uri_mut() = uri;
        let delivery = match verifier.read_delivery(request).await {
            Ok(delivery) => delivery,
            Err(error) => return error.status(),
        };
        match verifier.verify(&delivery).await {
            Ok(events) => {
                assert_eq!(events.len(), 1);
                StatusCode::OK
            }
            Err(error) => error.status(),
        }
    }
    let tester = WebhookTester::new().unwrap();
    let inner = Router::new().route("/webhooks", post(receive));
    let mut router: Router = Router::new()
        .nest("/upvest", inner)
        .with_state(tester.verifier());
    let mut status = async |delivery: Request<Bytes>| -> StatusCode {
        let response: Result<_, Infallible> = router.call(delivery.map(Body::from)).await;
        response.unwrap().status()
    };
    let delivery = signed(&tester, "/upvest/webhooks?x=1");
    assert_eq!(status(delivery.clone()).await, StatusCode::OK);
    for tamper in Tamper::ALL {
        let forged = delivery.tampered(tamper);
        let expected = match tamper {
            Tamper::Path => StatusCode::NOT_FOUND,
            _ => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(status(forged).await, expected, "{tamper:?}");
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_in_the_middle_of_the_body_breaks_it_off() {
    let (report, mut reports) = tokio::sync::mpsc::channel(1);
    let receive = async move |State(verifier): State<WebhookVerifier>,
                              request: axum::extract::Request| {
        let read = verifier.read_delivery(request).await;
        report.send(read.map(drop)).await.unwrap();
    };
    let tester = WebhookTester::new().unwrap();
    let app = Router::new()
        .route("/webhooks", post(receive))
        .with_state(tester.verifier());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let delivery = signed(&tester, "/webhooks");
    let headers = delivery.headers().iter();
    let lines: Vec<_> = headers
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect();
    let head = format!(
        "POST /webhooks HTTP/1.1\r\nhost: localhost\r\n{}",
        lines.concat()
    );
    let mut peer = TcpStream::connect(address).await.unwrap();
    peer.write_all(format!("{head}\r\n{{").as_bytes())
        .await
        .unwrap();
    peer.shutdown().await.unwrap();
    let error = reports.recv().await.unwrap().unwrap_err();
    assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{error:?}");
    drop(peer.read(&mut [0]).await);
}
