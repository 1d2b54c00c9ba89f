//! Faults on demand, for an operation or at random.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::earlier_states::EarlierStates;

/// A fault of a call.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset before the call is carried out.
    ResetBeforeCommit,
    /// The connection is reset after the call was carried out, so that its outcome is unknown to the caller.
    ResetAfterCommit,
    /// The response is delayed, in real time.
    Delay {
        /// Milliseconds.
        millis: u64,
    },
    /// The response is 429. The call is not carried out.
    TooManyRequests {
        /// The seconds in the header `retry-after`. If it is missing, there is no such header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// A server error. The call is not carried out, unless `after_commit` is set.
    ServerError {
        /// 500, 502, 503 or 504.
        status: u16,
        /// Whether the body is an HTML page, as from a gateway, instead of a problem document.
        #[serde(default)]
        html: bool,
        /// Whether the call is carried out before it fails.
        #[serde(default)]
        after_commit: bool,
    },
    /// The call is carried out. The connection breaks in the middle of the response.
    TruncatedBody,
    /// The call is carried out. The response has the media type `text/plain`.
    WrongContentType,
    /// The call is carried out. The response is invalid JSON.
    InvalidJson,
    /// The call is carried out. The response arrives slowly in several pieces, in real time.
    SlowDrip {
        /// The milliseconds between two pieces of the response.
        millis: u64,
    },
    /// A read returns the data of an earlier time, but not of a time before the fault was added. Other calls are not
    /// affected.
    StaleRead {
        /// The age of the returned data in seconds, on the sandbox's clock: from 1 to 600.
        seconds: u32,
    },
}

impl Fault {
    /// The default set of random faults. A client must handle each of them without executing a call twice.
    pub fn common() -> Vec<Self> {
        vec![
            Self::ResetBeforeCommit,
            Self::ResetAfterCommit,
            Self::TooManyRequests { retry_after: None },
            Self::ServerError {
                status: 503,
                html: false,
                after_commit: false,
            },
            Self::ServerError {
                status: 504,
                html: true,
                after_commit: true,
            },
        ]
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::ResetBeforeCommit => "reset_before_commit",
            Self::ResetAfterCommit => "reset_after_commit",
            Self::Delay { .. } => "delay",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::ServerError { .. } => "server_error",
            Self::TruncatedBody => "truncated_body",
            Self::WrongContentType => "wrong_content_type",
            Self::InvalidJson => "invalid_json",
            Self::SlowDrip { .. } => "slow_drip",
            Self::StaleRead { .. } => "stale_read",
        }
    }

    /// The age of the data that a stale read returns.
    fn staleness(&self) -> Option<TimeDelta> {
        match self {
            Self::StaleRead { seconds } => Some(TimeDelta::seconds((*seconds).into())),
            _ => None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::ServerError { status, .. } if !matches!(status, 500 | 502..=504) => {
                Err("the status of a server error is 500, 502, 503 or 504".to_owned())
            }
            Self::Delay { millis } | Self::SlowDrip { millis }
                if Duration::from_millis(*millis) > MAX_WAIT =>
            {
                Err(format!(
                    "a fault can last {} ms at most",
                    MAX_WAIT.as_millis()
                ))
            }
            Self::StaleRead { seconds } if !(1..=MAX_STALENESS).contains(seconds) => Err(format!(
                "a read can be stale by 1 to {MAX_STALENESS} seconds"
            )),
            _ => Ok(()),
        }
    }
}

const MAX_WAIT: Duration = Duration::from_secs(600);
/// In seconds.
const MAX_STALENESS: u32 = 600;

/// A rule that applies a fault to calls of one operation, or of all.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The `operationId`, such as `createOrder`, or the name of its method in the SDK, `create_order`. If it is
    /// missing, the rule applies to all operations.
    #[serde(default)]
    pub operation: Option<String>,
    /// The number of calls. If it is missing, the rule applies until the faults are cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// The fault.
    pub fault: Fault,
}

/// The faults of a client. The nth call gets the nth random number, so that a run depends only on the seed.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    rules: Vec<FaultRule>,
    random: Option<RandomFaults>,
    seed: u64,
    /// By how many seconds the server's clock is ahead of the machine's.
    pub(crate) clock_shift: i64,
    pub(crate) deliveries: DeliveryFaults,
    /// For reads that are stale.
    earlier_states: EarlierStates,
}

/// The fault of one call.
#[derive(Debug)]
pub(crate) struct DrawnFault {
    pub(crate) fault: Fault,
    /// The state that a stale read gets, as JSON. `None` if nothing has changed since.
    pub(crate) earlier_state: Option<Arc<[u8]>>,
}

/// The irregularities of deliveries to webhooks.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct DeliveryFaults {
    /// Each accepted delivery is sent again.
    pub(crate) repeated: bool,
    /// Newer events are delivered before older ones.
    pub(crate) reversed: bool,
}

