//! The builder of a client.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use upvest_runtime::{BaseUrl, Error, ErrorKind, GeneratedClient, HttpTransport, Transport};

use crate::client::UpvestFor;
use crate::environment::Environment;
use crate::hooks::{CallReport, Hooks};
use crate::options::CallOptions;
use crate::pipeline::{Core, Pipeline};
use crate::problems::{Problems, Setting};
use crate::retry::RetryPolicy;
use crate::retry_budget::RetryBudget;
use crate::scopes::Scopes;
use crate::token::Credentials;
use crate::token_requests::with_tokens;
use upvest_signing::{RequestSigner, SignRequest, Signer};

const SDK_AGENT: &str = concat!("upvest-rust/", env!("CARGO_PKG_VERSION"));

/// Builds an [`Upvest`](crate::Upvest). Made by [`Upvest::builder`](UpvestFor::builder) and
/// [`UpvestBuilder::from_env`].
pub type UpvestBuilder = UpvestBuilderFor<upvest_api::Client>;

/// Builds an [`UpvestFor`] a generated client.
#[must_use = "a builder does nothing before `build`"]
pub struct UpvestBuilderFor<C> {
    environment: Option<Environment>,
    client_id: String,
    client_secret: SecretString,
    signer: Option<Arc<dyn SignRequest>>,
    scopes: Scopes,
    defaults: CallOptions,
    budget: RetryBudget,
    user_agent: String,
    transport: Option<Arc<dyn Transport>>,
    /// Whether all calls wait after a 429.
    is_throttled: bool,
    hooks: Hooks,
    /// What is wrong with the settings so far.
    problems: Problems,
    client: PhantomData<fn() -> C>,
}

impl<C: GeneratedClient> UpvestFor<C> {
    /// Starts building a client for `environment`.
    pub fn builder(environment: Environment) -> UpvestBuilderFor<C> {
        UpvestBuilderFor::new(Some(environment))
    }

    /// A client over `transport`, without tokens, signatures, retries and the pause after a 429, for tests of code that
    /// uses an [`Upvest`](crate::Upvest).
    ///
    /// ```
    /// use upvest_ext::Upvest;
    /// use upvest_ext::api::{Error, ErrorKind, MockTransport, builder};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let failure = Error::new(ErrorKind::Timeout, "no response in time");
    /// let upvest = Upvest::from_transport(MockTransport::new().fail::<builder::ListOrders>(failure));
    /// assert!(
    ///     upvest
    ///         .list_orders()
    ///         .send()
    ///         .await
    ///         .is_err_and(|error| error.is_timeout())
    /// );
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Never.
    pub fn from_transport(transport: impl Transport + 'static) -> Self {
        // The requests are not sent, so the host does not exist.
        let base_url = "http://transport.invalid"
            .parse()
            .expect("the URL is valid");
        let mut builder = Self::builder(Environment::Insecure(base_url)).transport(transport);
        builder.is_throttled = false;
        let once = CallOptions::new().retry(RetryPolicy::never());
        builder.defaults(once).build().expect("nothing is missing")
    }
}

impl<C: GeneratedClient> UpvestBuilderFor<C> {
    /// A builder without settings. `environment` is `None` if it cannot be read, and then a problem says why.
    pub(crate) fn new(environment: Option<Environment>) -> Self {
        Self {
            environment,
            client_id: String::new(),
            client_secret: SecretString::default(),
            signer: None,
            scopes: Scopes::default(),
            defaults: CallOptions::new(),
            budget: RetryBudget::default(),
            user_agent: SDK_AGENT.to_owned(),
            transport: None,
            is_throttled: true,
            hooks: Hooks::default(),
            problems: Problems::default(),
            client: PhantomData,
        }
    }

    /// The client id and secret that Upvest issued.
    pub fn credentials(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.problems.clear(Setting::Credentials);
        self.client_id = id.into();
        self.client_secret = secret.into();
        self
    }

    /// Signs every request with `key`. `key_id` is the id that Upvest assigned to your public key. Upvest's own servers
    /// reject requests without a signature.
    ///
    /// `key` is a [`SigningKey`](crate::signing::SigningKey), or a [`Signer`] that uses a key service.
    pub fn signing_key(mut self, key_id: impl AsRef<str>, key: impl Signer + 'static) -> Self {
        match RequestSigner::new(key_id, key) {
            Ok(signer) => self.signer(signer),
            Err(error) => {
                let problem = format!("the id of the signing key: {error}");
                self.problems.clear(Setting::SigningKey);
                self.problems.add(Setting::SigningKey, problem);
                self
            }
        }
    }

    /// Signs every request with `signer`, for settings that [`signing_key`](Self::signing_key) does not have.
    pub fn signer(mut self, signer: impl SignRequest + 'static) -> Self {
        self.problems.clear(Setting::SigningKey);
        self.signer = Some(Arc::new(signer));
        self
    }

