//! The OAuth scopes of an operation, and whether it needs a token.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::parameters::TRANSPORT_HEADERS;
use crate::error::Error;

/// The scopes in a token.
type Scopes = BTreeSet<String>;

const READ: &str = ":read";
const ADMIN: &str = ":admin";

/// The maximum number of sets for one requirement. Once it is reached, the sets contain both scopes of each further
/// pair.
const MAX_SETS: usize = 64;

/// Returns the OAuth scopes of all security requirements.
pub(super) fn scopes(security: Option<&Value>) -> Vec<String> {
    let scopes: Scopes = requirements(security).flat_map(scopes_of).collect();
    scopes.into_iter().collect()
}

/// Returns the sets of scopes that suffice for a call, the smallest first. A token needs all scopes of one of them.
///
/// The requirements are alternatives, and all scopes of one of them are needed. Upvest's own descriptions list
/// `orders:read` beside `orders:admin` in one requirement, and accept either of them. Requirements without a token,
/// such as those for an API key, are left out.
pub(super) fn scope_sets(document: &Value, security: Option<&Value>) -> Vec<Vec<String>> {
    let mut sets: Vec<Scopes> = requirements(security)
        .filter(|requirement| requirement.is_empty() || has_token(document, requirement))
        .flat_map(|requirement| alternatives(&scopes_of(requirement)))
        .collect();
    sets.sort_by_key(|set| (set.len(), changes(set), set.clone()));
    let mut sufficient: Vec<Scopes> = Vec::new();
    for set in sets {
        // A set that contains all scopes of a smaller one adds nothing.
        if !sufficient.iter().any(|smaller| smaller.is_subset(&set)) {
            sufficient.push(set);
        }
    }
    let sufficient = sufficient.into_iter();
    sufficient.map(|set| set.into_iter().collect()).collect()
}

/// Returns the scopes that Upvest does not grant to every client. An overlay lists them in `x-optional-scopes` of a
/// security scheme.
pub(super) fn optional_scopes(document: &Value, security: Option<&Value>) -> Vec<String> {
    let schemes = document["components"]["securitySchemes"].as_object();
    let schemes = schemes.into_iter().flat_map(Map::values);
    let lists = schemes.filter_map(|scheme| scheme["x-optional-scopes"].as_array());
    let optional: BTreeSet<&str> = lists.flatten().filter_map(Value::as_str).collect();
    let scopes = scopes(security).into_iter();
    scopes
        .filter(|scope| optional.contains(scope.as_str()))
        .collect()
}

/// Returns a problem if the client can meet none of the operation's requirements with a token alone, for example if the
/// operation needs an API key.
pub(super) fn unmet(document: &Value, security: Option<&Value>, at: &str) -> Option<Error> {
    let mut missing: Vec<BTreeSet<&str>> = Vec::new();
    for requirement in requirements(security) {
        let schemes = requirement.keys().map(String::as_str);
        missing.push(schemes.filter(|name| !is_sent(document, name)).collect());
    }
    let schemes: BTreeSet<&str> = missing.iter().flatten().copied().collect();
    if missing.is_empty() || missing.iter().any(BTreeSet::is_empty) {
        return None;
    }
    let schemes: Vec<&str> = schemes.into_iter().collect();
    Some(Error::at(
        at,
        format!(
            "a call needs `{}`, which the client does not send",
            schemes.join("` or `")
        ),
        "give the operation a requirement with OAuth or a bearer token alone, or add the header in the transport",
    ))
}

fn requirements(security: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let requirements = security.and_then(Value::as_array).into_iter().flatten();
    requirements.filter_map(Value::as_object)
}

/// Returns the scopes of all schemes of a requirement.
fn scopes_of(requirement: &Map<String, Value>) -> Scopes {
    let lists = requirement.values().filter_map(Value::as_array);
    let scopes = lists.flatten().filter_map(Value::as_str);
    scopes.map(str::to_owned).collect()
}

/// Whether the client meets a scheme with its token, or with a header that it always sends, such as the signature.
fn is_sent(document: &Value, name: &str) -> bool {
    let scheme = &document["components"]["securitySchemes"][name];
    let header = scheme["name"].as_str().filter(|_| scheme["in"] == "header");
    let mut known = TRANSPORT_HEADERS.iter();
    let is_known = header.is_some_and(|header| known.any(|it| header.eq_ignore_ascii_case(it)));
    is_known || is_token(document, name)
}

/// Whether one of the schemes of a requirement is a token.
fn has_token(document: &Value, requirement: &Map<String, Value>) -> bool {
    requirement.keys().any(|name| is_token(document, name))
}

