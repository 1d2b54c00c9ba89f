//! The settings of a sandbox.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use tokio::net::TcpListener;
use upvest_ext::signing::{PublicKey, SignatureVersion, SigningKey};
use uuid::Uuid;

use crate::access::{Access, CLIENT_ID, CLIENT_SECRET, Strictness};
use crate::control::DEMO_KEY;
use crate::digest::short_digest;
use crate::domain::state::State;
use crate::sandbox::clients::{Clients, Saved};
use crate::sandbox::clock::Clock;
use crate::sandbox::shared::{Core, Parts, Port, Setup, Shared};
use crate::sandbox::{A_CENTURY, ACCOUNT_GROUP, Sandbox};
use crate::webhooks::delivery::WebhookSender;
use crate::webhooks::keys::WebhookKeys;
use crate::webhooks::payload::PayloadShape;

/// Builds a [`Sandbox`]. Made by [`Sandbox::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `start`"]
pub struct SandboxBuilder {
    host: IpAddr,
    port: u16,
    pub(crate) setup: Setup,
    pub(crate) clients: Vec<(String, String)>,
    seed: u64,
    speed: f64,
    start_at: Option<DateTime<Utc>>,
    strictness: Strictness,
    scopes: Option<Vec<String>>,
    throttle: Option<u32>,
    shape: PayloadShape,
    version: SignatureVersion,
    load: Option<PathBuf>,
    data: Option<PathBuf>,
    event_limit: usize,
    log_limit: usize,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            setup: Setup::default(),
            clients: Vec::new(),
            seed: 0,
            speed: 0.0,
            start_at: None,
            strictness: Strictness {
                signatures: true,
                strict: true,
                client_id: true,
                idempotency_keys: true,
                token_lifetime: TimeDelta::hours(1),
            },
            scopes: None,
            throttle: None,
            shape: PayloadShape::default(),
            version: SignatureVersion::V6,
            load: None,
            data: None,
            event_limit: 10_000,
            log_limit: 100_000,
        }
    }
}

impl SandboxBuilder {
    /// The port. A free one unless set.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address to listen on: that of the loopback interface unless set. `0.0.0.0` lets other machines and containers
    /// in; the control API still answers to the names of this machine alone, unless
    /// [`allow_control_from`](SandboxBuilder::allow_control_from) names others.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// A name, besides those of this machine, by which the control API is asked, such as `upvest-sandbox` in a network of
    /// containers; `*` for any.
    pub fn allow_control_from(mut self, name: impl Into<String>) -> Self {
        self.setup.control_from.0.push(name.into());
        self
    }

    /// A host, besides this machine, that deliveries go to: a name, an address, a network such as `172.16.0.0/12`, or `*`.
    /// Plain HTTP will do for it.
    pub fn webhook_host(mut self, host: impl Into<String>) -> Self {
        self.setup.webhook_hosts.0.push(host.into());
        self
    }

    /// The origin of pages that may call the API and the control API from a browser, such as `http://localhost:3000`.
    pub fn cors(mut self, origin: impl Into<String>) -> Self {
        self.setup.cors.push(origin.into());
        self
    }

