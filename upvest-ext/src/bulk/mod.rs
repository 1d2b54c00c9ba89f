//! Many calls at a time, no faster than the server allows.

mod for_each;
mod paced;
mod rate;
mod rate_limit;

pub use for_each::{BulkOutcome, for_each_concurrent};
pub(crate) use paced::Paced;
pub use rate_limit::RateLimit;
