//! Webhook subscriptions with their queues of events.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::events::Event;
use crate::domain::state::{Rejected, State};
use crate::hosts::Hosts;

/// The most events in a delivery. Upvest limits its size in bytes instead.
const MAX_BATCH: usize = 100;
/// After this number of failures in a row, which takes a day, a jump of the clock makes no more than one further
/// attempt.
const PATIENT_FAILURES: u32 = 150;
/// The limit is in the description of the field.
const MAX_URL: usize = 1000;

/// A subscription as in the API. The URL may contain a secret of the receiver.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SubscriptionView {
    pub(crate) id: Uuid,
    pub(crate) url: String,
    pub(crate) event_categories: Vec<String>,
    pub(crate) status: SubscriptionStatus,
    #[serde(serialize_with = "crate::instant::write")]
    pub(crate) created_at: DateTime<Utc>,
}

wire_enum! {
    pub(crate) enum SubscriptionStatus { Active Inactive }
}

debug_by_id! { SubscriptionView }

/// A subscription with its queue. A delivery that fails blocks all later ones (PROTOCOL 2.1).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) view: SubscriptionView,
    waiting: VecDeque<Arc<Event>>,
    /// The current batch. It stays the same until the endpoint has accepted it.
    batch: Vec<Arc<Event>>,
    failures: u32,
    next_attempt: DateTime<Utc>,
    #[serde(skip)]
    in_flight: bool,
}

/// The body of a request that creates or changes a subscription.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    url: Option<String>,
    event_categories: Option<Vec<String>>,
}

identified!(by view.id: Subscription);

impl Subscription {
    /// A subscription to nothing yet.
    pub(crate) fn new(id: Uuid, now: DateTime<Utc>) -> Self {
        let view = SubscriptionView {
            id,
            url: String::new(),
            event_categories: Vec::new(),
            // As at Upvest, it must be enabled by an update (PROTOCOL 2.5).
            status: SubscriptionStatus::Inactive,
            created_at: now,
        };
        Self {
            next_attempt: now,
            view,
            waiting: VecDeque::new(),
            batch: Vec::new(),
            failures: 0,
            in_flight: false,
        }
    }

    /// Changes where it delivers, and which categories or types of events.
    pub(crate) fn set(
        &mut self,
        url: String,
        categories: Vec<String>,
        is_active: bool,
        now: DateTime<Utc>,
    ) {
        if self.view.url != url {
            // A new URL need not wait for the next attempt of the old one.
            self.next_attempt = now;
        }
        self.view.url = url;
        self.view.event_categories = categories;
        self.view.status = if is_active {
            SubscriptionStatus::Active
        } else {
            SubscriptionStatus::Inactive
        };
    }

    pub(in crate::domain) fn take(&mut self, event: &Arc<Event>) {
        let categories = &self.view.event_categories;
        let wanted = categories.iter().any(|wanted| {
            wanted == "ALL" || wanted == event.kind.category || wanted == event.kind.event_type
        });
        if wanted && self.view.status == SubscriptionStatus::Active {
            self.waiting.push_back(Arc::clone(event));
        }
    }

    /// When the next delivery may be attempted. `None` if there is nothing to deliver, or one is in progress. An event
    /// waits `reordering_delay` for later ones.
    pub(crate) fn next_attempt(&self, reordering_delay: TimeDelta) -> Option<DateTime<Utc>> {
        if self.view.status != SubscriptionStatus::Active || self.in_flight {
            return None;
        }
        if !self.batch.is_empty() {
            return Some(self.next_attempt);
        }
        let first = self.waiting.front()?;
        Some(self.next_attempt.max(first.created_at + reordering_delay))
    }

