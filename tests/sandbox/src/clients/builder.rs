//! The settings of a sandbox.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use tokio::net::TcpListener;
use upvest_signing::{PublicKey, SignatureVersion, SigningKey};
use uuid::Uuid;

use crate::access::{Access, CLIENT_ID, CLIENT_SECRET, Strictness};
#[cfg(feature = "own-description")]
use crate::clients::given::GivenDescription;
use crate::clients::{Clients, Saved, check_file};
use crate::commands::CommandError;
use crate::demo::{self, ACCOUNT_GROUP};
use crate::digest::short_digest;
use crate::domain::state::State;
use crate::shared::clock::A_CENTURY;
use crate::shared::clock::Clock;
use crate::shared::delivery::WebhookSender;
use crate::shared::{Core, Parts, Port, Setup, Shared};
use crate::webhooks::keys::WebhookKeys;
use crate::webhooks::payload::PayloadShape;

/// What a running sandbox needs.
pub(crate) struct Prepared {
    pub(crate) clients: Arc<Clients>,
    pub(crate) listener: TcpListener,
}

/// Builds a [`Sandbox`](crate::Sandbox). Made by [`Sandbox::builder`](crate::Sandbox::builder).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `start`"]
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
    pub(crate) save: Option<PathBuf>,
    webhook_url: Option<String>,
    event_limit: usize,
    log_limit: usize,
    #[cfg(feature = "own-description")]
    given: GivenDescription,
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
            save: None,
            webhook_url: None,
            event_limit: 10_000,
            log_limit: 100_000,
            #[cfg(feature = "own-description")]
            given: GivenDescription::default(),
        }
    }
}

impl SandboxBuilder {
    /// The port. By default a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address to listen on. By default that of the loopback interface. `0.0.0.0` allows other machines and
    /// containers. The control API still accepts only the host names of this machine and those of
    /// [`allow_control_from`](SandboxBuilder::allow_control_from).
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// A further host name for the control API, such as `upvest-sandbox` in a network of
    /// containers; `*` for any.
    pub fn allow_control_from(mut self, name: impl Into<String>) -> Self {
        self.setup.control_from.0.push(name.into());
        self
    }

    /// A further host for deliveries: a name, an address, a network such as `172.16.0.0/12`, or `*`.
    /// Its URL may be `http://`.
    pub fn webhook_host(mut self, host: impl Into<String>) -> Self {
        self.setup.webhook_hosts.0.push(host.into());
        self
    }

    /// The origin of web pages that may call the API and the control API, such as `http://localhost:3000`.
    pub fn cors(mut self, origin: impl Into<String>) -> Self {
        self.setup.cors.push(origin.into());
        self
    }

