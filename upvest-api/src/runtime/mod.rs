//! The hand-written half of this crate: what generated code stands on, and the seam where a transport goes in.

mod argument;
#[allow(dead_code, reason = "which kinds of body are used depends on the description")]
mod body;
mod body_builder;
mod byte_stream;
#[allow(dead_code, reason = "which kinds of parameter are used depends on the description")]
mod call;
mod client;
mod code;
pub(crate) mod decimal;
mod decode;
mod direct;
mod error;
mod error_kind;
mod id;
mod idempotency_key;
mod invalid;
mod listing;
mod mock_transport;
mod nullable;
pub(crate) mod open_enum;
mod operation;
mod problem;
mod response;
mod reveal;
mod text;
pub(crate) mod timestamp;
mod transport;

pub use argument::{Argument, ByOption, ByValue};
pub(crate) use argument::{field, sensitive_field};
#[allow(unused_imports, reason = "as above")]
pub(crate) use body::{Binary, Form, Json, Text};
pub(crate) use body_builder::body_builder;
pub use body_builder::{Buildable, InvalidBody};
pub use byte_stream::ByteStream;
pub(crate) use call::Call;
pub use client::Client;
pub use code::{CountryCode, CurrencyCode, Isin};
pub use decimal::Decimal;
pub use decode::read_json;
pub use direct::Direct;
pub use error::Error;
pub use error_kind::ErrorKind;
pub(crate) use id::id;
pub use idempotency_key::IdempotencyKey;
pub use invalid::InvalidValue;
pub use listing::{Listing, Page, PaginationMeta};
pub use mock_transport::{MockTransport, Recorded};
pub use nullable::{Nullable, present};
pub(crate) use open_enum::open_enum;
pub use open_enum::{OpenEnum, UnknownValue};
pub use operation::{Download, List, Operation, OperationMeta, Paginated, Paging};
pub(crate) use operation::{download, find_operation, list, operation, paginated};
pub use problem::Problem;
pub use response::{Metadata, Response};
pub use reveal::Reveal;
pub(crate) use reveal::{HIDDEN, hidden_option, hiding_debug};
pub(crate) use text::{as_text, from_text};
pub use transport::Transport;
