//! Lists as the server sends them, and what is left of one when only its items count.

use serde::{Deserialize, Serialize};

use crate::types::PaginationMeta;

/// The answer of a list operation: items, and where they stand in the whole list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listing<T> {
    /// The items, in the order of the server.
    pub data: Vec<T>,
    /// Which part of the whole list this is. Lists that come whole have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<PaginationMeta>,
}

/// The items of one answer and the server's remarks on the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// The number of items in the whole list, where the server says so, under whichever of its two names.
    pub total: Option<u64>,
    /// The position of the first item as the server understood it, where the server says so.
    pub offset: Option<u64>,
}

impl<T> From<Listing<T>> for Page<T> {
    fn from(listing: Listing<T>) -> Self {
        let meta = listing.meta.unwrap_or_default();
        Self { items: listing.data, total: meta.total.or(meta.total_count), offset: meta.offset }
    }
}