    /// Adds a client with its own state, clock, faults and logs, so that concurrent tests do not affect each other. Its
    /// id consists of letters, digits and hyphens. It signs with the same key.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.push((id.into(), secret.into()));
        self
    }

    /// The seed for ids, tokens, random prices and random faults. The same seed, the same requests and the same
    /// [start](SandboxBuilder::start_at) give the same answers. 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The speed of the clock: 1 is real time, and 0 or an invalid number stands still.
    /// 0 by default, at most a million.
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = if speed.is_finite() {
            speed.clamp(0.0, 1_000_000.0)
        } else {
            0.0
        };
        self
    }

    /// The initial time of the clock. By default the machine's time.
    pub fn start_at(mut self, time: DateTime<Utc>) -> Self {
        self.start_at = Some(time);
        self
    }

    /// Whether requests must be signed. `true` by default.
    pub fn signatures(mut self, required: bool) -> Self {
        self.strictness.signatures = required;
        self
    }

    /// Whether signatures must cover every component of Upvest's list that the request has, keys on P-256 are
    /// rejected, and API versions other than 1 are rejected. `true` by default.
    pub fn strict_signatures(mut self, strict: bool) -> Self {
        self.strictness.strict = strict;
        self
    }

    /// Whether the header `upvest-client-id` is required. `true` by default.
    pub fn client_ids(mut self, required: bool) -> Self {
        self.strictness.client_id = required;
        self
    }

    /// Whether operations that support an idempotency key require one. `true` by default. The description does not
    /// require it.
    pub fn idempotency_keys(mut self, required: bool) -> Self {
        self.strictness.idempotency_keys = required;
        self
    }

    /// For `curl`, browsers and fuzzers: requires only what the description requires. No signature,
    /// client id or idempotency key is needed, but a token is.
    pub fn plain_http(self) -> Self {
        self.signatures(false)
            .client_ids(false)
            .idempotency_keys(false)
    }

    /// The lifetime of an access token on the sandbox's clock. An hour by default, at most a hundred years.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.strictness.token_lifetime = TimeDelta::from_std(lifetime)
            .unwrap_or(TimeDelta::MAX)
            .min(A_CENTURY);
        self
    }

    /// The scopes that the client may request. By default all scopes of the description.
    pub fn granted_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// The maximum of requests per second. Further ones are answered with 429. No limit by default.
    pub fn throttle(mut self, requests_per_second: u32) -> Self {
        self.throttle = Some(requests_per_second);
        self
    }

    /// The format of the events in a delivery.
    pub fn payload_shape(mut self, shape: PayloadShape) -> Self {
        self.shape = shape;
        self
    }

    /// The version of the signatures of deliveries. 6 by default, as at Upvest.
    pub fn webhook_signatures(mut self, version: SignatureVersion) -> Self {
        self.version = version;
        self
    }

    /// Starts with the state in a file that [`Sandbox::save`](crate::Sandbox::save) has written, and never writes to
    /// it.
    pub fn load(mut self, path: impl Into<PathBuf>) -> Self {
        self.load = Some(path.into());
        self
    }

    /// Saves the state in this file when the sandbox [stops](crate::Sandbox::stop), and by
    /// [`Command::Save`](crate::Command::Save). Nothing else writes it. [`load`](SandboxBuilder::load) reads it.
    pub fn save(mut self, path: impl Into<PathBuf>) -> Self {
        self.save = Some(path.into());
        self
    }

    /// Subscribes an endpoint to all events of the default client, unless the loaded state has the subscription
    /// already. It is part of the initial state, so that [`Command::Reset`](crate::Command::Reset) keeps it.
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.webhook_url = Some(url.into());
        self
    }

    /// The number of events that are kept for [`Sandbox::events`](crate::Sandbox::events). 10,000 by default. Events
    /// that wait for delivery are always kept.
    pub fn event_limit(mut self, limit: usize) -> Self {
        self.event_limit = limit.max(1);
        self
    }

    /// The number of entries that are kept for [`Sandbox::requests`](crate::Sandbox::requests) and for
    /// [`Sandbox::deliveries`](crate::Sandbox::deliveries). 100,000 by default.
    pub fn log_limit(mut self, limit: usize) -> Self {
        self.log_limit = limit.max(1);
        self
    }

    /// The clients and the port of a sandbox that is about to run.
    pub(crate) async fn prepare(self) -> Result<Prepared, StartError> {
        let builder = self;
        #[cfg(feature = "own-description")]
        let builder = builder.read_description()?;
        let listener = TcpListener::bind(SocketAddr::from((builder.host, builder.port)));
        let listener = listener.await.map_err(|source| StartError::Port {
            port: builder.port,
            source,
        })?;
        let saved = builder
            .load
            .as_deref()
            .map(|path| with_path(path, Saved::load));
        let saved = saved.transpose()?;
        if let Some(path) = &builder.save {
            with_path(path, check_file)?;
        }
        let clients = Arc::new(Clients::start(builder, saved)?);
        Ok(Prepared { clients, listener })
    }

    /// The state of a client: `core` with its time moved to the present, or a new one. For the default client
    /// unless another one is given.
    pub(crate) fn shared(
        &self,
        client: Option<(&str, String)>,
        core: Option<Core>,
        port: Port,
    ) -> Result<Shared, StartError> {
        // Other clients get other tokens and ids.
        let seed = client.as_ref().map_or(self.seed, |(id, _)| {
            self.seed
                ^ Uuid::from_bytes(short_digest(&[id.as_bytes()]))
                    .as_u64_pair()
                    .0
        });
        let is_default = client.is_none();
        let (client_id, secret) =
            client.map_or((CLIENT_ID, CLIENT_SECRET.to_owned()), |client| client);
        let mut core = self.core(core, seed);
        core.state.webhook_hosts = self.setup.webhook_hosts.clone();
        if let Some(url) = self.webhook_url.as_ref().filter(|_| is_default) {
            let subscribed = self.setup.engine.subscribe_once(&mut core.state, url);
            subscribed.map_err(|rejected| StartError::other(CommandError::from(rejected)))?;
        }
        self.check_scopes()?;
        let key = SigningKey::from_pem(demo::KEY, None).map_err(StartError::other)?;
        let credentials = (client_id.to_owned(), secret);
        let all_scopes = || self.setup.description.scopes();
        let mut access = Access::new(
            self.strictness,
            self.scopes.clone().unwrap_or_else(all_scopes),
            credentials,
            key.public_key().clone(),
        );
        for (id, pem) in &core.public_keys {
            access.register_key(
                id.clone(),
                PublicKey::from_pem(pem).map_err(StartError::other)?,
            );
        }
        let shared = Shared::new(Parts {
            client_id: client_id.to_owned(),
            port,
            clock: Clock::new(core.state.timeline.now, self.speed),
            webhook_sender: WebhookSender::new(self.shape).map_err(StartError::other)?,
            core,
            access,
            webhook_keys: WebhookKeys::new(self.version),
            seed,
            log_limit: self.log_limit,
            throttle: self.throttle,
            setup: self.setup.clone(),
        });
        shared.take_snapshot("");
        Ok(shared)
    }

    /// A granted scope that the description does not have is probably misspelt.
    fn check_scopes(&self) -> Result<(), StartError> {
        let known = self.setup.description.scopes();
        let mut granted = self.scopes.iter().flatten();
        match granted.find(|scope| !known.contains(scope)) {
            Some(scope) => Err(StartError::Scope(scope.clone())),
            None => Ok(()),
        }
    }

    fn core(&self, saved: Option<Core>, seed: u64) -> Core {
        let now = self.start_at.unwrap_or_else(|| SystemTime::now().into());
        // All times have milliseconds.
        let now = now
            .duration_trunc(TimeDelta::milliseconds(1))
            .unwrap_or(now);
        if let Some(mut core) = saved {
            self.setup.engine.run_until(&mut core.state, now);
            core.state.timeline.events.limit = self.event_limit;
            return core;
        }
        let mut state = if self.setup.description.has_rules() {
            let mut state = State::new(now, seed, self.event_limit);
            state.create_account_group(Some(ACCOUNT_GROUP));
            state
        } else {
            State::empty(now, seed, self.event_limit)
        };
        self.setup.engine.begin(&mut state);
        Core::new(state)
    }
}

