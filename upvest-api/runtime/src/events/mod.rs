//! The types of webhook events and of their objects.

pub(crate) mod event_object;
pub(crate) mod event_type;
