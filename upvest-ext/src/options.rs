//! What can be set for one call. The defaults of a client are the same type.

use std::fmt::Display;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::reserved_headers::is_reserved;
use crate::retry::RetryPolicy;

pub(crate) const ATTEMPT: Duration = Duration::from_secs(20);
const CALL: Duration = Duration::from_secs(60);
/// A longer limit could overflow the clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Settings of one call ([`Upvest::with`](crate::UpvestFor::with)), or the defaults of a client
/// ([`UpvestBuilder::defaults`](crate::UpvestBuilderFor::defaults)).
///
/// ```no_run
/// use std::time::Duration;
/// use upvest_ext::CallOptions;
///
/// # async fn place(upvest: upvest_ext::Upvest, order: upvest_ext::api::types::OrderCreate) -> Result<(), upvest_ext::Error> {
/// let hasty = upvest.with(CallOptions::new().call_timeout(Duration::from_secs(5)));
/// let order = hasty.create_order().body(order).send().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CallOptions {
    attempt_timeout: Option<Duration>,
    call_timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
    headers: HeaderMap,
    problem: Option<String>,
}

impl CallOptions {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The longest time for one attempt with its response, and the longest time without bytes of a file. 20 s by
    /// default, 24 h at most.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// The longest time for the call with all its attempts and waits. 60 s by default, 24 h at most.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// Retries according to `policy`.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Adds a header. The call fails if the header is not valid, or if the SDK sets it itself.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Display>,
        V: TryInto<HeaderValue, Error: Display>,
    {
        if let Err(problem) = self.try_header(name, value) {
            self.problem = Some(problem);
        }
        self
    }

    /// Adds the headers of a request that is passed on, such as by a proxy, except those that the SDK sets itself.
    ///
    /// ```
    /// use upvest_ext::CallOptions;
    /// use upvest_ext::api::http::HeaderMap;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(
    ///     "traceparent",
    ///     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?,
    /// );
    /// headers.insert("authorization", "Bearer of-another-client".parse()?);
    /// let options = CallOptions::new().forward(&headers); // with `traceparent` alone
    /// # let _ = options;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forward(self, headers: &HeaderMap) -> Self {
        let others = headers.iter().filter(|(name, _)| !is_reserved(name));
        others.fold(self, |options, (name, value)| options.header(name, value))
    }

    fn try_header<N, V>(&mut self, name: N, value: V) -> Result<(), String>
    where
        N: TryInto<HeaderName, Error: Display>,
        V: TryInto<HeaderValue, Error: Display>,
    {
        let name = name.try_into().map_err(|error| error.to_string())?;
        if is_reserved(&name) {
            return Err(format!("the SDK sets the header `{name}` itself"));
        }
        let mut value = value
            .try_into()
            .map_err(|error| format!("header `{name}`: {error}"))?;
        // So that `Debug` does not print it.
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// These settings, and those of `defaults` where none is set.
    pub(crate) fn or(self, defaults: &Self) -> Self {
        let mut headers = defaults.headers.clone();
        headers.extend(self.headers);
        Self {
            attempt_timeout: self.attempt_timeout.or(defaults.attempt_timeout),
            call_timeout: self.call_timeout.or(defaults.call_timeout),
            retry: self.retry.or(defaults.retry),
            headers,
            problem: self.problem.or_else(|| defaults.problem.clone()),
        }
    }

    pub(crate) fn attempt_limit(&self) -> Duration {
        self.attempt_timeout.unwrap_or(ATTEMPT).min(MAX_TIMEOUT)
    }

    pub(crate) fn call_limit(&self) -> Duration {
        self.call_timeout.unwrap_or(CALL).min(MAX_TIMEOUT)
    }

    pub(crate) fn policy(&self) -> RetryPolicy {
        self.retry.unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Why these options cannot be used.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}
