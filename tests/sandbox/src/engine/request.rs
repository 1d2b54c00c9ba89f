//! Requests to the engine, and its responses.

use bytes::Bytes;
use serde_json::Value;

/// A request that was validated against the description.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) path: &'a [(String, String)],
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: &'a Value,
    /// The header `accept`.
    pub(crate) accept: &'a str,
}

/// A successful response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Empty if there is no body.
    pub(crate) media_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl<'a> Request<'a> {
    /// A parameter in the path.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut parameters = self.path.iter();
        let (_, value) = parameters.find(|(known, _)| known == name)?;
        Some(value)
    }
}
