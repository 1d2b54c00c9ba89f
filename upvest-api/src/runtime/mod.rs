//! The hand-written part of this crate: the code that generated code uses, and the trait for transports.

mod answers;
mod calls;
mod events;
mod transports;
mod values;

pub use answers::byte_stream::ByteStream;
pub use answers::decode::read_json;
pub use answers::error::Error;
pub use answers::error_kind::ErrorKind;
pub use answers::list_response::{ListResponse, Page, PaginationMeta};
pub use answers::problem::Problem;
pub use answers::response::{Metadata, Response};
pub use calls::argument::{Argument, ByOption, ByValue};
pub(crate) use calls::argument::{field, sensitive_field};
pub(crate) use calls::body::{Binary, Form, Json, JsonValue, Text};
pub use calls::body_builder::{Buildable, InvalidBody};
pub(crate) use calls::body_builder::{body_builder, taken};
pub(crate) use calls::call::Call;
pub use calls::idempotency_key::IdempotencyKey;
pub use calls::operation::{Download, List, Operation, OperationMeta, Paginated, Paging};
pub(crate) use calls::operation::{download, find_operation, list, operation};
pub use calls::settles::Settles;
pub(crate) use calls::settles::settles;
pub(crate) use events::event_objects::event_objects;
pub use events::event_type::EventType;
pub use transports::bearer_transport::BearerTransport;
pub use transports::client::Client;
pub use transports::mock_transport::{MockTransport, Recorded};
pub use transports::transport::Transport;
pub use values::code::{CountryCode, CurrencyCode, Isin};
pub use values::decimal::Decimal;
pub(crate) use values::foreign_traits::foreign_traits;
pub(crate) use values::id::id;
pub use values::invalid::InvalidValue;
pub use values::nullable::{Nullable, present};
pub(crate) use values::open_enum::open_enum;
pub use values::open_enum::{OpenEnum, UnknownValue};
pub(crate) use values::open_union::open_union;
pub use values::request_json::Lenient;
pub(crate) use values::request_json::request_json;
pub(crate) use values::text::{as_text, from_text};
pub use values::unredacted::Unredacted;
pub(crate) use values::unredacted::{HIDDEN, hidden_option, hiding_debug};
// Used by generated code and macros.
pub(crate) use values::{decimal, open_enum, open_union, request_json, timestamp};
