//! The types of events.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// The type of an event, as a text. `ORDER.FILLED`, for example, is the action `FILLED` of the category `ORDER`.
///
/// Upvest adds types in minor releases, so every text is accepted. The enum `events::EventKind` of a generated crate
/// has the types that its description names, and can be compared with this type.
///
/// ```
/// use upvest_runtime::EventType;
///
/// let event_type = EventType::new("ORDER.FILLED");
/// assert_eq!(event_type.category(), "ORDER");
/// assert_eq!(event_type.action(), "FILLED");
/// assert_eq!(event_type, "ORDER.FILLED");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Box<str>);

impl EventType {
    /// The type with this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The category, such as `ORDER`: the part before the dot. Subscriptions are for categories.
    pub fn category(&self) -> &str {
        match self.0.split_once('.') {
            Some((category, _)) => category,
            None => &self.0,
        }
    }

    /// The action, such as `FILLED`: the part after the dot. Empty if there is no dot.
    pub fn action(&self) -> &str {
        match self.0.split_once('.') {
            Some((_, action)) => action,
            None => "",
        }
    }
}

impl FromStr for EventType {
    type Err = Infallible;

    /// Never fails, as every text is accepted.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl PartialEq<str> for EventType {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == text
    }
}

impl PartialEq<&str> for EventType {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

crate::as_text!(EventType);

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(Self)
    }
}
