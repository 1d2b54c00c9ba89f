//! Scopes of operations.

use upvest_constructs::scopes::{NOTES, operations};

#[test]
fn a_token_needs_all_scopes_of_one_set() {
    assert_eq!(
        operations::LIST_ORDERS.scope_sets,
        [["orders:read"], ["orders:admin"]]
    );
    assert_eq!(
        operations::CREATE_ORDER.scope_sets,
        [["orders:admin", "payments:admin"]]
    );
    assert_eq!(
        operations::REPLACE_ORDERS.scope_sets,
        [["everything"], ["orders:admin"]]
    );
}

#[test]
fn an_api_key_is_no_scope_and_is_noted_where_nothing_else_is_accepted() {
    assert_eq!(operations::GET_HEALTH.scope_sets, [[""; 0]]);
    assert!(operations::GET_METRICS.scope_sets.is_empty());
    assert_eq!(NOTES.len(), 1);
    assert!(NOTES[0].contains("/paths/~1metrics/get") && NOTES[0].contains("`key`"));
}
