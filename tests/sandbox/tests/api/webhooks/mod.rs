//! Webhooks: subscriptions, signatures, the order of events, and endpoints that fail.

mod deliveries;
mod events;
mod logs;
mod subscriptions;
mod support;
