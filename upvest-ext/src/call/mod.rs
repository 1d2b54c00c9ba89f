//! One call: its options, its attempts, and its metadata and errors.

pub(crate) mod attempts;
pub(crate) mod call_info;
pub(crate) mod hint;
pub(crate) mod http_send;
pub(crate) mod options;
pub(crate) mod pipeline;
pub(crate) mod raw;
pub(crate) mod telemetry;
pub(crate) mod throttle;
#[cfg(feature = "opentelemetry")]
pub(crate) mod trace_context;

pub use http_send::{HttpSend, SendError};
pub use options::CallOptions;
pub use raw::{RawPath, RawRequest};
