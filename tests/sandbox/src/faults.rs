//! Faults on demand, for an operation or at random.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault of a call.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset before the call is carried out.
    ResetBeforeCommit,
    /// The connection is reset after the call was carried out, so that its outcome is unknown to the caller.
    ResetAfterCommit,
    /// The answer is delayed, in real time.
    Delay {
        /// Milliseconds.
        millis: u64,
    },
    /// The answer is 429. The call is not carried out.
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
    /// The call is carried out. The connection breaks in the middle of the answer.
    TruncatedBody,
    /// The call is carried out. The answer has the media type `text/plain`.
    WrongContentType,
    /// The call is carried out. The answer is invalid JSON.
    InvalidJson,
    /// The call is carried out. The answer arrives slowly in several pieces, in real time.
    SlowDrip {
        /// The milliseconds between two pieces of the answer.
        millis: u64,
    },
}

impl Fault {
    /// The default set of random faults: those that a client must handle without carrying out anything
    /// twice.
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
            _ => Ok(()),
        }
    }
}

const MAX_WAIT: Duration = Duration::from_secs(600);

/// A rule that applies a fault to calls of one operation, or of all.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The `operationId`, such as `createOrder`. If it is missing, the rule applies to all operations.
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
    pub(crate) rules: Vec<FaultRule>,
    random: Option<RandomFaults>,
    seed: u64,
    /// By how many seconds the server's clock is ahead of the machine's.
    pub(crate) clock_shift: i64,
    pub(crate) deliveries: DeliveryFaults,
}

/// The irregularities of deliveries to webhooks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeliveryFaults {
    pub(crate) repeated: bool,
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
        }
    }

    /// Makes a random fraction `rate` of all calls fail from now on.
    pub(crate) fn at_random(&mut self, rate: f64, faults: Vec<Fault>) {
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

    /// The fault of the next call. Rules take precedence over random faults.
    pub(crate) fn draw(&mut self, operation: &str) -> Option<Fault> {
        // Each call uses one random number, even if a rule applies.
        let drawn = self.random.as_mut().and_then(RandomFaults::draw);
        let hits = |rule: &FaultRule| rule.operation.as_deref().is_none_or(|hit| hit == operation);
        if let Some(at) = self.rules.iter().position(hits) {
            let rule = &mut self.rules[at];
            let fault = rule.fault.clone();
            if let Some(times) = &mut rule.times {
                *times = times.saturating_sub(1);
                if *times == 0 {
                    self.rules.remove(at);
                }
            }
            return Some(fault);
        }
        drawn
    }
}

impl RandomFaults {
    fn draw(&mut self) -> Option<Fault> {
        let hit = self.draws.random::<f64>();
        let which = self.draws.random_range(0..self.faults.len());
        (hit < self.rate).then(|| self.faults[which].clone())
    }
}
