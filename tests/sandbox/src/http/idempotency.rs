//! Idempotency keys: for 24 hours a repetition gets the first answer again, and does nothing.
//!
//! What a key does with another body, no source says. Here it is a conflict, which neither does the work twice nor answers
//! something that was not asked (PROTOCOL 4).

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::short_digest;
use crate::domain::state::State;
use crate::http::call::Answer;
use crate::http::problem::Problem;

const WINDOW: TimeDelta = TimeDelta::hours(24);

/// The answers of the last 24 hours that stand under a key.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Idempotency {
    answers: HashMap<Uuid, Remembered>,
    expiries: VecDeque<(DateTime<Utc>, Uuid)>,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    request: Fingerprint,
    first: First,
}

/// The first answer. That of an order is made again from the order: a million of them fit into memory then.
#[derive(Serialize, Deserialize)]
enum First {
    Order(Uuid),
    Answer(Box<(u16, Box<str>)>),
}

/// What makes a request the same.
pub(crate) type Fingerprint = [u8; 16];

/// From a request's target and body.
pub(crate) fn fingerprint(method: &str, target: &str, body: &[u8]) -> Fingerprint {
    short_digest(&[method.as_bytes(), b" ", target.as_bytes(), b"\n", body])
}

impl Idempotency {
    /// The first answer under `key`, where there is one.
    pub(crate) fn recall(
        &mut self,
        key: Uuid,
        request: Fingerprint,
        state: &State,
    ) -> Result<Option<Answer>, Problem> {
        while self.expiries.front().is_some_and(|(until, _)| *until <= state.time.now) {
            let old = self.expiries.pop_front();
            old.and_then(|(_, key)| self.answers.remove(&key));
        }
        match self.answers.get(&key) {
            None => Ok(None),
            Some(remembered) if remembered.request != request => {
                Err(Problem::conflict("The idempotency key has been used for another request."))
            }
            Some(Remembered { first: First::Order(id), .. }) => {
                Ok(state.orders.get(*id).map(|order| Answer::created(&order.view.as_created())))
            }
            Some(Remembered { first: First::Answer(answer), .. }) => {
                let (status, body) = &**answer;
                Ok(Some(Answer { status: *status, ..Answer::json_text(body) }))
            }
        }
    }

    pub(crate) fn remember(&mut self, key: Uuid, request: Fingerprint, answer: &Answer, now: DateTime<Utc>) {
        let first = match answer.order {
            Some(order) => First::Order(order),
            None => First::Answer(Box::new((answer.status, String::from_utf8_lossy(&answer.body).into()))),
        };
        self.answers.insert(key, Remembered { request, first });
        self.expiries.push_back((now + WINDOW, key));
    }
}
