//! Lists as the server sends them, and their pages as code that is generic over lists sees them.

use serde::{Deserialize, Serialize};

/// The answer of a list operation: items, and where they stand in the whole list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListResponse<T> {
    /// The items, in the order of the server.
    pub data: Vec<T>,
    /// Which part of the whole list this is. A list without pages has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<PaginationMeta>,
}

/// Where a page lies in the whole list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PaginationMeta {
    /// Number of items skipped before the first one of this page, from 0. Counts items, not pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Largest number of items the page could hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Number of items in this page, at most `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Number of items in the whole list, over all pages. It can change between two pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Number of items in the whole list, under the name that Upvest's own documentation uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_count: Option<u64>,
    /// The field that the list is sorted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The direction in which the list is sorted, such as `ASC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

impl<T> ListResponse<T> {
    /// A list without pages, as a test answers with it.
    pub fn new(items: Vec<T>) -> Self {
        Self { data: items, meta: None }
    }
}

/// The items of one answer, and what the server says of the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// The number of items in the whole list, where the server says so, under whichever of its two names.
    pub total: Option<u64>,
    /// The position of the first item as the server understood it, where the server says so.
    pub offset: Option<u64>,
    /// The most items that the server sends in a page, where it says so. It may be fewer than were asked for.
    pub limit: Option<u64>,
}

impl<T> From<ListResponse<T>> for Page<T> {
    fn from(listing: ListResponse<T>) -> Self {
        let meta = listing.meta.unwrap_or_default();
        Self {
            items: listing.data,
            total: meta.total.or(meta.total_count),
            offset: meta.offset,
            limit: meta.limit,
        }
    }
}
