//! The operations that every sandbox serves, whether or not the description has them: the token request, and the keys
//! of webhooks.

use http::Method;

use crate::description::{Description, Operation};
use crate::engine::plain;

/// The keys that verify deliveries. The description of this workspace does not contain the operation (PROTOCOL 2.4).
pub(crate) const VERIFY_KEYS: &str = "/auth/verify_keys";
pub(crate) const VERIFY_KEYS_ID: &str = "retrieveVerifyKeys";
/// The token request, for descriptions without one.
pub(crate) const TOKEN: &str = "/auth/token";
pub(crate) const TOKEN_ID: &str = "createAccessToken";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The name of the token request, for faults.
pub(crate) fn token_operation(description: &Description) -> &str {
    let mut operations = description.operations().iter();
    let token = operations.find(|operation| grants_tokens(description, operation));
    token.map_or(TOKEN_ID, |operation| &operation.id)
}

/// The id of the operation with this name, for faults. The name can be spelt as the SDK does: `create_order` for
/// `createOrder`, unless that could be several operations.
pub(crate) fn operation_id<'d>(description: &'d Description, name: &str) -> Option<&'d str> {
    let described = description.operations().iter();
    let described = described.map(|operation| operation.id.as_str());
    let built_in = [VERIFY_KEYS_ID, token_operation(description)];
    let ids = || described.clone().chain(built_in);
    let same = ids().find(|id| *id == name);
    same.or_else(|| {
        let wanted = plain(name);
        let mut alike = ids().filter(|id| plain(id) == wanted);
        // A name without ASCII letters is like all others of its kind.
        let first = alike.next().filter(|_| !wanted.is_empty())?;
        alike.all(|id| id == first).then_some(first)
    })
}

/// Whether an operation is the token request: by the path of the OAuth flow, or that of Upvest.
pub(crate) fn grants_tokens(description: &Description, operation: &Operation) -> bool {
    let is_named = operation.path == TOKEN || description.token_paths().contains(&operation.path);
    is_named && operation.method == Method::POST
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_is_found_by_its_name_unless_two_are_alike() {
        let get = |id: &str| json!({ "get": { "operationId": id, "responses": {} } });
        let paths = json!({
            "/a": get("list_orders"),
            "/b": get("getUser"),
            "/c": get("get_user"),
            "/d": get("\u{6ce8}\u{6587}"),
        });
        let description = Description::new(json!({ "openapi": "3.1.0", "paths": paths })).unwrap();
        for (name, id) in [
            ("listOrders", Some("list_orders")),
            ("get_user", Some("get_user")),
            ("GetUser", None),
            ("\u{6ce8}\u{6587}", Some("\u{6ce8}\u{6587}")),
            ("\u{7528}\u{6237}", None),
            ("", None),
            ("create_access_token", Some(TOKEN_ID)),
        ] {
            assert_eq!(operation_id(&description, name), id, "{name}");
        }
    }
}
