//! The builder of a client.

use std::sync::Arc;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use upvest_api::runtime::Transport;
use upvest_api::{Error, ErrorKind};

use crate::call::attempts::{BodyLimits, Network};
use crate::call::http_send::{HttpSend, ReqwestSend, keep_alive};
use crate::call::options::CallOptions;
use crate::call::pipeline::{Core, Link, Pipeline, join, to_uri};
use crate::call::throttle::Throttle;
use crate::client::environment::{Environment, is_loopback};
use crate::client::upvest::Upvest;
use crate::clock::{Clock, ClockAndRng, Random};
use crate::debug_fields::debug_fields;
use crate::metrics::{Measurement, Metrics};
use crate::retry::{RetryBudget, RetryPolicy};
use crate::signing::{KeyError, RequestSigner, SignRequest, Signer};
use crate::token::{Scopes, TOKEN_REQUEST, TokenCache, TokenRequest};

/// How often connections are checked. A dead one is detected after 1.5 times this, which is less than the default attempt timeout.
const PING_INTERVAL: Duration = Duration::from_secs(10);

const SDK_AGENT: &str = concat!("upvest-rust/", env!("CARGO_PKG_VERSION"));

/// Builds an [`Upvest`]. Made by [`Upvest::builder`] and [`UpvestBuilder::from_env`].
#[must_use = "a builder does nothing before `build`"]
pub struct UpvestBuilder {
    environment: Environment,
    client_id: String,
    client_secret: SecretString,
    signer: Option<Arc<dyn SignRequest>>,
    signing_key: Option<Result<RequestSigner, KeyError>>,
    scopes: Vec<Scopes>,
    retry: RetryPolicy,
    budget: RetryBudget,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    call_timeout: Duration,
    body_limits: BodyLimits,
    user_agent: Option<String>,
    proxy: Option<reqwest::Proxy>,
    http: Option<reqwest::Client>,
    sender: Option<Arc<dyn HttpSend>>,
    metrics: Metrics,
    clock_and_rng: ClockAndRng,
}

impl UpvestBuilder {
    pub(crate) fn new(environment: Environment) -> Self {
        Self {
            environment,
            client_id: String::new(),
            client_secret: SecretString::default(),
            signer: None,
            signing_key: None,
            scopes: Vec::new(),
            retry: RetryPolicy::new(),
            budget: RetryBudget::default(),
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_secs(60),
            body_limits: BodyLimits {
                answers: 64 * 1024 * 1024,
                errors: 1024 * 1024,
            },
            user_agent: None,
            proxy: None,
            http: None,
            sender: None,
            metrics: Metrics::default(),
            clock_and_rng: ClockAndRng::default(),
        }
    }

    /// The client id and secret that Upvest issued.
    pub fn credentials(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.client_id = id.into();
        self.client_secret = secret.into();
        self
    }

    /// Signs every request with `key`. `key_id` is the id that Upvest assigned to its public key. Upvest's own servers reject
    /// requests without a signature.
    ///
    /// `key` is a [`SigningKey`](crate::signing::SigningKey), or a [`Signer`] that uses a key service.
    pub fn signing_key(mut self, key_id: impl AsRef<str>, key: impl Signer + 'static) -> Self {
        self.signing_key = Some(RequestSigner::new(key_id, key));
        self
    }

    /// Signs every request with `signer`, for settings that [`UpvestBuilder::signing_key`] does not have. It takes
    /// precedence over a signing key.
    pub fn signer(mut self, signer: impl SignRequest + 'static) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// Requests tokens with these scopes. [`Scopes::all`] by default.
    ///
    /// If this is called more than once, a token is kept for each set. A call uses the first set that has all scopes that its
    /// operation needs, or else the last set. Upvest recommends separate tokens for reading and writing:
    ///
    /// ```
    /// use upvest_ext::{Environment, Scopes, Upvest};
    ///
    /// let builder = Upvest::builder(Environment::Sandbox).scopes(Scopes::reading()).scopes(Scopes::all());
    /// # let _ = builder;
    /// ```
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes.push(scopes);
        self
    }

