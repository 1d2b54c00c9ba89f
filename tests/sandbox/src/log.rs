//! What came in and what went out, for tests to assert on and for people to look at.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A request that the sandbox has answered, or would have but for a fault. Bodies, tokens and query are not kept.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// 1 for the first request.
    pub number: u64,
    /// When it came, on the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The `operationId`; `None` if the API has no such path.
    pub operation: Option<String>,
    /// The status of the answer; `None` if a fault left the caller without one.
    pub status: Option<u16>,
    /// The header `upvest-request-id` of the answer.
    pub request_id: Uuid,
    /// The header `idempotency-key` of the request.
    pub idempotency_key: Option<String>,
    /// Whether the answer was the first one again, under its idempotency key.
    pub replayed: bool,
    /// The fault that hit it.
    pub fault: Option<&'static str>,
    /// Why it was refused.
    pub problem: Option<String>,
}

/// An attempt to deliver a batch of events.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// When it was made, on the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The subscription.
    pub webhook_id: Uuid,
    /// 1 for the first attempt of a batch.
    pub attempt: u32,
    /// The events of the batch, in the order in which they happened.
    pub events: Vec<Uuid>,
    /// The types of these events.
    pub event_types: Vec<&'static str>,
    /// The status that the endpoint answered with, or why there is no answer.
    pub outcome: Result<u16, String>,
}

impl DeliveryRecord {
    /// Whether the endpoint took the batch: any status from 200 to 299.
    pub fn is_taken(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|status| (200..300).contains(status))
    }
}

/// The last so many of something.
#[derive(Debug)]
pub(crate) struct Log<T> {
    records: VecDeque<T>,
    limit: usize,
    count: u64,
}

impl<T: Clone> Log<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { records: VecDeque::new(), limit, count: 0 }
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

    /// The last few, newest first.
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