/// Whether a scheme is a token. A scheme that is not described counts as a token.
fn is_token(document: &Value, name: &str) -> bool {
    let scheme = &document["components"]["securitySchemes"][name];
    let is_bearer = scheme["scheme"]
        .as_str()
        .is_none_or(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    match scheme["type"].as_str() {
        Some("apiKey" | "mutualTLS") => false,
        Some("http") => is_bearer,
        _ => true,
    }
}

/// Returns the sets that suffice for one requirement. Of `x:read` and `x:admin`, one is enough; all other scopes are
/// needed.
fn alternatives(requirement: &Scopes) -> Vec<Scopes> {
    let mut sets = vec![Scopes::new()];
    for scope in requirement {
        let other = |from: &str, to: &str| {
            let other = format!("{}{to}", scope.strip_suffix(from)?);
            requirement.contains(&other).then_some(other)
        };
        let reading = other(ADMIN, READ);
        if other(READ, ADMIN).is_some() {
            // This scope is an alternative to the scope for changes, and is added together with it.
            continue;
        }
        let mut with_reading = sets.clone();
        insert(&mut sets, scope);
        let Some(reading) = reading else {
            continue;
        };
        if sets.len() < MAX_SETS {
            insert(&mut with_reading, &reading);
            sets.append(&mut with_reading);
        } else {
            insert(&mut sets, &reading);
        }
    }
    sets
}

fn insert(sets: &mut [Scopes], scope: &str) {
    for set in sets {
        set.insert(scope.to_owned());
    }
}

/// Whether a token with these scopes may change something.
fn changes(set: &Scopes) -> bool {
    set.iter().any(|scope| scope.ends_with(ADMIN))
}

/// Whether a call with these requirements needs no token.
pub(super) fn needs_no_token(document: &Value, security: Option<&Value>) -> bool {
    let Some(security) = security else {
        // A description without any requirements does not tell which operations need a token.
        return has_security(document);
    };
    let mut requirements = security.as_array().into_iter().flatten();
    let is_empty = |requirement: &Value| requirement.as_object().is_none_or(Map::is_empty);
    requirements.all(is_empty)
}

/// Whether any operation of the document has security requirements.
fn has_security(document: &Value) -> bool {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(_, item)| item.as_object())
        .flat_map(Map::values)
        .any(|operation| operation.get("security").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{optional_scopes, scope_sets};

    #[test]
    fn a_token_needs_all_scopes_of_one_requirement() {
        let document = json!({ "components": { "securitySchemes": {
            "key": { "type": "apiKey" }, "basic": { "type": "http", "scheme": "basic" },
            "bearer": { "type": "http", "scheme": "Bearer" }, "oauth": { "type": "oauth2" },
        } } });
        for (security, expected) in [
            (json!([]), json!([])),
            (json!([{ "oauth": ["a"] }]), json!([["a"]])),
            (json!([{ "oauth": ["b", "a"] }]), json!([["a", "b"]])),
            (
                json!([{ "oauth": ["b"] }, { "oauth": ["a"] }]),
                json!([["a"], ["b"]]),
            ),
            (
                json!([{ "oauth": ["a"], "bearer": ["b"] }]),
                json!([["a", "b"]]),
            ),
            (
                json!([{ "oauth": ["x:admin", "x:read"] }]),
                json!([["x:read"], ["x:admin"]]),
            ),
            (
                json!([{ "oauth": ["x:read", "x:admin", "y:read"] }]),
                json!([["x:read", "y:read"], ["x:admin", "y:read"]]),
            ),
            (
                json!([{ "oauth": ["x:admin"] }, { "oauth": ["x:read"] }]),
                json!([["x:read"], ["x:admin"]]),
            ),
            (
                json!([{ "oauth": ["a", "b"] }, { "oauth": ["a"] }]),
                json!([["a"]]),
            ),
            (json!([{ "key": [] }, { "oauth": ["a"] }]), json!([["a"]])),
            (json!([{ "key": [] , "oauth": ["a"] }]), json!([["a"]])),
            (json!([{ "key": [] }, { "bearer": [] }]), json!([[]])),
            (json!([{ "oauth": ["a"] }, {}]), json!([[]])),
            (json!([{ "key": [] }, { "basic": [] }]), json!([])),
            (json!([{ "undescribed": ["a"] }]), json!([["a"]])),
        ] {
            let found = scope_sets(&document, Some(&security));
            assert_eq!(json!(found), expected, "{security}");
        }
    }

    #[test]
    fn the_overlay_says_which_scopes_are_optional() {
        let document = json!({ "components": { "securitySchemes": {
            "oauth": { "type": "oauth2", "x-optional-scopes": ["prices:read", "roles:admin"] },
            "other": { "type": "oauth2" },
        } } });
        let security = json!([{ "oauth": ["orders:read", "prices:read"] }]);
        assert_eq!(optional_scopes(&document, Some(&security)), ["prices:read"]);
        assert!(optional_scopes(&document, None).is_empty());
        assert!(optional_scopes(&json!({}), Some(&security)).is_empty());
    }
}