    /// Retries according to `policy`, unless a call has its own policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Limits retries by `budget`. Clones share one budget, so several clients can use it together.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// The longest time for establishing a connection. 5 s by default. Has no effect with [`UpvestBuilder::http_client`].
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The longest time for one attempt, its answer included. 20 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The longest time for a call with all its attempts and waits. 60 s unless set.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// The longest answers that are read, in bytes: `answers` for successful calls, `errors` for error answers and tokens. 64 MiB
    /// and 1 MiB by default. A longer answer is an error that names the limit. Downloads have no limit.
    pub fn body_limits(mut self, answers: usize, errors: usize) -> Self {
        self.body_limits = BodyLimits { answers, errors };
        self
    }

    /// Adds the name of your application, such as `my-bank/2.1`, to the header `user-agent`.
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// Sends all requests through `proxy`. By default the proxy in the environment (`HTTPS_PROXY`) is used, except for base URLs
    /// with a loopback host. Has no effect with [`UpvestBuilder::http_client`].
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Sends requests with a `reqwest` client that you built.
    ///
    /// Build it with `redirect(reqwest::redirect::Policy::none())` and `retry(reqwest::retry::never())`. A redirect would
    /// send the signature to another host, and makes the call fail. A retry by `reqwest` would send
    /// the same nonce twice. Also enable its `http2_keep_alive_*` settings: the default client pings idle connections
    /// and stops using a connection after a request on it timed out.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Sends requests with `sender` instead of over the network, for tests and recorders.
    pub fn http_sender(mut self, sender: impl HttpSend + 'static) -> Self {
        self.sender = Some(Arc::new(sender));
        self
    }

    /// Calls `hook` with a measurement after each call, attempt and token request. It runs on the task of the
    /// call, so it must return quickly and not block. If it panics, only that measurement is lost.
    pub fn metrics(mut self, hook: impl Fn(&Measurement) + Send + Sync + 'static) -> Self {
        self.metrics = Metrics::new(hook);
        self
    }

