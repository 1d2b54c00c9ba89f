//! Deliveries: signed, in order, tried again until they are taken.

pub(crate) mod delivery;
pub(crate) mod keys;
pub(crate) mod payload;
