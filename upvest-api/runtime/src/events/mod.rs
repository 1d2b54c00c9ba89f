//! The types of webhook events and of their objects.

pub(crate) mod event_objects;
pub(crate) mod event_type;
