//! Dead letters: events that could not be handled, stored elsewhere so that they do not block later ones.

use std::fmt;

use futures_util::future::BoxFuture;

use super::event::{Event, UndecodableEvent};
use super::handler::HandlerError;

/// An event that could not be handled.
#[non_exhaustive]
pub enum DeadLetter {
    /// Its handler failed in every allowed attempt.
    Unhandled {
        /// The event.
        event: Event,
        /// The number of attempts.
        attempts: u32,
        /// The error of the last attempt.
        error: HandlerError,
    },
    /// It could not be decoded. It contains the event's text.
    Undecodable(UndecodableEvent),
}

/// Stores events that could not be handled, for example in a table or a queue that an operator checks.
///
/// An event is acknowledged once it is stored. If storing fails, Upvest sends the delivery again. When the cause is fixed,
/// [`WebhookHandler::replay`](super::WebhookHandler::replay) handles the event.
pub trait DeadLetterSink: Send + Sync {
    /// Stores the event. The same event can arrive again if the acknowledgement was lost.
    fn store(&self, event: DeadLetter) -> BoxFuture<'_, Result<(), HandlerError>>;
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unhandled {
                event, attempts, ..
            } => f
                .debug_struct("Unhandled")
                .field("event", event)
                .field("attempts", attempts)
                .finish_non_exhaustive(),
            Self::Undecodable(event) => f.debug_tuple("Undecodable").field(event).finish(),
        }
    }
}
