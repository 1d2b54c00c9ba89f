//! Handles deliveries: verifies them, passes each event to its handler, and chooses the status to answer with.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::StatusCode;
use upvest_api::runtime::EventType;

use super::dead_letter::{DeadLetter, DeadLetterSink};
use super::dedup::{ClaimResult, DedupStore, MemoryDedupStore};
use super::event::{Event, UndecodableEvent};
use super::log;
use super::verifier::{VerifyError, WebhookVerifier};
use crate::backend_error::BackendError;
use crate::client::upvest::Upvest;
use crate::debug_fields::debug_fields;
use crate::detached::detached;
use crate::metrics::{Measurement, Metrics};
use crate::signing::{IncomingRequest, SignatureError};

/// The error type of handlers and dead letter sinks.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

type Handler = Arc<dyn Fn(Event) -> BoxFuture<'static, Result<(), HandlerError>> + Send + Sync>;

/// Verifies deliveries and passes each event once to the function registered for it.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use upvest_api::types::{Order, OrderId, WebhookEventCategory};
/// use upvest_ext::webhooks::{EventType, KeySet, WebhookHandler, WebhookVerifier, with_state};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let jwks = r#"{"keys": []}"#;
/// let filled = Arc::<Mutex<Vec<OrderId>>>::default(); // in a service: a pool of connections
/// let handler = WebhookHandler::new(WebhookVerifier::new(KeySet::from_json(jwks)?))
///     .on(
///         EventType::OrderFilled,
///         with_state(filled, async |filled, event| {
///             let order: Order = event.resource()?;
///             filled.lock().map_err(|_| "another handler panicked")?.push(order.id);
///             Ok(())
///         }),
///     )
///     .on_category(WebhookEventCategory::User.as_str(), async |event| Ok(println!("{event:?}")));
/// assert_eq!(handler.registered_categories(), ["ORDER", "USER"]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WebhookHandler {
    verifier: WebhookVerifier,
    by_type: HashMap<EventType, Handler>,
    by_category: HashMap<String, Handler>,
    fallback: Option<Handler>,
    fetcher: Option<Upvest>,
    store: Arc<dyn DedupStore>,
    dead_letters: Option<(u32, Arc<dyn DeadLetterSink>)>,
    metrics: Metrics,
}

/// The result of handling one delivery.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The status to answer with: 200 only if every event was handled, stored as a dead letter, or ignored.
    pub status: StatusCode,
    /// Why the delivery was rejected.
    pub rejected: Option<VerifyError>,
    /// The number of events that were handled now.
    pub handled: usize,
    /// The number of events that had been handled before.
    pub repeated: usize,
    /// The number of events without a handler.
    pub ignored: usize,
    /// The number of events that were stored as dead letters.
    pub dead_lettered: usize,
    /// The errors of the events that failed. If there are any, Upvest sends the delivery again.
    pub failures: Vec<HandlerError>,
}

/// The event is being handled for another delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is being handled for another delivery")]
struct BusyElsewhere;

impl WebhookHandler {
    /// A handler without registered functions.
    pub fn new(verifier: WebhookVerifier) -> Self {
        Self {
            verifier,
            by_type: HashMap::new(),
            by_category: HashMap::new(),
            fallback: None,
            fetcher: None,
            store: Arc::new(MemoryDedupStore::default()),
            dead_letters: None,
            metrics: Metrics::default(),
        }
    }

    /// Calls `handler` for events of this type.
    #[must_use]
    pub fn on<F, R>(mut self, event_type: EventType, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.by_type
            .insert(event_type, Arc::new(move |event| Box::pin(handler(event))));
        self
    }

    /// Calls `handler` for events of this category, such as `ORDER`, whose type has no handler of its own.
    #[must_use]
    pub fn on_category<F, R>(mut self, category: impl AsRef<str>, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.by_category.insert(
            category.as_ref().to_owned(),
            Arc::new(move |event| Box::pin(handler(event))),
        );
        self
    }

