//! The answers of list operations, and their pages in a form for generic code.

use serde::{Deserialize, Serialize};

/// The answer of a list operation: items, and their position in the whole list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListResponse<T> {
    /// The items, in the order of the server.
    pub data: Vec<T>,
    /// The position of this page in the whole list. `None` for lists without pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<PaginationMeta>,
}

/// The position of a page in the whole list.
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
    /// Number of items in the whole list. It can change between two pages.
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
    /// A list without pages, for tests.
    pub fn new(items: Vec<T>) -> Self {
        Self {
            data: items,
            meta: None,
        }
    }
}

/// The items of one answer, and the server's information about the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// The number of items in the whole list, if the server states it in one of its two fields.
    pub total: Option<u64>,
    /// The index of the first item, if the server states it.
    pub offset: Option<u64>,
    /// The page size of the server, if it states it. It can be smaller than the requested size.
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
