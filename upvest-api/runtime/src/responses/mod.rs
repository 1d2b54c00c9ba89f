//! Responses: decoding them into a value or an error.

pub(crate) mod byte_order_mark;
pub(crate) mod byte_stream;
pub(crate) mod content_encoding;
pub(crate) mod decode;
pub(crate) mod error;
pub(crate) mod error_context;
pub(crate) mod error_kind;
pub(crate) mod file_response;
pub(crate) mod list_response;
pub(crate) mod problem;
pub(crate) mod response;
pub(crate) mod retry_after;
#[cfg(feature = "files")]
mod write_to;
