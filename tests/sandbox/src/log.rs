//! The logs of requests and deliveries, for tests and for the status page.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A request to the sandbox. Bodies, tokens and queries are not logged.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// The number of the request, starting at 1.
    pub number: u64,
    /// The time of its arrival on the sandbox's clock.
    #[serde(serialize_with = "crate::instant::write")]
    pub at: DateTime<Utc>,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The `operationId`. `None` if the API does not have the path.
    pub operation: Option<String>,
    /// The status of the response. `None` if there was no response because of a fault.
    pub status: Option<u16>,
    /// The header `upvest-request-id` of the response.
    pub request_id: Uuid,
    /// The header `idempotency-key` of the request.
    pub idempotency_key: Option<String>,
    /// Whether the response was repeated because of the idempotency key.
    pub replayed: bool,
    /// The fault that was applied.
    pub fault: Option<&'static str>,
    /// Why it was rejected.
    pub problem: Option<String>,
}

/// An attempt to deliver a batch of events.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// The time of the attempt on the sandbox's clock.
    #[serde(serialize_with = "crate::instant::write")]
    pub at: DateTime<Utc>,
    /// The subscription.
    pub webhook_id: Uuid,
    /// The number of the attempt, starting at 1.
    pub attempt: u32,
    /// The events of the batch, in the order of their creation.
    pub events: Vec<Uuid>,
    /// The types of these events.
    pub event_types: Vec<&'static str>,
    /// The status of the endpoint's answer, or why there is none.
    pub outcome: Result<u16, String>,
}

impl DeliveryRecord {
    /// Whether the endpoint accepted the batch by a status from 200 to 299.
    pub fn is_taken(&self) -> bool {
        self.outcome
            .as_ref()
            .is_ok_and(|status| (200..300).contains(status))
    }
}

/// A bounded log that drops its oldest entries.
#[derive(Debug)]
pub(crate) struct Log<T> {
    records: VecDeque<T>,
    limit: usize,
    count: u64,
}

impl<T: Clone> Log<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            records: VecDeque::new(),
            limit,
            count: 0,
        }
    }

    /// The number of the next record.
    pub(crate) fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(crate) fn push(&mut self, record: T) {
        if self.records.len() >= self.limit {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    pub(crate) fn records(&self) -> Vec<T> {
        self.records.iter().cloned().collect()
    }

    /// The latest entries, newest first.
    pub(crate) fn last(&self, count: usize) -> impl Iterator<Item = &T> {
        self.records.iter().rev().take(count)
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}
