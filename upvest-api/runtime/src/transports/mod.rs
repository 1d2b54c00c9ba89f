//! Transports, which send requests.

pub(crate) mod api_client;
pub(crate) mod base_url;
pub(crate) mod http_transport;
pub(crate) mod mock_transport;
pub(crate) mod transport;
