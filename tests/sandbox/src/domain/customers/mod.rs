//! Users, accounts, reports and webhook subscriptions.

pub(crate) mod accounts;
pub(crate) mod pdf;
pub(crate) mod reports;
pub(crate) mod subscriptions;
pub(crate) mod users;