    /// Requests tokens with these scopes. By default with those of all operations of the description, without those
    /// that not every client can have. Build another client for another set.
    ///
    /// ```
    /// use upvest_ext::{Environment, Scopes, Upvest};
    ///
    /// let trading = Upvest::builder(Environment::Sandbox).scopes(["orders:admin", "orders:read"]);
    /// let reporting = Upvest::builder(Environment::Sandbox).scopes(Scopes::reading());
    /// # let _ = (trading, reporting);
    /// ```
    pub fn scopes(mut self, scopes: impl Into<Scopes>) -> Self {
        self.problems.clear(Setting::Scopes);
        self.scopes = scopes.into();
        self
    }

    /// The settings of calls that have none of their own.
    ///
    /// ```
    /// use std::time::Duration;
    /// use upvest_ext::{CallOptions, Environment, Upvest};
    ///
    /// let patient = CallOptions::new().call_timeout(Duration::from_secs(120));
    /// let builder = Upvest::builder(Environment::Sandbox).defaults(patient);
    /// # let _ = builder;
    /// ```
    pub fn defaults(mut self, options: CallOptions) -> Self {
        self.defaults = options;
        self
    }

    /// Limits retries by `budget`. Clones share one budget, so several clients can use it together.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Adds the name of your application, such as `my-bank/2.1`, to the header `user-agent`.
    pub fn user_agent(mut self, product: impl fmt::Display) -> Self {
        self.user_agent = format!("{product} {SDK_AGENT}");
        self
    }

