//! Webhook deliveries: signed, in order, and retried until they are accepted.

pub(crate) mod keys;
pub(crate) mod payload;
