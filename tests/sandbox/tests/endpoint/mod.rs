//! A webhook endpoint that records deliveries and answers by a script.

#![allow(dead_code, reason = "each test file needs a part of it")]

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use http::header::LOCATION;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use upvest_ext::webhooks::{Event, decode_events};
use uuid::Uuid;

/// Listens on a free port of this machine, until it is dropped.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    inbox: Arc<Mutex<Inbox>>,
    _server: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Inbox {
    arrived: Vec<Arrival>,
    script: VecDeque<u16>,
    otherwise: Option<u16>,
}

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) method: Method,
    pub(crate) target: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Endpoint {
    /// An endpoint that answers 200.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let inbox = Arc::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&inbox)));
        Self {
            address,
            inbox,
            _server: server,
        }
    }

    /// The URL for deliveries, with a path and a query, which the signature must cover.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/upvest?tenant=7", self.address)
    }

    /// Answers the next deliveries with these statuses, then with 200 again.
    pub(crate) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.inbox().script.extend(statuses);
    }

    /// Sets the status after the end of the script.
    pub(crate) fn otherwise(&self, status: u16) {
        self.inbox().otherwise = Some(status);
    }

    /// The received requests, oldest first.
    pub(crate) fn arrived(&self) -> Vec<Arrival> {
        self.inbox().arrived.clone()
    }

    /// All received events, including repetitions.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.arrived().iter().flat_map(Arrival::events).collect()
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap()
    }
}

impl Arrival {
    /// The request for a verifier.
    pub(crate) fn received(&self) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        decode_events(&self.body)
            .into_iter()
            .map(Result::unwrap)
            .collect()
    }

    pub(crate) fn event_ids(&self) -> Vec<Uuid> {
        self.events().iter().map(|event| event.id).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// The types of the received events, each with its number.
pub(crate) fn tally<'a>(types: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for event_type in types {
        *tally.entry(event_type.to_owned()).or_insert(0) += 1;
    }
    tally
}

async fn serve(listener: TcpListener, inbox: Arc<Mutex<Inbox>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let inbox = Arc::clone(&inbox);
        let service = service_fn(move |request| take(Arc::clone(&inbox), request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn take(
    inbox: Arc<Mutex<Inbox>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut inbox = inbox.lock().unwrap();
    inbox.arrived.push(Arrival {
        method: parts.method,
        target: parts.uri,
        headers: parts.headers,
        body,
    });
    let status = inbox.script.pop_front().or(inbox.otherwise).unwrap_or(200);
    let mut response = Response::builder().status(status);
    if (300..400).contains(&status) {
        // Redirects to itself, so that a client that follows the redirect sends a second request here.
        response = response.header(LOCATION, "/elsewhere");
    }
    Ok(response.body(Full::default()).unwrap())
}