    /// Sends over `transport`, below tokens, signatures and retries: over an [`HttpTransport`] with a proxy or with
    /// certificates of your own, or over the transport of a test. Without credentials there are no tokens then, and
    /// without a key no signatures.
    ///
    /// ```
    /// use upvest_ext::api::reqwest::Proxy;
    /// use upvest_ext::api::runtime::HttpTransport;
    /// use upvest_ext::{Environment, Upvest};
    ///
    /// # fn main() -> Result<(), upvest_ext::Error> {
    /// let transport = HttpTransport::new(|| {
    ///     let proxy = Proxy::all("http://proxy.example:3128")?;
    ///     HttpTransport::settings().proxy(proxy).build()
    /// })?;
    /// let builder = Upvest::builder(Environment::Sandbox).transport(transport);
    /// # let _ = builder; Ok(()) }
    /// ```
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Changes the headers of each attempt before it is signed, for example to add the context of a trace.
    ///
    /// It runs on the task of the call, so it must return quickly and not block. It cannot change the headers that the
    /// SDK sets: they are restored. If it panics, its changes are discarded and the call goes on.
    pub fn on_request(mut self, hook: impl Fn(&mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.hooks.on_request = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` once for each finished call, also for token requests. A call whose future was dropped is not
    /// reported.
    ///
    /// It runs on the task of the call, so it must return quickly and not block. If it panics, only that report is
    /// lost.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// use upvest_ext::{Environment, Upvest};
    ///
    /// let failed = Arc::new(AtomicU32::new(0));
    /// let count = Arc::clone(&failed);
    /// let builder = Upvest::builder(Environment::Sandbox).observe(move |call| {
    ///     if call.error.is_some() {
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// });
    /// # let _ = builder;
    /// ```
    pub fn observe(mut self, hook: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        self.hooks.observe = Some(Arc::new(hook));
        self
    }

    /// Builds the client. Nothing is sent before the first call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`]. The message names every missing or invalid setting.
    pub fn build(mut self) -> Result<UpvestFor<C>, Error> {
        let base_url = self.base_url();
        let headers = self.headers();
        let scopes = self.scope_text();
        self.check_credentials();
        self.check_defaults();
        let (Some(base_url), Some(headers), true) = (base_url, headers, self.problems.is_empty())
        else {
            let problems = self.problems.text();
            return Err(Error::new(ErrorKind::Configuration, problems));
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(default_transport(self.environment.as_ref())?),
        };
        let core = Core {
            base_url,
            transport,
            tokens: None,
            signer: self.signer,
            headers,
            budget: self.budget,
            throttle: self.is_throttled.then(Arc::default),
            hooks: self.hooks,
        };
        let credentials = Credentials {
            client_id: self.client_id,
            client_secret: self.client_secret,
            scopes,
        };
        let core = if credentials.client_id.is_empty() {
            core
        } else {
            with_tokens(core, credentials, &self.defaults)
        };
        Ok(UpvestFor::over(Pipeline {
            core: Arc::new(core),
            options: self.defaults,
        }))
    }

    /// Adds the problems that were found when the settings were read.
    pub(crate) fn add_problems(&mut self, problems: Problems) {
        self.problems.extend(problems);
    }

    /// The scopes of a token request.
    fn scope_text(&mut self) -> String {
        match self.scopes.text(C::OPERATIONS) {
            Ok(text) => text,
            Err(problem) => {
                self.problems.add(Setting::Scopes, problem);
                String::new()
            }
        }
    }

    fn base_url(&mut self) -> Option<BaseUrl> {
        match usable_base_url(self.environment.as_ref()?, self.can_send_https()) {
            Ok(url) => Some(url),
            Err(problem) => {
                self.problems.add(Setting::Environment, problem);
                None
            }
        }
    }

    fn can_send_https(&self) -> bool {
        self.transport.is_some() || cfg!(any(feature = "rustls", feature = "native-tls"))
    }

    /// The headers of every request.
    fn headers(&mut self) -> Option<HeaderMap> {
        let agent = HeaderValue::try_from(&self.user_agent);
        let client_id = HeaderValue::try_from(&self.client_id);
        if agent.is_err() {
            self.problems.add(
                Setting::Headers,
                "the user agent is not a valid HTTP header value",
            );
        }
        if client_id.is_err() {
            self.problems.add(
                Setting::Headers,
                "the client id is not a valid HTTP header value",
            );
        }
        let api_version = HeaderValue::from_static("1");
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("upvest-api-version"), api_version);
        headers.insert(USER_AGENT, agent.ok()?);
        let client_id = client_id.ok()?;
        if !client_id.is_empty() {
            headers.insert(HeaderName::from_static("upvest-client-id"), client_id);
        }
        Some(headers)
    }

    fn check_credentials(&mut self) {
        let is_upvest = self
            .environment
            .as_ref()
            .is_some_and(Environment::is_upvest);
        let secret = self.client_secret.expose_secret();
        let has_some = !self.client_id.is_empty() || !secret.is_empty();
        let has_both = !self.client_id.is_empty() && !secret.is_empty();
        let has_whitespace = self.client_id.trim() != self.client_id || secret.trim() != secret;
        if has_whitespace {
            self.problems.add(Setting::Credentials, "the client id or the client secret starts or ends with whitespace, such as the line break at the end of a file: trim it");
        }
        let is_required = is_upvest || has_some || self.transport.is_none();
        if is_required && !has_both && !self.problems.concern(Setting::Credentials) {
            self.problems.add(Setting::Credentials, "the client id and the client secret are missing: call `credentials`, or set UPVEST_CLIENT_ID and UPVEST_CLIENT_SECRET");
        }
        if is_upvest && self.signer.is_none() && !self.problems.concern(Setting::SigningKey) {
            self.problems.add(Setting::SigningKey, "Upvest rejects unsigned requests: set UPVEST_SIGNING_KEY_ID and UPVEST_SIGNING_KEY or call `signing_key`");
        }
    }

    /// A default header that is not valid would make every call fail.
    fn check_defaults(&mut self) {
        if let Some(problem) = self.defaults.problem() {
            let problem = format!("the default settings of calls: {problem}");
            self.problems.add(Setting::Headers, problem);
        }
    }
}

impl<C> fmt::Debug for UpvestBuilderFor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpvestBuilder")
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

fn usable_base_url(environment: &Environment, can_send_https: bool) -> Result<BaseUrl, String> {
    let url = environment.base_url().map_err(|error| error.to_string())?;
    check_tls(&url, can_send_https)?;
    let url = BaseUrl::new(&url);
    url.check().map_err(|error| error.to_string())?;
    Ok(url)
}

/// A server with https needs a TLS library.
fn check_tls(base_url: &str, can_send_https: bool) -> Result<(), &'static str> {
    if base_url.starts_with("https:") && !can_send_https {
        return Err("a base URL with https needs the feature `rustls` or `native-tls`");
    }
    Ok(())
}

fn default_transport(environment: Option<&Environment>) -> Result<HttpTransport, Error> {
    let is_loopback = environment.is_some_and(Environment::is_loopback);
    HttpTransport::new(move || {
        let settings = HttpTransport::settings();
        // The proxy of the environment would see the client secret, and cannot reach a host of this machine.
        let settings = if is_loopback {
            settings.no_proxy()
        } else {
            settings
        };
        settings.build()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_without_a_tls_feature_is_a_configuration_error() {
        assert!(check_tls("https://api.upvest.co", false).is_err());
        assert!(check_tls("https://api.upvest.co", true).is_ok());
        assert!(check_tls("http://127.0.0.1:8080", false).is_ok());
        let has_tls = cfg!(any(feature = "rustls", feature = "native-tls"));
        let builder = UpvestFor::<upvest_api::Client>::builder(Environment::Custom(
            "https://example.com".parse().unwrap(),
        ));
        let built = builder.credentials("id", "secret").build();
        let is_rejected = built.is_err_and(|error| error.kind() == ErrorKind::Configuration);
        assert_eq!(is_rejected, !has_tls);
    }
}
