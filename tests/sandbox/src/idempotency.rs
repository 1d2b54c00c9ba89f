//! Idempotency keys: for 24 hours a repetition gets the first answer again, and does nothing.
//!
//! What a key does with another body, no source says. Here it is a conflict, which neither does the work twice nor answers
//! something that was not asked (PROTOCOL 4).

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::http::call::Answer;
use crate::http::problem::Problem;
use crate::life::world::World;

const WINDOW: TimeDelta = TimeDelta::hours(24);

/// The answers of the last 24 hours that stand under a key.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Idempotency {
    answers: HashMap<Uuid, Remembered>,
    expiries: VecDeque<(DateTime<Utc>, Uuid)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    request: u128,
    first: First,
}

/// The first answer. That of an order is made again from the order: a million of them fit into memory then.
#[derive(Debug, Serialize, Deserialize)]
enum First {
    Order(Uuid),
    Answer(u16, Box<str>),
}

/// What makes a request the same: its target and its body.
pub(crate) fn fingerprint(method: &str, target: &str, body: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), b" ", target.as_bytes(), b"\n", body] {
        hash.update(part);
    }
    let mut start = [0; 16];
    start.iter_mut().zip(hash.finalize().iter()).for_each(|(byte, digest)| *byte = *digest);
    u128::from_le_bytes(start)
}

impl Idempotency {
    /// The first answer under `key`, where there is one.
    pub(crate) fn recall(
        &mut self,
        key: Uuid,
        request: u128,
        world: &World,
    ) -> Result<Option<Answer>, Problem> {
        while let Some((_, old)) = self.expiries.pop_front_if(|(until, _)| *until <= world.time.now) {
            self.answers.remove(&old);
        }
        match self.answers.get(&key) {
            None => Ok(None),
            Some(remembered) if remembered.request != request => {
                Err(Problem::conflict("The idempotency key has been used for another request."))
            }
            Some(Remembered { first: First::Order(id), .. }) => {
                Ok(world.orders.get(*id).map(|order| Answer::created(&order.view.as_created())))
            }
            Some(Remembered { first: First::Answer(status, body), .. }) => {
                Ok(Some(Answer { status: *status, ..Answer::json_text(body) }))
            }
        }
    }

    pub(crate) fn remember(&mut self, key: Uuid, request: u128, answer: &Answer, now: DateTime<Utc>) {
        let first = match answer.order {
            Some(order) => First::Order(order),
            None => First::Answer(answer.status, String::from_utf8_lossy(&answer.body).into()),
        };
        self.answers.insert(key, Remembered { request, first });
        self.expiries.push_back((now + WINDOW, key));
    }
}