    /// Calls `handler` for all other events, including those whose type this version does not know ([`EventType::is_known`]).
    #[must_use]
    pub fn otherwise<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.fallback = Some(Arc::new(move |event| Box::pin(handler(event))));
        self
    }

    /// Before the handler is called, fetches the resource of each event whose delivery contains only its id. Then
    /// [`Event::resource`] works with both payload formats of subscriptions. If the resource cannot be fetched, the event has
    /// failed. The fetch counts as part of the handler's time and takes at most the `call_timeout` of `upvest`. See
    /// [`Event::fetch`].
    #[must_use]
    pub fn fetch_references(mut self, upvest: Upvest) -> Self {
        self.fetcher = Some(upvest);
        self
    }

    /// Remembers handled events in `store` instead of in memory.
    #[must_use]
    pub fn dedup_store(mut self, store: impl DedupStore + 'static) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Tries an event up to `attempts` times (at least once), then stores it as a dead letter and acknowledges it. An event that
    /// cannot be decoded becomes a dead letter immediately.
    ///
    /// An attempt is counted when it begins. An attempt that panics or never ends counts as failed.
    ///
    /// Without dead letters, an event that always fails blocks all later deliveries, because Upvest keeps sending it.
    #[must_use]
    pub fn dead_letter_after(mut self, attempts: u32, sink: impl DeadLetterSink + 'static) -> Self {
        self.dead_letters = Some((attempts.max(1), Arc::new(sink)));
        self
    }

    /// Calls `hook` with a measurement after each event and each delivery. It must return quickly and not
    /// block. If it panics, only that measurement is lost.
    #[must_use]
    pub fn metrics(mut self, hook: impl Fn(&Measurement<'_>) + Send + Sync + 'static) -> Self {
        self.metrics = Metrics::new(hook);
        self
    }

    #[cfg(feature = "tower")]
    pub(super) fn verifier(&self) -> &WebhookVerifier {
        &self.verifier
    }

    /// The categories that have handlers, for creating the subscription.
    pub fn registered_categories(&self) -> Vec<&str> {
        let by_type = self.by_type.keys().map(EventType::category);
        let categories: BTreeSet<_> = by_type
            .chain(self.by_category.keys().map(String::as_str))
            .collect();
        categories.into_iter().collect()
    }

    /// Verifies a delivery and handles its events. Answer with [`Outcome::status`].
    ///
    /// The events are handled one after the other, each on its own task. A handler that runs longer than the sender waits
    /// still completes, and the next delivery finds the event handled.
    pub async fn handle(&self, request: &IncomingRequest<'_>) -> Outcome {
        let started = Instant::now();
        let outcome = self.outcome(request).await;
        let status = outcome.status.as_u16();
        self.metrics.record(&Measurement::Delivery {
            duration: started.elapsed(),
            status,
        });
        outcome
    }

    async fn outcome(&self, request: &IncomingRequest<'_>) -> Outcome {
        let delivery = match self.verifier.check(request).await {
            Ok(delivery) => delivery,
            Err(error) => {
                log::rejected(&error);
                return Outcome::rejected(error);
            }
        };
        let mut outcome = Outcome::of(StatusCode::OK);
        for event in delivery.events() {
            let (started, job) = (Instant::now(), self.job(&event));
            let event_type = event.as_ref().ok().map(|event| event.event_type.clone());
            let ended = detached(job.run(event)).await;
            let result =
                match ended.unwrap_or_else(|| Err("handling the event was cancelled".into())) {
                    Ok(ended) => outcome.count(&ended),
                    Err(failure) => {
                        outcome.failures.push(failure);
                        "failed"
                    }
                };
            let event_type = match &event_type {
                Some(event_type) if event_type.is_known() => event_type.as_str(),
                Some(_) => "unknown",
                None => "unreadable",
            };
            self.metrics.record(&Measurement::Event {
                event_type,
                duration: started.elapsed(),
                result,
            });
        }
        if !outcome.failures.is_empty() {
            outcome.status = StatusCode::INTERNAL_SERVER_ERROR;
        }
        outcome
    }

    /// Handles an event that was stored as a dead letter, after its cause was fixed. The event already counts as handled, so
    /// neither the dedup store nor the dead letters change.
    ///
    /// ```no_run
    /// # async fn replay(handler: upvest_ext::webhooks::WebhookHandler, kept: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// use upvest_ext::webhooks::Event;
    ///
    /// handler.replay(Event::decode(kept)?).await?; // `kept` is the event as JSON, from your table of dead letters
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The handler's error, or an error if no handler is registered for this type of event.
    pub async fn replay(&self, event: Event) -> Result<(), HandlerError> {
        let Some(call) = self.call_for(&event) else {
            return Err(format!("there is no handler for {} events", event.event_type).into());
        };
        detached(async move { call.run(event).await })
            .await
            .unwrap_or_else(|| Err("handling the event was cancelled".into()))
    }

    fn call_for(&self, event: &Event) -> Option<Call> {
        let by_category = || self.by_category.get(event.event_type.category());
        let handler = self
            .by_type
            .get(&event.event_type)
            .or_else(by_category)
            .or(self.fallback.as_ref())?;
        Some(Call {
            handler: Arc::clone(handler),
            fetcher: self.fetcher.clone(),
        })
    }

    fn job(&self, event: &Result<Event, UndecodableEvent>) -> Job {
        let call = event.as_ref().ok().and_then(|event| self.call_for(event));
        Job {
            call,
            store: Arc::clone(&self.store),
            dead_letters: self.dead_letters.clone(),
        }
    }
}

/// A handler with `state`, such as a connection pool or an [`Arc`]. Each call gets a clone of it.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use upvest_ext::webhooks::{EventType, WebhookHandler, WebhookVerifier, with_state};
///
/// # fn handler(verifier: WebhookVerifier) -> WebhookHandler {
/// let filled = Arc::new(AtomicU32::new(0));
/// WebhookHandler::new(verifier).on(
///     EventType::OrderFilled,
///     with_state(filled, async |filled, _event| {
///         filled.fetch_add(1, Ordering::Relaxed);
///         Ok(())
///     }),
/// )
/// # }
/// ```
pub fn with_state<S, F, R>(state: S, handler: F) -> impl Fn(Event) -> R + Send + Sync + 'static
where
    S: Clone + Send + Sync + 'static,
    F: Fn(S, Event) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    move |event| handler(state.clone(), event)
}

