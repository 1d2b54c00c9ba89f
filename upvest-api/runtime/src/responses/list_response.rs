//! The responses of list operations, and their pages in a form for generic code.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The response of a list operation: items, and their position in the whole list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListResponse<T> {
    /// The items, in the order of the server.
    pub data: Vec<T>,
    /// The position of this page in the whole list. `None` for lists without pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<PaginationMeta>,
}

/// A form of an empty list that a description allows beside an empty `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyList {
    /// There is no body, or it is `null`.
    NoBody,
    /// There is no `data`, or it is `null` or an empty object.
    NoData,
}

/// A list response whose `data` may be missing.
pub(crate) struct ListWithoutData<T>(pub(crate) ListResponse<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ListWithoutData<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = ListVisitor(PhantomData);
        let list = deserializer.deserialize_struct("ListResponse", &["data", "meta"], visitor)?;
        Ok(Self(list))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = ListResponse<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the list `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<ListResponse<T>, A::Error> {
        let mut data: Option<Data<T>> = None;
        let mut meta = None;
        let mut has_others = false;
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "data" => data = Some(fields.next_value()?),
                "meta" => meta = fields.next_value()?,
                _ => {
                    has_others = true;
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        // An object of another kind, such as that of an error, must not look like the end of a list.
        if data.is_none() && has_others {
            return Err(A::Error::missing_field("data"));
        }
        let data = data.map_or_else(Vec::new, |Data(items)| items);
        Ok(ListResponse { data, meta })
    }
}

/// The items of a list, which may be `null` or an empty object if there are none.
struct Data<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Data<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor(PhantomData))
    }
}

struct DataVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for DataVisitor<T> {
    type Value = Data<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Data<T>, E> {
        Ok(Data(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Data<T>, A::Error> {
        match fields.next_key::<IgnoredAny>()? {
            None => Ok(Data(Vec::new())),
            Some(_) => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Data<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(Data)
    }
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

    /// Changes each item.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> ListResponse<U> {
        ListResponse {
            data: self.data.into_iter().map(change).collect(),
            meta: self.meta,
        }
    }
}

/// The items of one response, and the server's information about the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// The number of items in the whole list, if the response contains `total` or `total_count`.
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
