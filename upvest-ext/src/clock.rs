//! Time, sleep and randomness, passed in so that tests control them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;
use http::HeaderMap;
use http::header::DATE;
use uuid::Uuid;

/// Provides the time, and waits.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The monotonic time, for deadlines and token lifetimes.
    fn now(&self) -> Instant;

    /// The wall-clock time, for signatures and for dates that a server sends.
    fn wall(&self) -> SystemTime;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Provides random bits, for jitter and idempotency keys.
pub trait Random: fmt::Debug + Send + Sync {
    /// 64 random bits.
    fn bits(&self) -> u64;

    /// 128 random bits.
    fn wide_bits(&self) -> u128 {
        (u128::from(self.bits()) << 64) | u128::from(self.bits())
    }
}

/// The clock of the tokio runtime, which a test can pause.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioClock;

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The operating system's random numbers. A generator with its state in the process would repeat itself after
/// `fork`, or when a virtual machine is started twice from one snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn bits(&self) -> u64 {
        getrandom::u64().expect("an operating system has random numbers")
    }

    /// With one system call instead of two.
    fn wide_bits(&self) -> u128 {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("an operating system has random numbers");
        u128::from_ne_bytes(bits)
    }
}

/// A UUID of version 4. `Uuid::new_v4` is not used, because its source depends on features that any other crate can enable.
pub(crate) fn random_uuid(random: &dyn Random) -> Uuid {
    uuid::Builder::from_random_bytes(random.wide_bits().to_be_bytes()).into_uuid()
}

/// The clock and the random numbers of a client.
#[derive(Clone, Debug)]
pub(crate) struct ClockAndRng {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Default for ClockAndRng {
    fn default() -> Self {
        Self {
            clock: Arc::new(TokioClock),
            random: Arc::new(OsRandom),
        }
    }
}

impl ClockAndRng {
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The result of `work`, or `None` if it takes longer than `limit`.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            result = work => Some(result),
            () = self.clock.sleep(limit) => None,
        }
    }

    /// A random fraction in `[0, 1)` with 53 bits, the precision of an `f64`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub(crate) fn fraction(&self) -> f64 {
        (self.random.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The `date` of an answer.
pub(crate) fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

/// By how many seconds the server's clock, according to the `date` of its answer, is ahead of `wall`.
pub(crate) fn offset(headers: &HeaderMap, wall: SystemTime) -> Option<i64> {
    let theirs = server_time(headers)?;
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).ok();
    match theirs.duration_since(wall) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => seconds(behind.duration()).map(|seconds| -seconds),
    }
}
