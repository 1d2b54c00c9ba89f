//! What of the client is written by hand.

use std::fmt;
use std::sync::Arc;

use super::direct::Direct;
use super::transport::Inner;
use crate::Client;

impl Client {
    /// A client for `base_url`, with or without a slash at its end, that sends each request once over `transport`.
    ///
    /// ```
    /// use upvest_api::{Client, runtime::Direct};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let http = reqwest::Client::new();
    /// let client = Client::direct("http://127.0.0.1:8080", http.clone(), Direct::new(http).bearer("token")?);
    /// let request = client.list_orders().limit(50_u32);
    /// # let _ = request; Ok(()) }
    /// ```
    pub fn direct(base_url: &str, http: reqwest::Client, transport: Direct) -> Self {
        Self::new_with_client(base_url.trim_end_matches('/'), http, Inner::new(Arc::new(transport)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("baseurl", &self.baseurl)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