#[derive(Debug)]
struct RandomFaults {
    rate: f64,
    faults: Vec<Fault>,
    draws: StdRng,
}

impl FaultPlan {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            random: None,
            seed,
            clock_shift: 0,
            deliveries: DeliveryFaults::default(),
            earlier_states: EarlierStates::default(),
        }
    }

    pub(crate) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.forget_unused_states();
        self.rules.push(rule);
    }

    /// Makes a random fraction `rate` of all calls fail from now on.
    pub(crate) fn at_random(&mut self, rate: f64, faults: Vec<Fault>) {
        self.forget_unused_states();
        let draws = StdRng::seed_from_u64(self.seed);
        self.random = (rate > 0.0 && !faults.is_empty()).then_some(RandomFaults {
            rate,
            faults,
            draws,
        });
    }

    pub(crate) fn random_rate(&self) -> f64 {
        self.random.as_ref().map_or(0.0, |random| random.rate)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.seed);
    }

    /// Draws the fault of the next call. Rules take precedence over random faults.
    pub(crate) fn draw(
        &mut self,
        operation: &str,
        is_read: bool,
        now: DateTime<Utc>,
    ) -> Option<DrawnFault> {
        // Each call uses one random number, even if a rule applies.
        let drawn = self.random.as_mut().and_then(RandomFaults::draw);
        let applies = |fault: &Fault| is_read || fault.staleness().is_none();
        let hits = |rule: &FaultRule| {
            let is_named = rule.operation.as_deref().is_none_or(|hit| hit == operation);
            is_named && applies(&rule.fault)
        };
        let rule = self.rules.iter().position(hits);
        let fault = match rule {
            // Cloned, as `use_up` below may remove the rule.
            Some(at) => self.rules[at].fault.clone(),
            None => drawn.filter(applies)?,
        };
        let seen_at = fault.staleness().map(|staleness| now - staleness);
        let earlier_state = seen_at.and_then(|time| self.earlier_states.at(time));
        if let Some(at) = rule {
            self.use_up(at);
        }
        Some(DrawnFault {
            fault,
            earlier_state,
        })
    }

    /// Counts one use of a rule.
    fn use_up(&mut self, at: usize) {
        let Some(times) = &mut self.rules[at].times else {
            return;
        };
        *times = times.saturating_sub(1);
        if *times == 0 {
            self.rules.remove(at);
        }
    }

    /// Keeps the state before a change, if a fault makes reads stale.
    pub(crate) fn keep_state(&mut self, now: DateTime<Utc>, state: impl FnOnce() -> Vec<u8>) {
        match self.staleness() {
            Some(staleness) => self.earlier_states.keep(now, staleness, state),
            None => self.earlier_states = EarlierStates::default(),
        }
    }

    /// Drops the stored states if no fault needs them. Changes since the last fault was used up are not in them.
    fn forget_unused_states(&mut self) {
        if self.staleness().is_none() {
            self.earlier_states = EarlierStates::default();
        }
    }

    /// The age of the oldest data that a stale read can return. `None` if no fault makes reads stale.
    fn staleness(&self) -> Option<TimeDelta> {
        let of_rules = self.rules.iter().map(|rule| &rule.fault);
        let at_random = self.random.iter().flat_map(|random| &random.faults);
        of_rules.chain(at_random).filter_map(Fault::staleness).max()
    }
}

impl RandomFaults {
    fn draw(&mut self) -> Option<Fault> {
        let hit = self.draws.random::<f64>();
        let which = self.draws.random_range(0..self.faults.len());
        (hit < self.rate).then(|| self.faults[which].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the faults of twenty calls.
    fn draws(plan: &mut FaultPlan) -> Vec<Option<&'static str>> {
        let mut draw = || plan.draw("listOrders", true, DateTime::UNIX_EPOCH);
        (0..20)
            .map(|_| draw().map(|drawn| drawn.fault.name()))
            .collect()
    }

    #[test]
    fn a_rule_does_not_change_the_random_faults_of_the_other_calls() {
        let mut random = FaultPlan::new(7);
        random.at_random(0.5, Fault::common());
        let expected = draws(&mut random);
        let mut ruled = FaultPlan::new(7);
        ruled.at_random(0.5, Fault::common());
        ruled.add(FaultRule {
            operation: Some("listOrders".to_owned()),
            times: Some(3),
            fault: Fault::InvalidJson,
        });
        let found = draws(&mut ruled);
        assert_eq!(found[..3], [Some("invalid_json"); 3]);
        assert_eq!(found[3..], expected[3..]);
        assert!(expected[3..].contains(&None));
        assert!(expected[3..].iter().any(Option::is_some));
    }
}