    /// Another client, besides the one that every sandbox knows: with a state, a clock, faults and logs of its own, so that
    /// tests which run at the same time do not meet. Its id consists of letters, digits and hyphens; it signs with the same key.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.push((id.into(), secret.into()));
        self
    }

    /// What ids, tokens, random prices and random faults are drawn from. The same seed, the same requests and the same
    /// [start](SandboxBuilder::start_at) give the same answers. 0 unless set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Lets the clock run by itself, so many times as fast as real time: 1 is real time, 0 stands still, as does what is no
    /// such number. 0 unless set; a million at most.
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = if speed.is_finite() { speed.clamp(0.0, 1_000_000.0) } else { 0.0 };
        self
    }

    /// What the clock shows at first. The machine's time unless set.
    pub fn start_at(mut self, time: DateTime<Utc>) -> Self {
        self.start_at = Some(time);
        self
    }

    /// Whether requests must be signed. They must unless set.
    pub fn signatures(mut self, required: bool) -> Self {
        self.strictness.signatures = required;
        self
    }

    /// Whether signatures must cover every component of Upvest's list that the request has, whether keys on P-256 are
    /// refused, and any API version but 1. They are unless set.
    pub fn strict_signatures(mut self, strict: bool) -> Self {
        self.strictness.strict = strict;
        self
    }

    /// Whether the header `upvest-client-id` must be there. It must unless set.
    pub fn client_ids(mut self, required: bool) -> Self {
        self.strictness.client_id = required;
        self
    }

    /// Whether operations that take an idempotency key must be given one. They must unless set; the description does not
    /// ask for it.
    pub fn idempotency_keys(mut self, required: bool) -> Self {
        self.strictness.idempotency_keys = required;
        self
    }

    /// For `curl`, browsers and fuzzers: nothing is asked for that the description does not ask for. No signature, no
    /// client id, no idempotency key; a token still.
    pub fn plain_http(self) -> Self {
        self.signatures(false).client_ids(false).idempotency_keys(false)
    }

    /// How long an access token lives, on the sandbox's clock: a hundred years at most, an hour unless set.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.strictness.token_lifetime =
            TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX).min(A_CENTURY);
        self
    }

    /// The scopes that the client has been granted: it gets no token for any other. All of the description unless set.
    pub fn granted_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Answers 429 to what comes beyond so many requests in a second. No limit unless set.
    pub fn throttle(mut self, requests_per_second: u32) -> Self {
        self.throttle = Some(requests_per_second);
        self
    }

    /// The shape of the events in a delivery.
    pub fn payload_shape(mut self, shape: PayloadShape) -> Self {
        self.shape = shape;
        self
    }

    /// The version of the signatures of deliveries. 6 unless set, as at Upvest.
    pub fn webhook_signatures(mut self, version: SignatureVersion) -> Self {
        self.version = version;
        self
    }

    /// Begins with the state in a file that [`Sandbox::save`] has written, and never writes to it.
    pub fn load(mut self, path: impl Into<PathBuf>) -> Self {
        self.load = Some(path.into());
        self
    }

    /// Keeps the state in this file: saved at the start, every three seconds in which something has happened, and when the
    /// sandbox [stops](Sandbox::stop). Where the file is there already, it begins with that state.
    pub fn data(mut self, path: impl Into<PathBuf>) -> Self {
        self.data = Some(path.into());
        self
    }

    /// How many events are kept for [`Sandbox::events`]. 10,000 unless set. What waits for delivery is always kept.
    pub fn event_limit(mut self, limit: usize) -> Self {
        self.event_limit = limit.max(1);
        self
    }

    /// How many requests and deliveries are kept for [`Sandbox::requests`] and [`Sandbox::deliveries`]. 100,000 unless set.
    pub fn log_limit(mut self, limit: usize) -> Self {
        self.log_limit = limit.max(1);
        self
    }

    /// Starts the sandbox. It serves when this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the port is taken, or the data cannot be read or written.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let listener = TcpListener::bind(SocketAddr::from((self.host, self.port)));
        let listener = listener.await.map_err(|source| StartError::Port { port: self.port, source })?;
        let file = self.data.as_ref().filter(|path| path.exists()).or(self.load.as_ref());
        let saved = file
            .map(|path| Saved::load(path).map_err(|source| StartError::Data { path: path.clone(), source }));
        let data = self.data.clone();
        let clients = Arc::new(Clients::start(self, saved.transpose()?)?);
        if let Some(path) = data.clone() {
            clients.save(&path).map_err(|source| StartError::Data { path, source })?;
        }
        Sandbox::run(clients, listener, data).map_err(StartError::other)
    }

    /// What a client has: `core` with its time moved to the present, or a new one. The client that every sandbox knows
    /// where no other is named.
    pub(crate) fn shared(
        &self,
        client: Option<(&str, String)>,
        core: Option<Core>,
        port: Port,
    ) -> Result<Shared, StartError> {
        // Others draw other tokens and ids.
        let seed = client.as_ref().map_or(self.seed, |(id, _)| {
            self.seed ^ Uuid::from_bytes(short_digest(&[id.as_bytes()])).as_u64_pair().0
        });
        let (client_id, secret) = client.map_or((CLIENT_ID, CLIENT_SECRET.to_owned()), |client| client);
        let mut core = self.core(core, seed);
        core.state.webhook_hosts = self.setup.webhook_hosts.clone();
        let key = SigningKey::from_pem(DEMO_KEY, None).map_err(StartError::other)?;
        let credentials = (client_id.to_owned(), secret);
        let mut access =
            Access::new(self.strictness, self.scopes.clone(), credentials, key.public_key().clone());
        for (id, pem) in &core.public_keys {
            access.register_key(id.clone(), PublicKey::from_pem(pem).map_err(StartError::other)?);
        }
        let shared = Shared::new(Parts {
            client_id: client_id.to_owned(),
            port,
            clock: Clock::new(core.state.time.now, self.speed),
            webhook_sender: WebhookSender::new(self.shape).map_err(StartError::other)?,
            core,
            access,
            webhook_keys: WebhookKeys::new(self.version).map_err(StartError::other)?,
            seed,
            log_limit: self.log_limit,
            throttle: self.throttle,
            setup: self.setup.clone(),
        });
        shared.take_snapshot("");
        Ok(shared)
    }

    fn core(&self, saved: Option<Core>, seed: u64) -> Core {
        let now = self.start_at.unwrap_or_else(|| SystemTime::now().into());
        // Microseconds, as they are easier on the eye.
        let now = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
        if let Some(mut core) = saved {
            core.state.run_until(now);
            core.state.time.events.limit = self.event_limit;
            return core;
        }
        let mut state = State::new(now, seed, self.event_limit);
        state.create_account_group(Some(ACCOUNT_GROUP));
        Core::new(state)
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is taken, or this program may not use it.
    #[error("cannot listen on port {port}; choose another, or 0 for a free one")]
    Port {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The file with the state cannot be read or written. It has not been touched.
    #[error("the state in {} cannot be read or written", .path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The system lacks something.
    #[error("the sandbox cannot be set up")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    pub(crate) fn other(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(source))
    }
}
