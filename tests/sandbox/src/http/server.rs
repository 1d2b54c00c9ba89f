//! Accepts and serves connections, resets them for faults, and closes them gracefully.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower_service::Service as _;

use crate::http::request_body::RequestBody;

/// How long open calls may take when the server stops.
const GRACE: Duration = Duration::from_secs(5);
/// How long, and how many bytes, a client can still send after a response that it got early.
const MAX_REST: (Duration, u64) = (Duration::from_secs(2), 64 << 20);
/// The command that must be answered although it cuts connections.
const SET_OFFLINE: &str = "/_sandbox/set_offline";
/// How long the server waits after `accept` has failed, such as for want of file descriptors.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Marks a response that must be replaced by a reset of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset;

/// How long a client may take before its connection is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// To send the headers of the first request.
    first_head: Duration,
    /// To send the headers of a later request, since the response before it.
    next_head: Duration,
    /// To send the body of a request.
    body: Duration,
    /// To read some of a response.
    read: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_head: Duration::from_secs(5),
            next_head: Duration::from_secs(60),
            body: Duration::from_secs(30),
            read: Duration::from_secs(30),
        }
    }
}

/// The wanted state of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerState {
    Serving,
    /// New connections are rejected, and open ones are reset.
    Offline,
    /// Open calls are answered. No new ones are accepted.
    Stopping,
    /// Everything is closed immediately.
    Killed,
}

/// Serves until it is stopped. While it is offline, it releases its address and takes it again afterwards.
/// `listening` reports whether it has the address.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    mut state: watch::Receiver<ServerState>,
    listening: watch::Sender<bool>,
    limits: Limits,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let mut listener = Some(listener);
    let answering = Answering::default();
    let mut connections = JoinSet::new();
    loop {
        let now = *state.borrow_and_update();
        match now {
            ServerState::Serving => {
                let taken = match &listener {
                    Some(taken) => taken,
                    None => match bind_again(address).await {
                        Some(bound) => listener.insert(bound),
                        None => return,
                    },
                };
                listening.send_if_modified(|listens| !std::mem::replace(listens, true));
                tokio::select! {
                    changed = state.changed() => if changed.is_err() { return },
                    accepted = taken.accept() => match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(connection(stream, router.clone(), state.clone(), answering.clone(), limits));
                        }
                        // There are probably no file descriptors left. Connections that end release some.
                        Err(_) => tokio::time::sleep(BACK_OFF).await,
                    },
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                }
            }
            ServerState::Offline => {
                listener = None;
                let all_reset = async {
                    // Those that response the command itself are closed later.
                    while connections.len() > answering.count() {
                        connections.join_next().await;
                    }
                    listening.send_replace(false);
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    changed = state.changed() => if changed.is_err() { return },
                    () = all_reset => {}
                }
            }
            ServerState::Stopping => {
                drop(listener);
                let all = async { while connections.join_next().await.is_some() {} };
                let _ = tokio::time::timeout(GRACE, all).await;
                return;
            }
            ServerState::Killed => return,
        }
    }
}

