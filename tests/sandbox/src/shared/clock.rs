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
    /// The time at which the latest `advance` ends.
    end_of_jump: DateTime<Utc>,
}

impl Clock {
    /// `speed` 0 stands still.
    pub(crate) fn new(start: DateTime<Utc>, speed: f64) -> Self {
        Self {
            speed,
            hands: Mutex::new(Hands::at(start.min(END))),
        }
    }

    pub(crate) fn stands_still(&self) -> bool {
        self.speed == 0.0
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.shown(&self.hands())
    }

    /// Sets the clock to `time`, unless it is already later.
    pub(crate) fn turn_to(&self, time: DateTime<Utc>) {
        let mut hands = self.hands();
        hands.base = self.shown(&hands).max(time);
        hands.since = Instant::now();
    }

    /// Sets the clock to `time`, which may be earlier.
    pub(crate) fn turn_back(&self, time: DateTime<Utc>) {
        *self.hands() = Hands::at(time);
    }

    /// The time of the clock after this duration, at most its maximum.
    pub(crate) fn after(&self, by: TimeDelta) -> DateTime<Utc> {
        self.now()
            .checked_add_signed(by)
            .map_or(END, |time| time.min(END))
    }

    /// Begins a jump by this duration, and returns where it ends.
    pub(crate) fn begin_jump(&self, by: TimeDelta) -> DateTime<Utc> {
        let end = self.after(by);
        self.hands().end_of_jump = end;
        end
    }

    /// Where the latest jump ends. It is in the past if the jump is over.
    pub(crate) fn end_of_jump(&self) -> DateTime<Utc> {
        self.hands().end_of_jump
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
        if self.stands_still() {
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

impl Hands {
    fn at(base: DateTime<Utc>) -> Self {
        Self {
            base,
            since: Instant::now(),
            end_of_jump: base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_turned_forwards_and_never_past_its_end() {
        let start = DateTime::UNIX_EPOCH;
        let hour = TimeDelta::hours(1);
        let clock = Clock::new(start, 0.0);
        clock.turn_to(start + hour);
        assert_eq!(clock.now(), start + hour);
        clock.turn_to(start);
        assert_eq!(clock.now(), start + hour);
        assert_eq!(clock.after(A_CENTURY), start + hour + A_CENTURY);
        // A year after the end can be represented, but not written.
        let too_long = END - start + TimeDelta::days(365);
        assert_eq!(clock.after(too_long), END);
        assert_eq!(clock.after(TimeDelta::MAX), END);
    }
}
