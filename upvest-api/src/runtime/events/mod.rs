//! What webhook events are about.

pub(crate) mod event_objects;
pub(crate) mod event_type;
