//! A value, or an empty object or list in its place.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

/// A value for which some servers send an empty object or an empty list if there is none.
///
/// ```
/// use upvest_runtime::OrEmpty;
///
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Order {
///     side: String,
/// }
///
/// let order: OrEmpty<Order> = serde_json::from_str(r#"{"side": "BUY"}"#)?;
/// assert_eq!(order.value().map(|order| order.side.as_str()), Some("BUY"));
/// let none: OrEmpty<Order> = serde_json::from_str("{}")?;
/// assert_eq!(Option::from(none), None::<Order>);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrEmpty<T> {
    /// A value.
    Value(T),
    /// `{}`.
    EmptyObject,
    /// `[]`.
    EmptyList,
}

impl<T> OrEmpty<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::EmptyObject | Self::EmptyList => None,
        }
    }

    /// Changes the value, if there is one.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> OrEmpty<U> {
        match self {
            Self::Value(value) => OrEmpty::Value(change(value)),
            Self::EmptyObject => OrEmpty::EmptyObject,
            Self::EmptyList => OrEmpty::EmptyList,
        }
    }
}

impl<T> From<T> for OrEmpty<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T> From<OrEmpty<T>> for Option<T> {
    fn from(value: OrEmpty<T>) -> Self {
        match value {
            OrEmpty::Value(value) => Some(value),
            OrEmpty::EmptyObject | OrEmpty::EmptyList => None,
        }
    }
}

impl<T: Serialize> Serialize for OrEmpty<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::EmptyObject => serializer.serialize_map(Some(0))?.end(),
            Self::EmptyList => serializer.serialize_seq(Some(0))?.end(),
        }
    }
}

/// The name by which [`Strict`](crate::Strict) recognizes the type.
pub(super) const NAME: &str = "value or empty";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrEmpty<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, OrEmptyVisitor(PhantomData))
    }
}

struct OrEmptyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OrEmptyVisitor<T> {
    type Value = OrEmpty<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, an empty object or an empty list")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<OrEmpty<T>, D::Error> {
        let json = Value::deserialize(deserializer)?;
        let is_empty_list = json.as_array().is_some_and(Vec::is_empty);
        if json.as_object().is_some_and(Map::is_empty) {
            Ok(OrEmpty::EmptyObject)
        } else if is_empty_list && !is_list::<T>() {
            Ok(OrEmpty::EmptyList)
        } else {
            let value = T::deserialize(json).map_err(D::Error::custom)?;
            Ok(OrEmpty::Value(value))
        }
    }

    /// [`Strict`](crate::Strict) has checked that the value is not empty.
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<OrEmpty<T>, D::Error> {
        T::deserialize(deserializer).map(OrEmpty::Value)
    }
}

/// Whether a `T` is a list. Serde reads some structs from an empty list too, but no list from an object.
fn is_list<'de, T: Deserialize<'de>>() -> bool {
    let is_read_from = |json: Value| T::deserialize(json).is_ok();
    is_read_from(Value::Array(Vec::new())) && !is_read_from(Value::Object(Map::new()))
}
