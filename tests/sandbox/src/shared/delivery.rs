//! Delivers batches of events to their endpoints, one at a time for each subscription.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use reqwest::Url;
use uuid::Uuid;

use crate::domain::events::Event;
use crate::log::DeliveryRecord;
use crate::shared::Shared;
use crate::webhooks::payload::{PayloadShape, payload};

/// The timeout of an endpoint, in real time. No source says how long Upvest waits (PROTOCOL 2.1).
const PATIENCE: Duration = Duration::from_secs(10);

/// How long advancing the clock waits for a delivery. A slower delivery continues in the background.
const HELD: Duration = Duration::from_secs(1);

/// How long events wait for newer ones that are delivered before them, on the sandbox's clock.
const REORDERING_DELAY: TimeDelta = TimeDelta::seconds(2);

/// The result of a delivery that was not made, for the log.
const OUT_OF_REACH: &str = "not delivered: the endpoint is on another machine";

/// The most deliveries in progress.
const MAX_AT_ONCE: usize = 64;
/// New deliveries begin when this many can. Each look at all subscriptions is for several deliveries, as there can be
/// many subscriptions.
const FEWEST_TO_BEGIN: usize = MAX_AT_ONCE / 2;

const CONTROL: &str = "not delivered: the URL leads to the control API of a sandbox";

/// Sends deliveries, by default only to this machine.
#[derive(Debug)]
pub(crate) struct WebhookSender {
    http: reqwest::Client,
    shape: PayloadShape,
    /// Locked during a round of deliveries, so that there is one at a time.
    round: tokio::sync::Mutex<()>,
}

/// A batch that is being delivered.
struct Batch {
    webhook: Uuid,
    url: String,
    events: Vec<Arc<Event>>,
    attempt: u32,
}

impl WebhookSender {
    pub(crate) fn new(shape: PayloadShape) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            shape,
            round: tokio::sync::Mutex::new(()),
        })
    }
}

impl Shared {
    /// Makes all deliveries that are due, and those that become due by them. Returns when only slow ones are in
    /// progress.
    pub(crate) async fn deliver_due(self: &Arc<Self>) {
        self.deliver(self.reordering_delay()).await;
    }

    /// As [`Shared::deliver_due`], also with the events that wait for newer ones.
    pub(crate) async fn deliver_all(self: &Arc<Self>) {
        self.deliver(TimeDelta::zero()).await;
    }

    /// The time for which an event waits for newer ones. Zero, unless a fault reverses deliveries.
    pub(crate) fn reordering_delay(&self) -> TimeDelta {
        if self.faults().deliveries.reversed {
            REORDERING_DELAY
        } else {
            TimeDelta::zero()
        }
    }

    async fn deliver(self: &Arc<Self>, reordering_delay: TimeDelta) {
        let _round = self.webhook_sender.round.lock().await;
        let mut on_their_way = FuturesUnordered::new();
        loop {
            let room = MAX_AT_ONCE.saturating_sub(on_their_way.len());
            on_their_way.extend(
                self.begin_due(room, reordering_delay)
                    .into_iter()
                    .map(|batch| {
                        let shared = Arc::clone(self);
                        let delivery = tokio::spawn(async move {
                            shared.attempt(batch).await;
                            shared.wake.notify_one();
                        });
                        tokio::time::timeout(HELD, delivery)
                    }),
            );
            if on_their_way.is_empty() {
                return;
            }
            tokio::select! {
                _ = on_their_way.next() => {}
                () = self.wake.notified() => self.run_due_steps(),
                () = self.something_due() => self.run_due_steps(),
            }
        }
    }

    /// Begins at most `room` deliveries that are due.
    fn begin_due(&self, room: usize, reordering_delay: TimeDelta) -> Vec<Batch> {
        if room < FEWEST_TO_BEGIN {
            return Vec::new();
        }
        let reversed = self.faults().deliveries.reversed;
        let now = self.clock.now();
        let mut core = self.core();
        let subscriptions = core
            .state
            .timeline
            .events
            .subscriptions
            .rows_mut()
            .iter_mut();
        let due = subscriptions.filter(|it| {
            it.next_attempt(reordering_delay)
                .is_some_and(|at| at <= now)
        });
        let batches = due.map(|subscription| {
            let (events, attempt) = subscription.begin(reversed);
            Batch {
                webhook: subscription.view.id,
                url: subscription.view.url.clone(),
                events,
                attempt,
            }
        });
        batches.take(room).collect()
    }

    async fn attempt(&self, batch: Batch) {
        let repeated = self.faults().deliveries.repeated;
        let url = Url::parse(&batch.url).ok();
        let is_control = url.as_ref().is_some_and(|url| leads_to_control(url.path()));
        let near = url.is_some_and(|url| self.core().state.webhook_hosts.contain(&url));
        let near = near && !is_control;
        let body = payload(self.webhook_sender.shape, batch.webhook, &batch.events);
        let outcome = if near {
            match self.post(&batch.url, body.clone()).await {
                Ok(200..=299) if repeated => self.post(&batch.url, body).await,
                outcome => outcome,
            }
        } else if is_control {
            Err(CONTROL.to_owned())
        } else {
            // A test must not deliver to the endpoints of others.
            Err(OUT_OF_REACH.to_owned())
        };
        let sent = batch.events.iter();
        let (events, event_types) = sent.map(|event| (event.id, event.kind.event_type)).unzip();
        let record = DeliveryRecord {
            at: self.clock.now(),
            webhook_id: batch.webhook,
            attempt: batch.attempt,
            events,
            event_types,
            outcome,
        };
        // A delivery that is not attempted is not retried.
        let taken = record.is_taken() || !near;
        let mut deliveries = self.deliveries();
        deliveries.number();
        deliveries.push(record);
        drop(deliveries);
        self.end_delivery(batch.webhook, taken);
    }

    /// Signs and sends a batch. Each attempt is signed again, as a signature expires after seconds and attempts
    /// continue for hours.
    async fn post(&self, url: &str, body: Vec<u8>) -> Result<u16, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let delivery = self.webhook_keys().sign(&target, body);
        let delivery = delivery.map_err(|error| error.to_string())?;
        let request = self
            .webhook_sender
            .http
            .post(url)
            .headers(delivery.headers().clone())
            .body(delivery.into_body());
        match request.send().await {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => Err(innermost(&error.without_url())),
        }
    }

    fn end_delivery(&self, webhook: Uuid, taken: bool) {
        let now = self.clock.now();
        let end_of_jump = self.clock.end_of_jump();
        let mut core = self.core();
        // The subscription may have been deleted in the meantime.
        if let Some(subscription) = core.state.timeline.events.subscriptions.get_mut(webhook) {
            subscription.end(taken, now, end_of_jump);
        }
    }
}

fn leads_to_control(path: &str) -> bool {
    path == "/_sandbox" || path.starts_with("/_sandbox/")
}

/// The innermost error, such as `Connection refused`, which is more useful than `error sending request`.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
