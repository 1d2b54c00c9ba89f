//! A local Upvest: the whole Investment API on localhost.
//!
//! [`Sandbox`] is one line in a test. Accounts, orders that fill, savings plans that run, webhooks that arrive signed, and
//! every fault that a network has, on demand and repeatable. `cargo run -p upvest-sandbox` is the same as a program, with a
//! status page and a control API under `/_sandbox/`.
//!
//! It answers from the API's description: parameters and bodies are checked against its schemas, and what it answers is
//! valid against them. `GET /_sandbox/openapi.json` is that description, with the statuses that the sandbox answers besides.
//!
//! # What no source says
//!
//! Where neither the description nor Upvest's documentation says what happens, something has to:
//!
//! * **Idempotency.** A key that comes again with another request is a conflict, 409. Only what has succeeded is remembered.
//! * **Signatures.** Clocks may differ by 30 seconds; a signature may live for 300; it needs a nonce and an end. They are
//!   judged by the machine's clock, whatever the sandbox's shows.
//! * **Orders.** What an account cannot afford, or may not do, is `REJECTED` a second after it was accepted. An order on an
//!   account that is not open yet waits. A `LIMIT` or `STOP` order can be cancelled while it waits for its price.
//! * **Prices.** The price of an instrument is its bid, by which holdings are valued too. Orders are paid in cents, and
//!   rounding goes against the customer: purchases up, sales down. Quantities have ten decimals. An order has to be worth a
//!   cent; only what is left of a holding can be sold for less.
//! * **Accounts** close when cash, positions and orders are gone. A transfer between two moves all that is free.
//! * **Savings plans** run at the beginning of their dates, for the first time one period after they were made. A deleted plan
//!   is gone; its last event shows it as `CANCELLED`.
//! * **Direct debits** go to the user's first open account in the group. A bank that takes one back leaves a debt where the
//!   money has been spent. **Withdrawals** need a reference account.
//! * **The venue** is always open, unless [`Command::SetVenueHours`] gives it hours.
//! * **Any event** of the list happens on demand: [`Sandbox::trigger`].
//! * **Users** who are `BLOCKED` or `CLOSED` move neither cash nor units: what they begin is refused with 409, orders are
//!   `REJECTED`, and what was under way fails. Transfers stay within one user.
//! * **Statuses** go only where `GET /_sandbox/lifecycles` says; what has ended is changed by no call (409).
//! * **Bounds.** Prices lie between 0.0001 and a thousand million; an account holds at most a million million units of an
//!   instrument and 10^15 of a currency. What would go beyond is rejected; a split that would is refused.
//! * **Liquidations** that are `PARTIAL` sell half of each position.
//! * **Portfolio orders and rebalancings** are worked off by orders that can be seen in the list of orders. Where one of
//!   these is not filled, a portfolio order is `CANCELLED` and a rebalancing `FAILED`, with what was executed as the reason.
//! * **Corporate actions** are processed as their ex date begins; a split cancels orders that are on their way.
//! * **Webhooks.** A failing endpoint blocks its own subscription, not others. Any status from 200 to 299 takes a batch; the
//!   endpoint has ten seconds, of which the clock waits for one. What would go to another machine is not delivered, and the log says so.
//! * **Money** is EUR: other currencies can be held, and nothing can be bought, valued or charged in them.
//! * **Accounts that close** take their portfolios and savings plans with them.

mod access;
mod amount;
mod commands;
mod control;
mod description;
mod digest;
mod domain;
mod events;
mod faults;
mod hosts;
mod http;
mod log;
mod sandbox;
mod webhooks;

pub use commands::{Command, CommandError, InstrumentType};
pub use domain::customers::users::UserStatus;
pub use domain::trading::transfers::Direction;
pub use events::EventRecord;
pub use faults::{Fault, FaultRule};
pub use log::{DeliveryRecord, RequestRecord};
pub use sandbox::Sandbox;
pub use sandbox::builder::{SandboxBuilder, StartError};
pub use webhooks::payload::PayloadShape;
