//! Client for the Upvest Investment API, generated from its description.
//!
//! Every operation is a method of [`Client`] that returns a builder; `send` sends it. Amounts are exact
//! [decimals](types::Decimal), ids are [typed](types::OrderId), enums are [open](runtime::OpenEnum).
//!
//! This crate builds requests and reads answers. Tokens, signatures and retries are the work of a
//! [transport](runtime::Transport): `upvest-ext` has the one for production, [`runtime::Direct`] is for tests.
//!
//! ```no_run
//! use upvest_api::{Client, runtime::Direct, types::{OrderCreate, OrderSide, OrderType}};
//!
//! # async fn place(account: upvest_api::types::AccountId, instrument: upvest_api::types::InstrumentId) -> Result<(), Box<dyn std::error::Error>> {
//! let http = reqwest::Client::new();
//! let client = Client::direct("http://127.0.0.1:8080", http.clone(), Direct::new(http).bearer("token")?);
//! let order = client
//!     .create_order()
//!     .body(OrderCreate::builder().account_id(account).instrument_id(instrument).side(OrderSide::Buy).type_(OrderType::Market).cash_amount("100.00"))
//!     .send()
//!     .await?;
//! println!("{} is {:?}", order.id, order.status);
//! # Ok(()) }
//! ```

pub mod runtime;

#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, reason = "the style of generated code is its generator's")]
mod generated;

pub use generated::{Client, bodies, builder, operations, types};
pub use progenitor_client::{ByteStream, Error, ResponseValue};
// What stands in public signatures, so that users get the versions that fit.
pub use {chrono, http, reqwest, rust_decimal, uuid};
