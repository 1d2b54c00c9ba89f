//! Client for the Upvest Investment API, generated from its description.
//!
//! Every operation is a method of [`Client`] that returns a builder; `send` sends it and returns a [`Response`] or the one
//! [`Error`] of this SDK. Amounts are exact [decimals](types::Decimal), ids are [typed](types::OrderId), enums are
//! [open](runtime::OpenEnum).
//!
//! This crate builds requests and reads answers. Tokens, signatures and retries are the work of a [`Transport`]: `upvest-ext` has
//! the one for production; [`runtime::BearerTransport`] and [`MockTransport`] are for tests.
//!
//! ```no_run
//! use upvest_api::types::{AccountId, InstrumentId, OrderCreate, OrderSide, OrderType};
//! use upvest_api::{Client, Error, runtime::BearerTransport};
//!
//! # async fn place(account: AccountId, instrument: InstrumentId) -> Result<(), Error> {
//! let client = Client::new("http://127.0.0.1:8080", BearerTransport::new(reqwest::Client::new()).bearer("token")?);
//! let order = OrderCreate::builder()
//!     .account_id(account)
//!     .instrument_id(instrument)
//!     .side(OrderSide::Buy)
//!     .type_(OrderType::Market)
//!     .cash_amount("100.00");
//! let order = client.create_order().body(order).send().await?;
//! println!("{} is {:?}", order.id, order.status);
//! # Ok(()) }
//! ```

#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the description decides which of its parts are used"
)]
pub mod runtime;

#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, unused_imports, reason = "the style of generated code is its generator's")]
mod generated;

pub use generated::{bodies, builder, events, operations, types};
pub use runtime::{
    ByteStream, Client, Error, ErrorKind, IdempotencyKey, Metadata, MockTransport, Response,
    Transport,
};
// What stands in public signatures, so that users get the versions that fit.
pub use {bytes, chrono, http, reqwest, rust_decimal, uuid};