    /// Uses `clock` for the time and for waiting. By default the clock of the tokio runtime.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock_and_rng.clock = Arc::new(clock);
        self
    }

    /// Uses `random` for jitter and idempotency keys. By default the operating system's generator.
    pub fn random(mut self, random: impl Random + 'static) -> Self {
        self.clock_and_rng.random = Arc::new(random);
        self
    }

    /// Builds the client. Nothing is sent before the first call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`]. The message names every missing or invalid setting.
    pub fn build(self) -> Result<Upvest, Error> {
        let (base_url, headers) = self.check()?;
        let sender = match (&self.sender, &self.http) {
            (Some(sender), _) => Arc::clone(sender),
            (None, Some(client)) => Arc::new(ReqwestSend::new(client.clone(), None)),
            (None, None) => Arc::new(self.sender_of_our_own(&base_url)?),
        };
        let clock = Arc::clone(&self.clock_and_rng.clock);
        let signing_key = self
            .signing_key
            .as_ref()
            .and_then(|signer| signer.as_ref().ok());
        let signing_key =
            signing_key.map(|signer| Arc::new(signer.clone().clock(move || clock.wall())) as _);
        let signer = self.signer.clone().or(signing_key);
        let throttle = Arc::<Throttle>::default();
        let tokens = TokenRequest {
            url: join(&base_url, TOKEN_REQUEST.path, "")?,
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            headers: headers.clone(),
            http: Arc::clone(&sender),
            signer: signer.clone(),
            timeout: self.attempt_timeout,
            body_limit: self.body_limits.errors,
            retry: self.retry.capped(3),
            budget: self.budget.clone(),
            metrics: self.metrics.clone(),
            throttle: Arc::clone(&throttle),
            clock_and_rng: self.clock_and_rng.clone(),
        };
        let network = Network {
            http: sender,
            signer,
            tokens: TokenCache::new(tokens),
        };
        self.assemble(base_url, headers, Link::Network(network), throttle)
    }

    /// A client over `transport`. Its requests have a URL with a host that does not exist, as they are not sent.
    pub(crate) fn over(transport: impl Transport + 'static) -> Upvest {
        let base_url = Url::parse("http://transport.invalid").expect("the URL is valid");
        let builder = Self::new(Environment::Custom(base_url.clone()));
        let link = Link::Transport(Arc::new(transport));
        builder
            .assemble(base_url, HeaderMap::new(), link, Arc::default())
            .expect("the URL is valid")
    }

    fn assemble(
        self,
        base_url: Url,
        headers: HeaderMap,
        link: Link,
        throttle: Arc<Throttle>,
    ) -> Result<Upvest, Error> {
        let core = Core {
            base_uri: to_uri(&base_url)?,
            base_url,
            link,
            scopes: if self.scopes.is_empty() {
                vec![Scopes::all()]
            } else {
                self.scopes
            },
            headers,
            retry: self.retry,
            budget: self.budget,
            throttle,
            metrics: self.metrics,
            attempt_timeout: self.attempt_timeout,
            call_timeout: self.call_timeout,
            body_limits: self.body_limits,
            clock_and_rng: self.clock_and_rng,
        };
        Ok(Upvest::assemble(Pipeline {
            core: Arc::new(core),
            options: CallOptions::new(),
        }))
    }

    /// The base URL and the headers of every request, or an error that names every problem.
    fn check(&self) -> Result<(Url, HeaderMap), Error> {
        let mut problems = self.invalid_settings();
        problems.extend(self.missing_settings());
        match (self.environment.base_url(), self.headers()) {
            (Ok(base_url), Ok(headers)) if problems.is_empty() => Ok((base_url, headers)),
            _ => Err(Error::new(ErrorKind::Configuration, problems.join("; "))),
        }
    }

    /// What is wrong with the settings that were made.
    pub(super) fn invalid_settings(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Err(error) = self.environment.base_url() {
            problems.push(error.to_string());
        }
        if let Err(problem) = self.headers() {
            problems.push(problem.to_owned());
        }
        let credentials = [self.client_id.as_str(), self.client_secret.expose_secret()];
        if credentials.iter().any(|text| text.trim() != *text) {
            problems.push("the client id or the client secret starts or ends with whitespace, such as the line break at the end of a file: trim it".to_owned());
        }
        if let Some(Err(error)) = &self.signing_key {
            problems.push(format!("the id of the signing key: {error}"));
        }
        problems
    }

    fn missing_settings(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.client_id.is_empty() || self.client_secret.expose_secret().is_empty() {
            problems.push(
                "the client id and the client secret are missing: call `credentials`".to_owned(),
            );
        }
        if self.signer.is_none() && self.signing_key.is_none() && self.environment.is_upvest() {
            problems.push("Upvest rejects unsigned requests: call `signing_key`, or set UPVEST_SIGNING_KEY_ID and UPVEST_SIGNING_KEY".to_owned());
        }
        problems
    }

    fn headers(&self) -> Result<HeaderMap, &'static str> {
        let agent = match &self.user_agent {
            Some(product) => format!("{product} {SDK_AGENT}"),
            None => SDK_AGENT.to_owned(),
        };
        let agent = HeaderValue::try_from(agent)
            .map_err(|_| "the user agent is not a valid HTTP header value")?;
        let id = HeaderValue::try_from(&self.client_id)
            .map_err(|_| "the client id is not a valid HTTP header value")?;
        Ok(HeaderMap::from_iter([
            (HeaderName::from_static("upvest-client-id"), id),
            (
                HeaderName::from_static("upvest-api-version"),
                HeaderValue::from_static("1"),
            ),
            (USER_AGENT, agent),
        ]))
    }

    fn sender_of_our_own(&self, base_url: &Url) -> Result<ReqwestSend, Error> {
        let connect_timeout = self.connect_timeout;
        let proxy = self.proxy.clone();
        let is_loopback = is_loopback(base_url);
        let connect = move || {
            let client = reqwest::Client::builder()
                // Both would send a signature twice: to another host, or with the same nonce.
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(connect_timeout);
            let client = match proxy.clone() {
                Some(proxy) => client.proxy(proxy),
                // The proxy of the environment would see the client secret, and cannot reach a loopback host of this machine.
                None if is_loopback => client.no_proxy(),
                None => client,
            };
            keep_alive(client, PING_INTERVAL).build()
        };
        let client = connect().map_err(|error| {
            Error::new(
                ErrorKind::Configuration,
                "the HTTP client could not be created",
            )
            .with_source(error)
        })?;
        Ok(ReqwestSend::new(client, Some(Box::new(connect))))
    }
}

debug_fields!(UpvestBuilder, |self| environment = self.environment);
