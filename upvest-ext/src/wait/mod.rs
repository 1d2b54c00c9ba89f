//! Waiting until a thing has come to its end, without a loop of one's own.
//!
//! ```no_run
//! # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) -> Result<(), upvest_ext::Error> {
//! use std::time::Duration;
//!
//! let order = upvest.wait_for_order(id).timeout(Duration::from_secs(600)).await?;
//! println!("{:?}", order.status);
//! # Ok(()) }
//! ```

mod error;
mod ready_made;
mod wait_until;

pub use error::{WaitError, WaitFailure};
pub use wait_until::Wait;
