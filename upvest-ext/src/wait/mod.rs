//! Waits for a final status, such as that of an order, without a loop in your code.
//!
//! ```no_run
//! # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) -> Result<(), upvest_ext::Error> {
//! use std::time::Duration;
//!
//! let order = upvest.wait_for(upvest.retrieve_order().order_id(id)).timeout(Duration::from_secs(600)).await?;
//! println!("{:?}", order.status);
//! # Ok(()) }
//! ```
//!
//! [`Error::last_seen`](crate::Error::last_seen) of a failed wait is the latest state. Waiting again continues
//! from there:
//!
//! ```no_run
//! # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) {
//! use upvest_ext::api::types::Order;
//!
//! if let Err(error) = upvest.wait_for(upvest.retrieve_order().order_id(id)).await
//!     && let Some(order) = error.last_seen::<Order>()
//! {
//!     println!("{error}; last seen as {:?}", order.status);
//! }
//! # }
//! ```
//!
//! Guide: `docs/guides/orders.md`, from placing an order to its final status.

mod ready_made;
mod wait_until;

pub use wait_until::Wait;
