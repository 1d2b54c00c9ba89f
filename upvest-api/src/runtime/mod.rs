//! The hand-written half of this crate: what generated code stands on, and the seam where a transport goes in.

mod argument;
mod body_builder;
mod client;
mod code;
pub(crate) mod decimal;
pub(crate) mod decode;
mod direct;
mod id;
mod invalid;
mod listing;
mod nullable;
pub(crate) mod open_enum;
mod operation;
mod problem;
mod reveal;
pub(crate) mod timestamp;
mod transport;

pub(crate) use argument::{argument, sensitive_argument};
pub use body_builder::InvalidBody;
pub(crate) use body_builder::body_builder;
pub use code::{CountryCode, CurrencyCode, Isin};
pub use decimal::Decimal;
pub use decode::DecodeError;
pub use direct::{Direct, InvalidToken};
pub(crate) use id::id;
pub use invalid::InvalidValue;
pub use listing::{Listing, Page};
pub use nullable::{Nullable, present};
pub(crate) use open_enum::open_enum;
pub use open_enum::{OpenEnum, UnknownValue};
pub use operation::{List, Operation, OperationMeta, Paginated, Paging};
pub(crate) use operation::{find_operation, list, operation, paginated};
pub use problem::Problem;
pub use reveal::Reveal;
pub(crate) use reveal::{HIDDEN, hidden_option, hiding_debug};
pub use transport::{Inner, Transport, TransportFuture, carried, carry};
