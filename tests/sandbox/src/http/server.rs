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
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::service::Reset;

/// How long open calls may take when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long a new connection may take to send the headers of its first request.
const FIRST_HEAD: Duration = Duration::from_secs(5);
/// How long a connection may be idle between requests.
const IDLE: Duration = Duration::from_secs(60);
/// The command that must be answered although it cuts connections.
const SET_OFFLINE: &str = "/_sandbox/set_offline";
const BACK_OFF: Duration = Duration::from_millis(100);

/// The wanted state of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerState {
    Serving,
    /// New connections are refused, and open ones are reset.
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
                            connections.spawn(connection(stream, router.clone(), state.clone(), answering.clone()));
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
                    // Those that answer the command itself are closed later.
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
) {
    let _ = stream.set_nodelay(true);
    let answering = AnsweringConnection {
        all,
        is_counted: Arc::default(),
    };
    let counted = answering.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        if request.uri().path() == SET_OFFLINE {
            counted.add();
        }
        let mut router = router.clone();
        async move {
            let response: Response<Body> = match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            };
            match response.extensions().get::<Reset>() {
                None => Ok(response),
                // The connection ends with this error, and unread data is lost.
                Some(Reset) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        }
    });
    let mut connection = http1::Builder::new()
        .timer(Patience::default())
        .header_read_timeout(FIRST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let is_reset = loop {
        tokio::select! {
            ended = &mut connection => break ended.is_err_and(|error| !error.is_timeout()),
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
    if is_reset {
        // This sends RST instead of FIN.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// Waits [`FIRST_HEAD`] for the first headers of a connection, and [`IDLE`] for later ones.
#[derive(Default)]
struct Patience(AtomicBool);

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let more = if self.0.swap(true, Ordering::Relaxed) {
            IDLE.saturating_sub(FIRST_HEAD)
        } else {
            Duration::ZERO
        };
        TokioTimer::new().sleep_until(deadline + more)
    }
}
