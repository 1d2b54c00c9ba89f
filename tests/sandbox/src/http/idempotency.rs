//! Idempotency keys. For 24 hours, a repeated request gets the first response again and has no effect.
//!
//! No source says what happens if a key is used with another body. Here it is a conflict, so that no request is carried
//! out twice or gets the response to another one (PROTOCOL 4).

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::digest::short_digest;
use crate::domain::state::State;
use crate::http::call::Response;
use crate::http::problem::Problem;

const WINDOW: TimeDelta = TimeDelta::hours(24);

/// The responses of the last 24 hours by key.
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

/// The first response to a request. For an order only its id is kept, and the response is made from the order again,
/// which saves memory.
#[derive(Serialize, Deserialize)]
enum First {
    Order(Uuid),
    Response(Box<FirstResponse>),
}

#[derive(Serialize, Deserialize)]
struct FirstResponse {
    status: u16,
    media_type: Box<str>,
    headers: Vec<(String, String)>,
    body: Box<str>,
}

/// Identifies a request.
pub(crate) type Fingerprint = [u8; 16];

/// A digest of the request's target and body. The order of the fields and the spaces of a JSON body do not matter.
pub(crate) fn fingerprint(method: &str, target: &str, body: &[u8]) -> Fingerprint {
    let sorted = serde_json::from_slice::<Value>(body).map(|mut json| {
        json.sort_all_objects();
        json.to_string().into_bytes()
    });
    let body = sorted.as_deref().unwrap_or(body);
    short_digest(&[method.as_bytes(), b" ", target.as_bytes(), b"\n", body])
}

impl Idempotency {
    /// The first response for `key`, if there is one.
    pub(crate) fn recall(
        &mut self,
        key: Uuid,
        request: Fingerprint,
        state: &State,
    ) -> Result<Option<Response>, Problem> {
        while self
            .expiries
            .front()
            .is_some_and(|(until, _)| *until <= state.timeline.now)
        {
            let old = self.expiries.pop_front();
            old.and_then(|(_, key)| self.answers.remove(&key));
        }
        match self.answers.get(&key) {
            None => Ok(None),
            Some(remembered) if remembered.request != request => Err(Problem::conflict(
                "The idempotency key has been used for another request.",
            )),
            Some(Remembered {
                first: First::Order(id),
                ..
            }) => Ok(state
                .orders
                .get(*id)
                .map(|order| Response::created(&order.view.as_created()))),
            Some(Remembered {
                first: First::Response(response),
                ..
            }) => Ok(Some(Response {
                status: response.status,
                media_type: response.media_type.to_string(),
                headers: response.headers.clone(),
                ..Response::json_text(&response.body)
            })),
        }
    }

    pub(crate) fn remember(
        &mut self,
        key: Uuid,
        request: Fingerprint,
        response: &Response,
        now: DateTime<Utc>,
    ) {
        let first = match response.order {
            Some(order) => First::Order(order),
            None => First::Response(Box::new(FirstResponse {
                status: response.status,
                media_type: response.media_type.as_str().into(),
                headers: response.headers.clone(),
                body: String::from_utf8_lossy(&response.body).into(),
            })),
        };
        self.answers.insert(key, Remembered { request, first });
        self.expiries.push_back((now + WINDOW, key));
    }
}
