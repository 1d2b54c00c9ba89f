//! Code of a generated crate that is for the tests of its users only.

/// Keeps items of a generated crate that are for tests. Without the feature `test-util` they are left out.
#[doc(hidden)]
#[cfg(feature = "test-util")]
#[macro_export]
macro_rules! test_util {
    ($($items:item)*) => { $(#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))] $items)* };
}

/// Keeps items of a generated crate that are for tests. Without the feature `test-util` they are left out.
#[doc(hidden)]
#[cfg(not(feature = "test-util"))]
#[macro_export]
macro_rules! test_util {
    ($($items:item)*) => {};
}
