//! What the generated client of the Upvest Investment API calls: requests, responses, errors, values and the trait for
//! transports.
//!
//! Applications do not use this crate directly. They use a crate that is generated from a description of the API, such
//! as `upvest-api` or one that `cargo xtask export` wrote, which names this one `runtime`. Several such crates in one
//! program share this crate, and so their [`Error`], [`Response`] and [`Transport`].
//!
//! A generated crate has a `Client` that wraps an [`ApiClient`] and implements [`GeneratedClient`]. Its builders
//! implement [`Operation`], for code that is generic over operations.
//!
//! ```
//! use upvest_runtime::{Error, GeneratedClient, HttpTransport};
//!
//! fn client<C: GeneratedClient>() -> Result<C, Error> {
//!     let transport = HttpTransport::new(|| HttpTransport::settings().build())?;
//!     Ok(C::new("http://127.0.0.1:8080", transport))
//! }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod calls;
mod events;
mod operation_meta;
mod operations;
mod responses;
mod test_util;
mod transports;
mod values;

pub use calls::argument::{Argument, ByOption, ByValue};
pub use calls::body_builder::Buildable;
pub use events::event_object::{EventObjects, EventResource};
pub use events::event_type::EventType;
pub use operation_meta::{OperationMeta, Paging, ParameterMeta, ParameterPlace, ParameterType};
pub use operations::operation::{Download, List, Operation, Paginated};
pub use operations::settles::Settles;
pub use responses::byte_order_mark::without_byte_order_mark;
pub use responses::byte_stream::ByteStream;
pub use responses::content_encoding::reject_encoded;
pub use responses::decode::read_json;
pub use responses::error::Error;
pub use responses::error_context::ErrorContext;
pub use responses::error_kind::ErrorKind;
pub use responses::list_response::{ListResponse, Page, PaginationMeta};
pub use responses::problem::Problem;
pub use responses::response::{Metadata, Response};
pub use transports::api_client::{ApiClient, GeneratedClient};
pub use transports::base_url::BaseUrl;
pub use transports::http_transport::{HttpTransport, ResponseTimeout};
pub use transports::mock_transport::{MockTransport, Recorded};
pub use transports::transport::Transport;
pub use values::code::{CountryCode, CurrencyCode, Isin};
pub use values::decimal::Decimal;
pub use values::idempotency_key::IdempotencyKey;
pub use values::invalid::InvalidValue;
pub use values::invalid_body::InvalidBody;
pub use values::nested::Nested;
pub use values::nullable::{Nullable, present};
pub use values::open_enum::{OpenEnum, UnknownValue};
pub use values::or_empty::OrEmpty;
pub use values::path_segment::encode_path_segment;
pub use values::strict::Strict;
pub use values::unredacted::Unredacted;
// What stands in public signatures, so that users get the versions that fit.
pub use {bytes, chrono, http, reqwest, rust_decimal, serde_json, uuid};

/// What generated code and the macros in it use. It is not for applications: it changes with the generator.
#[doc(hidden)]
pub mod generated_code {
    pub use crate::calls::argument::Slot;
    pub use crate::calls::argument::{hidden, shown};
    pub use crate::calls::body::{Binary, Form, Json, JsonValue, Text};
    pub use crate::calls::body_builder::{checked, extra, optional, required};
    pub use crate::calls::call::Call;
    pub use crate::calls::form::FormField;
    pub use crate::operation_meta::find_operation;
    pub use crate::responses::list_response::EmptyList;
    #[cfg(feature = "sqlx")]
    pub use crate::values::foreign_traits::Column;
    pub use crate::values::reading::{LenientRead, read};
    pub use crate::values::unredacted::{HIDDEN, hidden_option};
    pub use crate::values::{open_enum, open_union};
    #[cfg(feature = "schemars")]
    pub use schemars_1;
    #[cfg(feature = "sqlx")]
    pub use sqlx;
    #[cfg(feature = "utoipa")]
    pub use utoipa;
    pub use {serde, serde_json};
}
