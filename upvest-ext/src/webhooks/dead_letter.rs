//! Dead letters: events that could not be handled, kept aside so that they do not block later ones.

use std::fmt;

use futures_util::future::BoxFuture;

use super::event::{Event, UndecodableEvent};
use super::handler::HandlerError;

/// An event that was given up on.
#[non_exhaustive]
pub enum DeadLetter {
    /// Its handler failed as often as the policy allows.
    Unhandled {
        /// The event.
        event: Event,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        error: HandlerError,
    },
    /// It cannot be read. Its text is kept.
    Undecodable(UndecodableEvent),
}

/// Keeps events that were given up on, for example in a table or a queue that somebody checks.
///
/// An event is acknowledged once it is kept. If that fails, Upvest sends the delivery again. When the cause is mended,
/// [`WebhookHandler::replay`](super::WebhookHandler::replay) handles the event.
pub trait DeadLetterSink: Send + Sync {
    /// Keeps the event. It may come again where the acknowledgement got lost.
    fn park(&self, event: DeadLetter) -> BoxFuture<'_, Result<(), HandlerError>>;
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unhandled { event, attempts, .. } => f
                .debug_struct("Unhandled")
                .field("event", event)
                .field("attempts", attempts)
                .finish_non_exhaustive(),
            Self::Undecodable(event) => f.debug_tuple("Undecodable").field(event).finish(),
        }
    }
}
