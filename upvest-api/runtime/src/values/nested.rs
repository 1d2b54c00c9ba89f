//! A value at the end of a long chain of types.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value behind a pointer. Use it as the value itself, to which it dereferences.
///
/// Generated types that refer to each other over many levels have it in some fields. The compiler follows a chain of
/// types up to a limit when it checks that a value can be sent to another thread; it does not look into this type.
///
/// ```
/// use upvest_runtime::Nested;
///
/// let mut name = Nested::from("Ada".to_owned());
/// name.push('!');
/// assert_eq!(name.len(), 4);
/// assert_eq!(name.into_inner(), "Ada!");
/// ```
pub struct Nested<T>(Box<dyn Holder<T> + Send + Sync>);

/// Hides the type of a value from the compiler's check.
trait Holder<T> {
    fn get(&self) -> &T;

    fn get_mut(&mut self) -> &mut T;

    fn take(self: Box<Self>) -> T;

    fn copy(&self) -> Nested<T>;
}

impl<T: Clone + Send + Sync + 'static> Holder<T> for T {
    fn get(&self) -> &T {
        self
    }

    fn get_mut(&mut self) -> &mut T {
        self
    }

    fn take(self: Box<Self>) -> T {
        *self
    }

    fn copy(&self) -> Nested<T> {
        Nested::from(self.clone())
    }
}

impl<T> Nested<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0.take()
    }
}

impl<T: Clone + Send + Sync + 'static> From<T> for Nested<T> {
    fn from(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for Nested<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get()
    }
}

impl<T> DerefMut for Nested<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T> Clone for Nested<T> {
    fn clone(&self) -> Self {
        self.0.copy()
    }
}

impl<T: PartialEq> PartialEq for Nested<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Nested<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for Nested<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Clone + Send + Sync + 'static> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}
