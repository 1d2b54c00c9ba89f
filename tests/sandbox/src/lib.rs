//! A local Upvest: the whole Investment API on localhost.
//!
//! [`Sandbox`] is one line in a test. Accounts, orders that fill, savings plans that run, webhooks that arrive signed, and
//! every fault a network has, on demand and repeatable. `cargo run -p upvest-sandbox` is the same as a program.

mod access;
mod builder;
mod clock;
mod command;
mod control;
mod description;
mod events;
mod faults;
mod http;
mod idempotency;
mod life;
mod log;
mod operations;
mod sandbox;
mod shared;
mod status_page;
mod webhooks;

pub use builder::{SandboxBuilder, StartError};
pub use command::{Command, CommandError, InstrumentType};
pub use events::EventRecord;
pub use faults::{Fault, FaultRule};
pub use life::transfers::Direction;
pub use life::users::UserStatus;
pub use log::{DeliveryRecord, RequestRecord};
pub use sandbox::Sandbox;
pub use webhooks::payload::PayloadShape;
