//! Client for the Upvest Investment API, generated from its description.
//!
//! Every operation is a method of [`Client`] that returns a builder; `send` sends it and returns a [`Response`] or the
//! one [`Error`] of this SDK. Amounts are exact [decimals](types::Decimal), ids are [typed](types::OrderId), enums are
//! [open](runtime::OpenEnum).
//!
//! This crate builds requests and reads responses. Tokens, signatures and retries are the work of a [`Transport`]:
//! `upvest-ext` has the one for production; [`HttpTransport`](runtime::HttpTransport) sends each request once, and
//! [`MockTransport`] is for tests.
//!
//! ```no_run
//! use upvest_api::types::{AccountId, InstrumentId, OrderCreate, OrderSide, OrderType};
//! use upvest_api::{Client, Error, runtime::HttpTransport};
//!
//! # async fn place(account: AccountId, instrument: InstrumentId) -> Result<(), Error> {
//! let transport = HttpTransport::new(|| HttpTransport::settings().build())?;
//! let client = Client::new("http://127.0.0.1:8080", transport);
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
//!
//! A setter of a parameter accepts a value, anything that converts into one, or an `Option`:
//!
//! ```
//! # fn list(client: &upvest_api::Client, status: Option<upvest_api::types::OrderStatus>) {
//! let list = client.list_orders();
//! let list = list.limit(50).limit(Some(50)).limit(None);
//! let list = list
//!     .status(status)
//!     .status("FILLED")
//!     .account_id("7d052811-c57c-4920-9fd6-bdbaa6c94e47");
//! # let _ = list; }
//! ```
//!
//! # Tests
//!
//! A [`MockTransport`] answers without a server:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), upvest_api::Error> {
//! use upvest_api::{
//!     Client, MockTransport, builder,
//!     types::{ListResponse, Order},
//! };
//!
//! let mock =
//!     MockTransport::new().respond::<builder::ListOrders>(ListResponse::new(Vec::<Order>::new()));
//! let client = Client::new("http://mock.invalid", mock.clone());
//!
//! assert!(client.list_orders().limit(50).send().await?.data.is_empty());
//! assert_eq!(mock.requests()[0].path, "/orders?limit=50");
//! # Ok(()) }
//! ```
//!
//! # Request bodies in JSON
//!
//! Types read JSON leniently, as Upvest adds fields and values to its responses. [`Strict`](runtime::Strict) finds
//! typos in the requests of your own users:
//!
//! ```
//! use upvest_api::runtime::Strict;
//! use upvest_api::types::OrderCreate;
//!
//! let json = r#"{
//!     "account_id": "7d052811-c57c-4920-9fd6-bdbaa6c94e47", "instrument_id": "251e84b2-82e1-440b-a008-6357ebe46a96",
//!     "side": "BUY", "type": "MARKET", "cash_amount": "10.00", "curency": "EUR"
//! }"#;
//! let error = serde_json::from_str::<Strict<OrderCreate>>(json).unwrap_err();
//! assert!(error.to_string().starts_with("unknown field `curency`"));
//!
//! let order = serde_json::from_str::<OrderCreate>(json)?;
//! assert_eq!(order.currency, None);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Personal data
//!
//! `Debug` of a type with personal data shows which fields are set, and [`Unredacted`](runtime::Unredacted) prints
//! their values:
//!
//! ```
//! use upvest_api::{runtime::Unredacted, types::Address};
//!
//! let address: Address = serde_json::from_str(
//!     r#"{"street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}"#,
//! )?;
//! assert!(!format!("{address:?}").contains("Berlin"));
//! assert!(format!("{:?}", Unredacted(&address)).contains("Berlin"));
//! # Ok::<(), serde_json::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, unused_imports, reason = "the style of generated code is its generator's")]
mod generated;

pub use generated::{Client, bodies, builder, events, operations, types};
pub use upvest_runtime as runtime;
// The documentation of another crate does not say which features they need.
#[doc(no_inline)]
pub use upvest_runtime::{ByteStream, IdempotencyKey};
pub use upvest_runtime::{Error, ErrorKind, Metadata, MockTransport, Response, Transport};
// What stands in public signatures, so that users get the versions that fit.
pub use upvest_runtime::{bytes, chrono, http, reqwest, rust_decimal, uuid};
