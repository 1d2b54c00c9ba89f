//! The operations at each path, and what serves them.

use std::sync::Arc;

use http::Method;

use crate::description::{Description, Operation, OperationAccess};
use crate::http::built_in::{FORM, TOKEN, TOKEN_ID, VERIFY_KEYS, VERIFY_KEYS_ID, grants_tokens};
use crate::http::operations::{Handler, handler};

/// An operation and what serves it.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) operation: Arc<Operation>,
    pub(super) served_by: ServedBy,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ServedBy {
    /// A function of ours, for an operation of the description in this workspace.
    Handle(Handler),
    /// The engine, by the number of the operation in the description.
    Serve(usize),
    GrantToken,
    GiveKeys,
}

/// The operations at each path.
pub(super) fn all_routes(description: &Description) -> Vec<(String, Vec<Route>)> {
    let mut paths: Vec<(String, Vec<Route>)> = Vec::new();
    let described = description.operations().iter().enumerate();
    let described = described.map(|(at, operation)| Route {
        served_by: served_by(description, at, operation),
        operation: Arc::clone(operation),
    });
    let mut routes: Vec<_> = described.collect();
    for route in undescribed() {
        let same = |it: &Route| {
            it.operation.path == route.operation.path
                || matches!(
                    (it.served_by, route.served_by),
                    (ServedBy::GrantToken, ServedBy::GrantToken)
                )
        };
        if !routes.iter().any(same) {
            routes.push(route);
        }
    }
    for route in routes {
        let path = &route.operation.path;
        match paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, routes)) => routes.push(route),
            None => paths.push((path.clone(), vec![route])),
        }
    }
    paths
}

fn served_by(description: &Description, at: usize, operation: &Operation) -> ServedBy {
    if grants_tokens(description, operation) {
        return ServedBy::GrantToken;
    }
    if operation.method == Method::GET && operation.path == VERIFY_KEYS {
        return ServedBy::GiveKeys;
    }
    let rules = handler(&operation.id).filter(|_| description.has_rules());
    rules.map_or(ServedBy::Serve(at), ServedBy::Handle)
}

/// What every sandbox serves, whether or not the description has it.
fn undescribed() -> [Route; 2] {
    let reads_keys = ["webhooks:read", "webhooks:admin"].map(str::to_owned);
    let access = OperationAccess::Token(reads_keys.into());
    let keys = Operation::undescribed(VERIFY_KEYS_ID, Method::GET, VERIFY_KEYS, access, None);
    let open = OperationAccess::Open;
    let token = Operation::undescribed(TOKEN_ID, Method::POST, TOKEN, open, Some(FORM));
    [
        Route {
            operation: Arc::new(keys),
            served_by: ServedBy::GiveKeys,
        },
        Route {
            operation: Arc::new(token),
            served_by: ServedBy::GrantToken,
        },
    ]
}
