//! Many calls at a time, no faster than the server allows.

mod for_each;
mod rate;
mod rate_limit;

pub use for_each::{BulkOutcome, for_each_concurrent};
pub use rate_limit::RateLimit;