/// A description of your own.
#[cfg(feature = "own-description")]
impl SandboxBuilder {
    /// Serves another API: that of an OpenAPI description in a file, in YAML or JSON. Its operations are derived from
    /// the description alone. By default the Investment API is served, with rules for its accounts, orders and money.
    pub fn description(mut self, path: impl Into<PathBuf>) -> Self {
        self.given.description = Some(path.into());
        self
    }

    /// Merges an OpenAPI Overlay into the [description](SandboxBuilder::description).
    pub fn overlay(mut self, path: impl Into<PathBuf>) -> Self {
        self.given.overlay = Some(path.into());
        self
    }

    /// A file with what happens to the resources of the [description](SandboxBuilder::description) by themselves: for
    /// each of its tables from which status to which one, after how many seconds, and with which event.
    pub fn lifecycles(mut self, path: impl Into<PathBuf>) -> Self {
        self.given.lifecycles = Some(path.into());
        self
    }

    /// Replaces what is served, if there is a description.
    fn read_description(mut self) -> Result<Self, StartError> {
        self.setup = self.given.read(self.setup)?;
        Ok(self)
    }
}

/// Reads or checks a file with a state.
fn with_path<T>(path: &Path, action: fn(&Path) -> io::Result<T>) -> Result<T, StartError> {
    action(path).map_err(|source| StartError::Data {
        path: path.to_owned(),
        source,
    })
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is in use, or this program may not use it.
    #[error("cannot listen on port {port}; choose another, or 0 for a free one")]
    Port {
        /// The port.
        port: u16,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file with the state cannot be read or written. It was not changed.
    #[error("the state in {} cannot be read or written", .path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A scope that the client may request is not one of the description.
    #[error("the description has no scope `{0}`")]
    Scope(String),
    /// The sandbox cannot use the description, its overlay or the file with the lifecycles of its resources.
    #[error("the description cannot be served")]
    Description(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A resource of the operating system is not available.
    #[error("the sandbox could not be set up")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    pub(crate) fn other(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(source))
    }
}
