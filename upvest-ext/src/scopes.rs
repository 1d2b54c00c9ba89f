//! Which OAuth scopes a client requests.

use std::collections::BTreeSet;

use upvest_runtime::OperationMeta;

/// The longest text that the token endpoint accepts as `scope`, in characters (`PROTOCOL` 11.3).
const MAX_SCOPE_LENGTH: usize = 1000;

/// The OAuth scopes that a client requests for its token.
///
/// A token request with a scope that the client is not granted is rejected as a whole, so request what your service
/// calls:
///
/// ```
/// use upvest_ext::api::operations;
/// use upvest_ext::{Environment, Scopes, Upvest};
///
/// let called = Scopes::for_operations([&operations::CREATE_ORDER, &operations::LIST_ORDERS]);
/// assert_eq!(called, Scopes::new(["orders:admin", "orders:read"]));
/// let builder = Upvest::builder(Environment::Sandbox).scopes(called);
/// # let _ = builder;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Selection);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Selection {
    All,
    Reading,
    These(BTreeSet<String>),
}

impl Scopes {
    /// These scopes, such as `orders:read`. One text may have several, separated by spaces.
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let mut set = BTreeSet::new();
        for scope in scopes {
            set.extend(scope.as_ref().split_whitespace().map(str::to_owned));
        }
        Self(Selection::These(set))
    }

    /// The scopes of all operations of the client's description. Scopes that not every client can have are left out.
    /// The default.
    pub fn all() -> Self {
        Self(Selection::All)
    }

    /// A small set of scopes that permits every operation that changes nothing. Scopes that not every client can have
    /// are left out.
    pub fn reading() -> Self {
        Self(Selection::Reading)
    }

    /// A small set of scopes that permits these operations. It is the smallest set, except in rare cases.
    pub fn for_operations<'a>(operations: impl IntoIterator<Item = &'a OperationMeta>) -> Self {
        let scopes = few_scopes(operations.into_iter().map(|operation| {
            let sets = operation.scope_sets.iter();
            sets.map(|set| set.to_vec()).collect()
        }));
        Self(Selection::These(scopes))
    }

    /// The text for a token request of a client with these operations: sorted, and separated by spaces.
    ///
    /// # Errors
    ///
    /// The message that the text is too long.
    pub(crate) fn text(&self, operations: &[&'static OperationMeta]) -> Result<String, String> {
        let scopes = match &self.0 {
            Selection::All => all(operations),
            Selection::Reading => reading(operations),
            Selection::These(scopes) => scopes.clone(),
        };
        let text = Vec::from_iter(scopes).join(" ");
        let length = text.chars().count();
        if length > MAX_SCOPE_LENGTH {
            return Err(format!(
                "the scopes have {length} characters together, and Upvest accepts {MAX_SCOPE_LENGTH}: call `scopes` with those that \
                 your service needs"
            ));
        }
        Ok(text)
    }
}

impl Default for Scopes {
    fn default() -> Self {
        Self::all()
    }
}

impl<S: AsRef<str>, I: IntoIterator<Item = S>> From<I> for Scopes {
    fn from(scopes: I) -> Self {
        Self::new(scopes)
    }
}

fn all(operations: &[&'static OperationMeta]) -> BTreeSet<String> {
    let each = operations.iter().flat_map(|operation| {
        let is_optional = |scope: &&str| operation.optional_scopes.contains(scope);
        operation
            .scopes
            .iter()
            .filter(move |scope| !is_optional(scope))
    });
    each.map(|scope| (*scope).to_owned()).collect()
}

fn reading(operations: &[&'static OperationMeta]) -> BTreeSet<String> {
    let reads = operations.iter().filter(|operation| operation.is_safe());
    few_scopes(reads.map(|operation| {
        let is_optional = |scope: &&str| operation.optional_scopes.contains(scope);
        let sets = operation.scope_sets.iter();
        sets.filter(|set| !set.iter().any(is_optional))
            .map(|set| set.to_vec())
            .collect()
    }))
}

/// Chooses a small set of scopes that permits every call, though not always the smallest set. Each call lists its
/// alternative sets of scopes, smallest first.
fn few_scopes(calls: impl Iterator<Item = Vec<Vec<&'static str>>>) -> BTreeSet<String> {
    let mut calls: Vec<_> = calls.filter(|sets| !sets.is_empty()).collect();
    // Calls without a choice come first, as their scopes may suffice for others.
    calls.sort_by_key(Vec::len);
    let mut scopes = BTreeSet::new();
    for sets in calls {
        let missing =
            |set: &&Vec<&str>| set.iter().filter(|scope| !scopes.contains(**scope)).count();
        if let Some(set) = sets.iter().min_by_key(missing) {
            scopes.extend(set.iter().map(|scope| (*scope).to_owned()));
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    const fn operation(
        method: Method,
        scopes: &'static [&'static str],
        sets: &'static [&'static [&'static str]],
    ) -> OperationMeta {
        OperationMeta::custom("a", method, "/a")
            .scoped(scopes)
            .sufficient(sets)
    }

    static READ: OperationMeta = operation(
        Method::GET,
        &["orders:admin", "orders:read"],
        &[&["orders:read"], &["orders:admin"]],
    );
    static CHANGE: OperationMeta = operation(Method::POST, &["orders:admin"], &[&["orders:admin"]]);
    static BOTH: OperationMeta = operation(
        Method::GET,
        &["users:read", "checks:read"],
        &[&["checks:read", "users:read"]],
    );
    static PRICES: OperationMeta =
        operation(Method::GET, &["prices:read"], &[&["prices:read"]]).optional(&["prices:read"]);
    static OPEN: OperationMeta = operation(Method::GET, &[], &[]);
    static ALL: [&OperationMeta; 5] = [&READ, &CHANGE, &BOTH, &PRICES, &OPEN];

    fn text(scopes: impl Into<Scopes>) -> String {
        scopes.into().text(&ALL).expect("they are few")
    }

    #[test]
    fn reading_asks_for_no_scope_that_changes_something_where_another_suffices() {
        assert_eq!(
            text(Scopes::reading()),
            "checks:read orders:read users:read"
        );
    }

    #[test]
    fn operations_ask_for_few_scopes() {
        for (operations, expected) in [
            (&[&READ][..], "orders:read"),
            (&[&READ, &CHANGE], "orders:admin"),
            (&[&CHANGE, &READ], "orders:admin"),
            (&[&BOTH], "checks:read users:read"),
            (&[&PRICES], "prices:read"),
            (&[&OPEN], ""),
        ] {
            let scopes = Scopes::for_operations(operations.iter().copied());
            assert_eq!(text(scopes), expected);
        }
    }

    #[test]
    fn scopes_that_not_every_client_has_are_asked_for_by_name_alone() {
        let default = "checks:read orders:admin orders:read users:read";
        assert_eq!(text(Scopes::default()), default);
        assert_eq!(text(["prices:read"]), "prices:read");
    }

    #[test]
    fn scopes_are_sorted_and_listed_once() {
        assert_eq!(text(["b a", " a", ""]), "a b");
    }

    #[test]
    fn a_text_of_more_than_a_thousand_characters_is_an_error() {
        let longest = "x".repeat(1000);
        assert_eq!(text([&longest]), longest);
        let error = Scopes::new([format!("{longest}x")]).text(&ALL);
        assert!(error.is_err_and(|message| message.contains("1001")));
    }
}
