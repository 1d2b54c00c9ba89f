//! Sets of OAuth scopes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use upvest_api::operations::OPERATIONS;
use upvest_api::runtime::OperationMeta;

/// A set of OAuth scopes. A client keeps one token for each set that it uses.
///
/// ```
/// use upvest_ext::{Scopes, api::operations};
///
/// let scopes = Scopes::for_operations([&operations::CREATE_ORDER, &operations::LIST_ORDERS]);
/// assert_eq!(scopes.as_str(), "orders:admin orders:read");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scopes(Arc<str>);

impl Scopes {
    /// A set of the given scopes, such as `orders:read`.
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let mut sorted = BTreeSet::new();
        for scope in scopes {
            sorted.extend(scope.as_ref().split_whitespace().map(str::to_owned));
        }
        Self(Vec::from_iter(sorted).join(" ").into())
    }

    /// The scopes for calling these operations.
    pub fn for_operations<'a>(operations: impl IntoIterator<Item = &'a OperationMeta>) -> Self {
        Self::new(
            operations
                .into_iter()
                .flat_map(|operation| operation.scopes),
        )
    }

    /// The scopes for calling every operation. The default.
    pub fn all() -> Self {
        Self::for_operations(OPERATIONS)
    }

    /// The scopes for calling every operation that only reads.
    pub fn reading() -> Self {
        Self::for_operations(
            OPERATIONS
                .into_iter()
                .filter(|operation| operation.is_safe()),
        )
    }

    /// The scopes in the format of the token endpoint: sorted and separated by spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether each of `needed` is in the set.
    pub fn covers(&self, needed: &[&str]) -> bool {
        needed
            .iter()
            .all(|needed| self.0.split(' ').any(|scope| scope == *needed))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.split(' ')).finish()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