/// Takes the port again. The operating system may need a moment to release it.
async fn bind_again(address: SocketAddr) -> Option<TcpListener> {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Some(listener);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// Counts the connections that the command `set_offline` came from. They are not reset before its response is sent.
#[derive(Clone, Default)]
struct Answering(Arc<AtomicUsize>);

/// Whether one connection is counted.
#[derive(Clone)]
struct AnsweringConnection {
    all: Answering,
    is_counted: Arc<AtomicBool>,
}

impl Answering {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl AnsweringConnection {
    fn add(&self) {
        if !self.is_counted.swap(true, Ordering::SeqCst) {
            self.all.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn remove(&self) {
        if self.is_counted.swap(false, Ordering::SeqCst) {
            self.all.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    mut state: watch::Receiver<ServerState>,
    all: Answering,
    limits: Limits,
) {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.read));
    let answering = AnsweringConnection {
        all,
        is_counted: Arc::default(),
    };
    let counted = answering.clone();
    let has_rest = Arc::new(AtomicBool::new(false));
    let has_rest_of_request = Arc::clone(&has_rest);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        if request.uri().path() == SET_OFFLINE {
            counted.add();
        }
        let mut router = router.clone();
        let request = request.map(|body| RequestBody::new(body, limits.body));
        let progress = request.body().progress();
        let has_rest = Arc::clone(&has_rest_of_request);
        async move {
            let mut response: Response<Body> = match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            };
            if !progress.is_complete() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
                has_rest.store(true, Ordering::SeqCst);
            }
            match response.extensions().get::<Reset>() {
                None => Ok(response),
                // The connection ends with this error, and unread data is lost.
                Some(Reset) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        }
    });
    let mut connection = http1::Builder::new()
        .timer(HeadTimer::new(limits))
        .header_read_timeout(limits.first_head)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let is_reset = loop {
        tokio::select! {
            ended = &mut connection => break match ended {
                Ok(()) => false,
                // The response to what is no request has been sent.
                Err(error) if error.is_parse() => {
                    has_rest.store(true, Ordering::SeqCst);
                    false
                }
                Err(error) => !error.is_timeout(),
            },
            changed = state.changed() => match (changed.is_ok(), *state.borrow_and_update()) {
                (true, ServerState::Serving) => {}
                (true, ServerState::Stopping) => Pin::new(&mut connection).graceful_shutdown(),
                (true, ServerState::Offline) if answering.is_counted.load(Ordering::SeqCst) => {
                    Pin::new(&mut connection).graceful_shutdown();
                }
                _ => break true,
            },
        }
    };
    answering.remove();
    let stream = connection.into_parts().io.into_inner();
    if is_reset {
        // This sends RST instead of FIN.
        let _ = stream.get_ref().set_zero_linger();
    } else if has_rest.load(Ordering::SeqCst) {
        discard_rest(stream).await;
    }
}

/// Reads what a client still sends. Otherwise the operating system would reset the connection, and the client might not
/// read the response (RFC 9112 section 9.6).
async fn discard_rest(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (time, bytes) = MAX_REST;
    let _ = stream.shutdown().await;
    let mut rest = stream.take(bytes);
    let mut sink = tokio::io::sink();
    let discarded = tokio::io::copy(&mut rest, &mut sink);
    let _ = tokio::time::timeout(time, discarded).await;
}

/// Waits longer for the headers of later requests than for the first ones, as a connection may be idle between
/// requests.
struct HeadTimer {
    limits: Limits,
    is_later: AtomicBool,
}

impl HeadTimer {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            is_later: AtomicBool::new(false),
        }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let more = if self.is_later.swap(true, Ordering::Relaxed) {
            self.limits.next_head.saturating_sub(self.limits.first_head)
        } else {
            Duration::ZERO
        };
        TokioTimer::new().sleep_until(deadline + more)
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use bytes::Bytes;
    use futures_util::stream;
    use http::StatusCode;
    use tokio::sync::oneshot;

    use super::*;
    use crate::http::request_body::read_whole;

    const SOON: Limits = Limits {
        first_head: Duration::from_millis(50),
        next_head: Duration::from_millis(50),
        body: Duration::from_millis(50),
        read: Duration::from_millis(50),
    };
    /// Longer than any test takes.
    const NEVER: Duration = Duration::from_secs(60);

    /// A connection to a server with short limits, which serves `router`.
    async fn connect(router: Router) -> TcpStream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, states) = watch::channel(ServerState::Serving);
        let listening = watch::Sender::new(true);
        tokio::spawn(async move {
            let _state = state;
            serve(listener, router, states, listening, SOON).await;
        });
        TcpStream::connect(address).await.unwrap()
    }

    /// A server that reads the body of each request.
    fn reader() -> Router {
        Router::new().fallback(async |body: Body| match read_whole(body).await {
            Ok(body) => body.into_response(),
            Err(error) => StatusCode::from_u16(error.status())
                .unwrap()
                .into_response(),
        })
    }

    async fn head_of_response(stream: &mut (impl AsyncRead + Unpin)) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = tokio::time::timeout(NEVER, stream.read_u8()).await;
            head.push(byte.expect("there is a response").unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_dropped() {
        let (dropped, is_dropped) = oneshot::channel::<()>();
        let dropped = Arc::new(std::sync::Mutex::new(Some(dropped)));
        let endless = Router::new().fallback(async move || {
            let dropped = dropped.lock().unwrap().take();
            let piece = Bytes::from(vec![b'x'; 1 << 20]);
            let pieces = stream::repeat_with(move || {
                let _as_long_as_the_response = &dropped;
                Ok::<_, io::Error>(piece.clone())
            });
            Body::from_stream(pieces)
        });
        let mut client = connect(endless).await;
        let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        client.write_all(request).await.unwrap();
        let dropped = tokio::time::timeout(NEVER, is_dropped).await;
        dropped.expect("the response is dropped").unwrap_err();
    }

    #[tokio::test]
    async fn a_request_that_does_not_end_is_answered_and_dropped() {
        let mut client = connect(reader()).await;
        let request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx";
        client.write_all(request).await.unwrap();
        let head = head_of_response(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 408"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        let rest = tokio::time::timeout(NEVER, client.read(&mut [0])).await;
        assert_eq!(rest.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_request_that_arrives_byte_by_byte_gets_no_more_time() {
        let client = connect(reader()).await;
        let (mut from, mut to) = client.into_split();
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4000000\r\n\r\n";
        to.write_all(head.as_bytes()).await.unwrap();
        let sends = async {
            while to.write_all(b"x").await.is_ok() {
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = sends => {}
            head = head_of_response(&mut from) => assert!(head.starts_with("HTTP/1.1 408"), "{head}"),
        }
    }

    #[tokio::test]
    async fn a_connection_without_a_request_is_dropped() {
        for sent in ["", "GET / HTTP/1.1\r\n"] {
            let mut client = connect(reader()).await;
            client.write_all(sent.as_bytes()).await.unwrap();
            let rest = tokio::time::timeout(NEVER, client.read_to_end(&mut Vec::new())).await;
            rest.expect("the connection ends").unwrap();
        }
    }

    #[tokio::test]
    async fn a_client_can_read_the_response_to_what_is_no_request() {
        let mut client = connect(reader()).await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        let body = vec![b'x'; 32 << 20];
        client.write_all(&body).await.unwrap();
        let head = head_of_response(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 400"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
    }

    #[tokio::test]
    async fn a_client_of_http_2_sees_the_end_of_the_connection_at_once() {
        let mut client = connect(reader()).await;
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        client.write_all(preface).await.unwrap();
        let started = Instant::now();
        client.read_to_end(&mut Vec::new()).await.unwrap();
        assert!(started.elapsed() < MAX_REST.0);
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_rejected_at_once() {
        let mut client = connect(reader()).await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99000000000\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        // Far more than the operating system keeps for the server.
        let body = vec![b'x'; 32 << 20];
        client.write_all(&body).await.unwrap();
        let head = head_of_response(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 413"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
    }
}