/// The function to call for an event.
struct Call {
    handler: Handler,
    fetcher: Option<Upvest>,
}

impl Call {
    /// Fetches the resource if necessary and runs the handler. A panic counts as a failure.
    async fn run(&self, event: Event) -> Result<(), HandlerError> {
        let call = async {
            let event = match &self.fetcher {
                Some(upvest) => event.fetch(upvest).await?,
                None => event,
            };
            (self.handler)(event).await
        };
        AssertUnwindSafe(call)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err("the handler panicked".into()))
    }
}

/// Handles one event independently of its delivery.
struct Job {
    call: Option<Call>,
    store: Arc<dyn DedupStore>,
    dead_letters: Option<(u32, Arc<dyn DeadLetterSink>)>,
}

enum Ended {
    Handled,
    Repeated,
    Ignored,
    DeadLettered,
}

impl Job {
    async fn run(self, event: Result<Event, UndecodableEvent>) -> Result<Ended, HandlerError> {
        let name = match &event {
            Ok(event) => event.id.to_string(),
            Err(undecodable) => undecodable.name(),
        };
        let (claim, attempt) = match self
            .store
            .claim(&name)
            .await
            .map_err(|error| store_failed(&error))?
        {
            ClaimResult::Ours { claim, attempt } => (claim, attempt),
            ClaimResult::Busy => return Err(BusyElsewhere.into()),
            ClaimResult::Done => return Ok(Ended::Repeated),
        };
        let event_type = event.as_ref().map_or_else(
            |_| "unreadable".to_owned(),
            |event| event.event_type.to_string(),
        );
        let ended = self.dispatch(event, attempt).await;
        match &ended {
            Ok(Ended::Ignored) => log::ignored(&name, &event_type),
            Ok(_) => {}
            Err(error) => log::failed(&name, &event_type, attempt, error),
        }
        match ended {
            Ok(_) => self.store.done(&name, claim).await,
            Err(_) => self.store.failed(&name, claim).await,
        }
        .map_err(|error| store_failed(&error))?;
        ended
    }

    async fn dispatch(
        &self,
        event: Result<Event, UndecodableEvent>,
        attempt: u32,
    ) -> Result<Ended, HandlerError> {
        let event = match (event, &self.dead_letters) {
            (Ok(event), _) => event,
            (Err(undecodable), None) => return Err(undecodable.into()),
            (Err(undecodable), Some((_, sink))) => {
                log::dead_letter(None, attempt, &undecodable);
                sink.store(DeadLetter::Undecodable(undecodable)).await?;
                return Ok(Ended::DeadLettered);
            }
        };
        let Some(call) = &self.call else {
            return Ok(Ended::Ignored);
        };
        let result = match &self.dead_letters {
            Some((attempts, _)) if attempt > *attempts => Err("the handler never finished".into()),
            _ => call.run(event.clone()).await,
        };
        match (result, &self.dead_letters) {
            (Ok(()), _) => Ok(Ended::Handled),
            (Err(error), Some((attempts, sink))) if attempt >= *attempts => {
                log::dead_letter(Some(&event), attempt, &error);
                sink.store(DeadLetter::Unhandled {
                    event,
                    attempts: attempt,
                    error,
                })
                .await?;
                Ok(Ended::DeadLettered)
            }
            (Err(error), _) => Err(error),
        }
    }
}

fn store_failed(error: &BackendError) -> HandlerError {
    format!("the dedup store failed: {error}").into()
}

impl Outcome {
    fn of(status: StatusCode) -> Self {
        let failures = Vec::new();
        Self {
            status,
            rejected: None,
            handled: 0,
            repeated: 0,
            ignored: 0,
            dead_lettered: 0,
            failures,
        }
    }

    /// Counts an event and returns the name of its result.
    fn count(&mut self, ended: &Ended) -> &'static str {
        let (count, name) = match ended {
            Ended::Handled => (&mut self.handled, "handled"),
            Ended::Repeated => (&mut self.repeated, "repeated"),
            Ended::Ignored => (&mut self.ignored, "ignored"),
            Ended::DeadLettered => (&mut self.dead_lettered, "dead_lettered"),
        };
        *count += 1;
        name
    }

    pub(super) fn rejected(error: VerifyError) -> Self {
        // An unknown key can be one that Upvest has just begun to use, so the delivery should be sent again.
        let status = match error {
            VerifyError::KeysUnavailable(_) | VerifyError::Rejected(SignatureError::UnknownKey) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            VerifyError::Rejected(_) => StatusCode::UNAUTHORIZED,
            VerifyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        };
        Self {
            rejected: Some(error),
            ..Self::of(status)
        }
    }
}

debug_fields!(
    WebhookHandler,
    |self| verifier = self.verifier,
    types = self.by_type.keys(),
    categories = self.by_category.keys()
);
