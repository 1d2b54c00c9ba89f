//! Connections: taken, served, reset where a fault says so, and closed in good order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::service::Reset;

/// How long calls that are under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// What the server is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Serving,
    /// Connections are refused, and those that are open are reset.
    Offline,
    /// Calls that are under way are answered, and no others.
    Stopping,
    /// Everything is dropped.
    Killed,
}

/// Serves until told to stop. Each time it is offline, it lets go of its address and takes it again afterwards;
/// `listening` says when it has.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    mut state: watch::Receiver<State>,
    listening: watch::Sender<bool>,
) {
    let Ok(address) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Serving => {
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
                    accepted = taken.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(connection(stream, router.clone(), state.clone()));
                    },
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                }
            }
            State::Offline => {
                listener = None;
                let all_reset = async {
                    while connections.join_next().await.is_some() {}
                    listening.send_replace(false);
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    changed = state.changed() => if changed.is_err() { return },
                    () = all_reset => {}
                }
            }
            State::Stopping => {
                drop(listener);
                let all = async { while connections.join_next().await.is_some() {} };
                let _ = tokio::time::timeout(GRACE, all).await;
                return;
            }
            State::Killed => return,
        }
    }
}

/// The port was ours a moment ago; it may take another for the system to give it back.
async fn bind_again(address: SocketAddr) -> Option<TcpListener> {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Some(listener);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

async fn connection(stream: TcpStream, router: Router, mut state: watch::Receiver<State>) {
    let Ok((stream, handle)) = with_handle(stream) else { return };
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let mut router = router.clone();
        async move {
            let response: Response<Body> = match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            };
            match response.extensions().get::<Reset>() {
                None => Ok(response),
                // The connection ends with this error, and with the handle goes what has not been read.
                Some(Reset) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        }
    });
    let mut connection =
        std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if ended.is_err() {
                    reset(handle);
                }
                return;
            }
            changed = state.changed() => match (changed.is_ok(), *state.borrow_and_update()) {
                (true, State::Serving) => {}
                (true, State::Stopping) => connection.as_mut().graceful_shutdown(),
                _ => return reset(handle),
            },
        }
    }
}

/// A second handle of the socket, by which it can be reset while the connection is served.
fn with_handle(stream: TcpStream) -> io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let handle = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, handle))
}

/// Closes with RST instead of FIN.
fn reset(handle: std::net::TcpStream) {
    if let Ok(handle) = TcpStream::from_std(handle) {
        let _ = handle.set_zero_linger();
    }
}
