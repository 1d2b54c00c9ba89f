//! Faults on demand: by operation, or at random from a seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset, and nothing was done.
    ResetBeforeCommit,
    /// The connection is reset when all was done, so that the caller cannot know.
    ResetAfterCommit,
    /// The answer comes late, by real time.
    Delay {
        /// Milliseconds.
        millis: u64,
    },
    /// 429, and nothing was done.
    TooManyRequests {
        /// Seconds in the header `retry-after`; without, there is no such header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// A server error, and nothing was done unless `after_commit` says so.
    ServerError {
        /// 500, 502, 503 or 504.
        status: u16,
        /// A page of a gateway in HTML instead of a problem document.
        #[serde(default)]
        html: bool,
        /// All was done, and the answer says that it failed.
        #[serde(default)]
        after_commit: bool,
    },
    /// All was done; the answer breaks off in the middle.
    TruncatedBody,
    /// All was done; the answer says that it is `text/plain`.
    WrongContentType,
    /// All was done; the answer is not valid JSON.
    InvalidJson,
    /// All was done; the answer drips, by real time.
    SlowDrip {
        /// Milliseconds between two pieces of the answer.
        millis: u64,
    },
}

impl Fault {
    /// Those that a client has to survive without doing anything twice: what random faults are drawn from unless others are
    /// given.
    pub fn common() -> Vec<Self> {
        vec![
            Self::ResetBeforeCommit,
            Self::ResetAfterCommit,
            Self::TooManyRequests { retry_after: None },
            Self::ServerError { status: 503, html: false, after_commit: false },
            Self::ServerError { status: 504, html: true, after_commit: true },
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
                Err(format!("a fault can last {} ms at most", MAX_WAIT.as_millis()))
            }
            _ => Ok(()),
        }
    }
}

const MAX_WAIT: Duration = Duration::from_secs(600);

/// A fault that hits calls of one operation, or of all.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The `operationId`, such as `createOrder`. Without, every operation is hit.
    #[serde(default)]
    pub operation: Option<String>,
    /// How many calls it hits. Unless given, it hits every call until the faults are cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// What goes wrong.
    pub fault: Fault,
}

/// Which calls go wrong. The nth call gets the nth draw, so that one seed makes one run.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    pub(crate) rules: Vec<FaultRule>,
    random: Option<RandomFaults>,
    seed: u64,
    /// By how many seconds the server's clock is ahead of the machine's.
    pub(crate) clock_shift: i64,
    pub(crate) deliveries: DeliveryFaults,
}

/// What is wrong with deliveries to webhooks.
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
        Self { rules: Vec::new(), random: None, seed, clock_shift: 0, deliveries: DeliveryFaults::default() }
    }

    /// From now on a part `rate` of all calls goes wrong.
    pub(crate) fn at_random(&mut self, rate: f64, faults: Vec<Fault>) {
        let draws = StdRng::seed_from_u64(self.seed);
        self.random = (rate > 0.0 && !faults.is_empty()).then_some(RandomFaults { rate, faults, draws });
    }

    pub(crate) fn random_rate(&self) -> f64 {
        self.random.as_ref().map_or(0.0, |random| random.rate)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.seed);
    }

    /// What goes wrong with the next call. Rules come before chance.
    pub(crate) fn draw(&mut self, operation: &str) -> Option<Fault> {
        // Each call takes its draw, also where a rule hits it.
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
        let (hit, which) = (self.draws.random::<f64>(), self.draws.random_range(0..self.faults.len()));
        (hit < self.rate).then(|| self.faults[which].clone())
    }
}
