//! Log messages of the webhook handler. They contain the id and the type of an event and the reason, never its content.
#![cfg_attr(
    not(feature = "tracing"),
    expect(unused_variables, reason = "there is no log")
)]

use std::fmt::Display;

use super::event::Event;
use super::verifier::VerifyError;

pub(super) fn rejected(reason: &VerifyError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(%reason, "webhook delivery rejected");
}

pub(super) fn failed(id: &str, event_type: &str, attempt: u32, reason: &dyn Display) {
    #[cfg(feature = "tracing")]
    tracing::warn!(event.id = id, "event.type" = event_type, attempt, %reason, "webhook event failed, Upvest will deliver it again");
}

pub(super) fn ignored(id: &str, event_type: &str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        event.id = id,
        "event.type" = event_type,
        "webhook event ignored: no handler for its type"
    );
}

pub(super) fn dead_letter(event: Option<&Event>, attempt: u32, reason: &dyn Display) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        event.id = event.map(|event| tracing::field::display(event.id)),
        "event.type" = event.map(|event| event.event_type.as_str()),
        attempt,
        %reason,
        "webhook event stored as a dead letter"
    );
}