    /// The events of the next delivery in the order of their creation (PROTOCOL 2.1), and the number of the attempt. If
    /// deliveries are `reversed`, the newer half of the events comes first.
    pub(crate) fn begin(&mut self, reversed: bool) -> (Vec<Arc<Event>>, u32) {
        if self.batch.is_empty() {
            let parts = if reversed { 2 } else { 1 };
            let count = self.waiting.len().div_ceil(parts).min(MAX_BATCH);
            let first = if reversed {
                self.waiting.len() - count
            } else {
                0
            };
            self.batch = self.waiting.drain(first..first + count).collect();
            // An event that is sent again is older than those before it.
            self.batch.sort_by_key(|event| event.created_at);
        }
        self.in_flight = true;
        (self.batch.clone(), self.failures + 1)
    }

    /// Plans what follows an attempt. After [`PATIENT_FAILURES`] it is not before `end_of_jump` of the clock.
    pub(crate) fn end(&mut self, taken: bool, now: DateTime<Utc>, end_of_jump: DateTime<Utc>) {
        self.in_flight = false;
        if taken {
            self.batch.clear();
            self.failures = 0;
            self.next_attempt = now;
            return;
        }
        self.failures += 1;
        self.next_attempt = now + pause(self.failures);
        if self.failures >= PATIENT_FAILURES {
            self.next_attempt = self.next_attempt.max(end_of_jump);
        }
    }
}

/// The pause after the nth failure in a row: 1, 2, 3, 5, 8 ... up to 600 seconds (PROTOCOL 2.1).
pub(crate) fn pause(failures: u32) -> TimeDelta {
    let mut pause = 1;
    let mut next = 2;
    for _ in 1..failures {
        (pause, next) = (next, pause + next);
        if pause >= 600 {
            break;
        }
    }
    TimeDelta::seconds(pause.min(600))
}

impl State {
    /// Adds an event of the log to the queue of a subscription again.
    pub(crate) fn resend_event(&mut self, id: Uuid, webhook: Uuid) -> Result<(), Rejected> {
        let events = &mut self.timeline.events;
        let event = events.recent.iter().find(|event| event.id == id).cloned();
        let event = event.ok_or_else(|| Rejected::unknown("event_id"))?;
        let subscription = events
            .subscriptions
            .get_mut(webhook)
            .ok_or_else(|| Rejected::unknown("webhook_id"))?;
        subscription.waiting.push_back(event);
        Ok(())
    }

    /// Checks a new subscription, or a change of one.
    pub(crate) fn check_subscription(&self, wanted: &Wanted) -> Result<(), Rejected> {
        if let Some(url) = &wanted.url {
            check_url(url, &self.webhook_hosts)?;
        }
        let categories = wanted.event_categories.as_deref();
        categories.map_or(Ok(()), |it| self.check_categories(it))
    }

    /// Checks the categories. In requests the description has them as plain texts, and lists the values only in
    /// answers.
    fn check_categories(&self, categories: &[String]) -> Result<(), Rejected> {
        let known = |category: &String| self.categories.iter().any(|known| known == category);
        if categories.is_empty() {
            return Err(Rejected::invalid(
                "event_categories",
                "is empty; use `ALL` for all categories",
            ));
        }
        match categories.iter().position(|category| !known(category)) {
            Some(at) => Err(Rejected::invalid(
                &format!("event_categories.{at}"),
                "is not a category of events",
            )),
            None => Ok(()),
        }
    }
}

/// Checks a URL: `https` with a DNS name, as in the description, or `http` and addresses for endpoints on this machine.
fn check_url(url: &str, near: &Hosts) -> Result<(), Rejected> {
    let wrong = |problem: &str| Err(Rejected::invalid("url", problem));
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return wrong("is not a URL");
    };
    if url.chars().count() > MAX_URL {
        return wrong("is longer than 1000 characters");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return wrong("must not hold a user or a password");
    }
    match (parsed.scheme(), near.contain(&parsed)) {
        ("http" | "https", true) => Ok(()),
        ("https", false) if parsed.domain().is_some() => Ok(()),
        ("https", false) => wrong("must have a DNS name as its host, not an IP address"),
        _ => {
            wrong("must be https; http is for endpoints on this machine, and on `--webhook-hosts`")
        }
    }
}
