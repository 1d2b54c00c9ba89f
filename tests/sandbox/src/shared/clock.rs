//! The sandbox's clock. It stands still until it is advanced, or runs at a multiple of real time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// The longest duration by which the clock can be advanced.
pub(crate) const A_CENTURY: TimeDelta = TimeDelta::days(36_525);

/// The start of 9999, as later years than that cannot be written in RFC 3339.
const END: DateTime<Utc> =
    DateTime::from_timestamp(253_370_764_800, 0).expect("a number of seconds that a date has");

/// A clock that is only advanced, except when a whole state is restored.
#[derive(Debug)]
pub(crate) struct Clock {
    speed: f64,
    hands: Mutex<Hands>,
}

#[derive(Debug)]
struct Hands {
    /// The time of the clock at `since`.
    base: DateTime<Utc>,
    since: Instant,
}

impl Clock {
    /// `speed` 0 stands still.
    pub(crate) fn new(start: DateTime<Utc>, speed: f64) -> Self {
        Self {
            speed,
            hands: Mutex::new(Hands {
                base: start.min(END),
                since: Instant::now(),
            }),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.shown(&self.hands())
    }

    /// Sets the clock to `time`, unless it is already later.
    pub(crate) fn turn_to(&self, time: DateTime<Utc>) {
        let mut hands = self.hands();
        let now = self.shown(&hands);
        *hands = Hands {
            base: now.max(time),
            since: Instant::now(),
        };
    }

    /// Sets the clock to `time`, which may be earlier.
    pub(crate) fn turn_back(&self, time: DateTime<Utc>) {
        *self.hands() = Hands {
            base: time,
            since: Instant::now(),
        };
    }

    /// The time of the clock after this duration, at most its maximum.
    pub(crate) fn after(&self, by: TimeDelta) -> DateTime<Utc> {
        self.now()
            .checked_add_signed(by)
            .map_or(END, |time| time.min(END))
    }

    /// The real time until the clock reaches `time`. `None` if it stands still.
    pub(crate) fn real_time_until(&self, time: DateTime<Utc>) -> Option<Duration> {
        let left = (time - self.now()).to_std().unwrap_or_default();
        let real = || {
            Duration::try_from_secs_f64(left.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
        };
        (self.speed > 0.0).then(real)
    }

    fn shown(&self, hands: &Hands) -> DateTime<Utc> {
        if self.speed == 0.0 {
            return hands.base;
        }
        let passed = Duration::try_from_secs_f64(hands.since.elapsed().as_secs_f64() * self.speed);
        let micros = passed.map_or(i64::MAX, |it| {
            i64::try_from(it.as_micros()).unwrap_or(i64::MAX)
        });
        hands
            .base
            .checked_add_signed(TimeDelta::microseconds(micros))
            .map_or(END, |time| time.min(END))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
