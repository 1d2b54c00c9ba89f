//! The opening hours of the venue. Without hours, orders are executed at any time.

use chrono::{DateTime, Datelike as _, Days, NaiveTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::domain::state::{Rejected, State};
use crate::domain::timeline::Due;

/// Opening hours from Monday to Friday, in UTC.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::domain) struct VenueHours {
    opens: NaiveTime,
    closes: NaiveTime,
    next_opening: DateTime<Utc>,
}

impl VenueHours {
    fn are_open(&self, now: DateTime<Utc>) -> bool {
        is_weekday(now) && (self.opens..self.closes).contains(&now.time())
    }
}

fn is_weekday(day: DateTime<Utc>) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The next opening after `now`.
fn opening(opens: NaiveTime, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let days = (0..=7).filter_map(|days| now.date_naive().checked_add_days(Days::new(days)));
    days.map(|day| day.and_time(opens).and_utc())
        .find(|it| *it > now && is_weekday(*it))
}

impl State {
    /// Sets the hours. With `None` for both, the venue is always open.
    pub(crate) fn set_venue_hours(
        &mut self,
        opens: Option<NaiveTime>,
        closes: Option<NaiveTime>,
    ) -> Result<(), Rejected> {
        self.venue_hours = match (opens, closes) {
            (None, None) => None,
            (Some(opens), Some(closes)) if opens < closes => {
                opening(opens, self.timeline.now).map(|next_opening| {
                    self.timeline.at(next_opening, Due::OpenVenue);
                    VenueHours {
                        opens,
                        closes,
                        next_opening,
                    }
                })
            }
            _ => {
                return Err(Rejected::invalid(
                    "opens",
                    "and a later `closes` must be given, or neither",
                ));
            }
        };
        self.wake_all_orders();
        Ok(())
    }

    pub(in crate::domain) fn venue_is_open(&self) -> bool {
        self.venue_hours
            .is_none_or(|hours| hours.are_open(self.timeline.now))
    }

    /// Opens the venue. Does nothing if the hours were changed in the meantime.
    pub(in crate::domain) fn open_venue(&mut self) {
        let now = self.timeline.now;
        let Some(hours) = self
            .venue_hours
            .as_mut()
            .filter(|hours| hours.next_opening == now)
        else {
            return;
        };
        if let Some(next) = opening(hours.opens, now) {
            hours.next_opening = next;
            self.timeline.at(next, Due::OpenVenue);
        }
        self.wake_all_orders();
    }

    fn wake_all_orders(&mut self) {
        let instruments: Vec<_> = self
            .instruments
            .rows()
            .iter()
            .map(|it| it.view.id)
            .collect();
        for instrument in instruments {
            self.wake_orders(instrument);
        }
    }
}
