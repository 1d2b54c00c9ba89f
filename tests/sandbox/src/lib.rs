//! A local server with the whole Investment API of Upvest, for tests.
//!
//! [`Sandbox::start`] starts it in a test. It has accounts, orders that are filled, savings plans that are executed,
//! signed webhooks, and repeatable faults of the network and the server on demand. `cargo run -p upvest-sandbox` runs
//! it as a program, with a status page and a control API under `/_sandbox/`.
//!
//! It implements the API's description: parameters and bodies are validated against its schemas, and its responses are
//! valid against them too. `GET /_sandbox/openapi.json` is that description, with the additional error statuses of the
//! sandbox.
//!
//! # Behaviour that no source specifies
//!
//! The following behaviour is not specified by the description or Upvest's documentation:
//!
//! * **Idempotency.** Using a key for another request is a conflict (409). Only successful answers are remembered.
//! * **Signatures.** Clocks may differ by 30 seconds. A signature may be valid for up to 300 seconds, and needs a nonce
//!   and an expiry. It is checked with the machine's clock, not with the sandbox's.
//! * **Orders.** An order that the account cannot pay or may not place is `REJECTED` a second after it was accepted. An
//!   order on an account that is not open yet waits. A `LIMIT` or `STOP` order can be cancelled while it waits for its
//!   price.
//! * **Prices.** The price of an instrument is its bid, at which positions are also valued. Orders are paid in whole
//!   cents, and rounding is to the disadvantage of the customer: purchases are rounded up, sales down. Quantities have
//!   ten decimals. An order must be worth a cent or more; only the rest of a position can be sold for less.
//! * **Accounts** are closed when they have no cash, positions and orders. A transfer between two accounts moves
//!   everything that is not reserved.
//! * **Savings plans** are executed at the start of their dates, for the first time one period after they were created.
//!   A deleted plan can no longer be read; its last event shows it as `CANCELLED`.
//! * **Direct debits** go to the user's first open account in the group. If a bank takes one back, the account is in
//!   debt if the money was spent. **Withdrawals** need a reference account.
//! * **The venue** is always open, unless [`Command::SetVenueHours`] gives it hours.
//! * **Any event** can be triggered on demand: [`Sandbox::trigger`].
//! * **Users** who are `BLOCKED` or `CLOSED` cannot move cash or units: new requests are rejected with 409, orders are
//!   `REJECTED`, and pending payments and transfers fail. Transfers are possible only between accounts of one user.
//! * **Statuses** change only as `GET /_sandbox/lifecycles` lists. A resource with a final status cannot be changed
//!   (409).
//! * **Bounds.** Prices are between 0.0001 and a thousand million. An account has at most a million million units of an
//!   instrument and 10^15 of a currency. Orders, payments and splits that would exceed this are rejected.
//! * **Liquidations** that are `PARTIAL` sell half of each position.
//! * **Portfolio orders and rebalancings** are executed by orders that are in the list of orders. If one of these is
//!   not filled, a portfolio order is `CANCELLED` and a rebalancing `FAILED`, and the reason contains the executed
//!   amount.
//! * **Corporate actions** are processed at the start of their ex date. A split cancels open orders.
//! * **Webhooks.** A failing endpoint blocks its own subscription, but no others. Any status from 200 to 299 accepts a
//!   batch. The endpoint has ten seconds, of which the clock waits for one. Deliveries to other machines are not made,
//!   and are logged.
//! * **Money** is EUR. Accounts can have other currencies, but nothing can be bought, valued or charged in them.
//! * **Portfolios and savings plans** are closed with their account.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod amount;
mod clients;
mod commands;
mod control;
mod demo;
mod description;
mod digest;
mod domain;
mod earlier_states;
mod engine;
mod events;
mod faults;
mod hosts;
mod http;
mod instant;
mod log;
mod request_handling;
mod sandbox;
mod shared;
mod webhooks;

pub use clients::builder::{SandboxBuilder, StartError};
pub use commands::{Command, CommandError, InstrumentType};
pub use domain::customers::users::UserStatus;
pub use domain::trading::transfers::Direction;
pub use events::EventRecord;
pub use faults::{Fault, FaultRule};
pub use log::{DeliveryRecord, RequestRecord};
pub use sandbox::Sandbox;
pub use webhooks::payload::PayloadShape;
