//! Retries: when a call is retried, how long it waits, and when it gives up.

mod backoff;
mod budget;
mod class;
mod policy;
mod retry_after;

pub use backoff::Backoff;
pub use budget::RetryBudget;
pub(crate) use class::AttemptFailure;
pub use class::RetryClass;
pub use policy::RetryPolicy;
pub(crate) use policy::{Decision, GiveUpReason, Try};
pub(crate) use retry_after::retry_after;
