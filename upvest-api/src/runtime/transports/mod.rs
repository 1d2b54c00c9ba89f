//! Transports, which send requests.

pub(crate) mod bearer_transport;
pub(crate) mod client;
pub(crate) mod mock_transport;
pub(crate) mod transport;
