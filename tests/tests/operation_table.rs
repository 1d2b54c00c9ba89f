//! The operation table matches the description and the overlay.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;
use upvest_api::operations::{OPERATIONS, find};
use upvest_api::runtime::{
    List, Operation, OperationMeta, Paginated, ParameterPlace, ParameterType,
};
use upvest_api::{builder, operations, types};
use upvest_tests::description::Description;

#[test]
fn the_table_has_every_operation_of_the_description() {
    let operations = Description::vendored().operations();
    assert_eq!(OPERATIONS.len(), operations.len());
    for operation in operations {
        let entry = OPERATIONS
            .iter()
            .find(|entry| entry.id == operation.id)
            .expect("the operation is in the table");
        assert_eq!(entry.method.as_str(), operation.method.as_str());
        assert_eq!(entry.path, operation.path.as_str());
        assert_eq!(find(entry.name), Some(*entry));
    }
    assert_eq!(find("place_bet"), None);
}

#[test]
fn the_table_has_the_name_place_and_necessity_of_every_parameter() {
    let description = Description::vendored();
    let paths = description.document()["paths"]
        .as_object()
        .expect("it has paths");
    let items = paths.values().filter_map(Value::as_object);
    let described = items.flatten().map(|(_, operation)| operation);
    let mut count = 0;
    for operation in described.filter(|operation| operation.get("operationId").is_some()) {
        let id = &operation["operationId"];
        let entry = OPERATIONS.iter().find(|entry| entry.id == id);
        let entry = entry.unwrap_or_else(|| panic!("{id} is not in the table"));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| description.resolve(parameter));
        let expected: BTreeSet<(&str, &str, bool)> = parameters
            // The only header is the idempotency key, which is not in the table, because the client sets it by itself.
            .filter(|parameter| parameter["in"] != "header")
            .map(|parameter| {
                let name = parameter["name"].as_str().expect("it has a name");
                let place = parameter["in"].as_str().expect("it has a place");
                (name, place, parameter["required"] == true)
            })
            .collect();
        let listed: BTreeSet<(&str, &str, bool)> = entry
            .parameters
            .iter()
            .map(|parameter| {
                let place = match parameter.place {
                    ParameterPlace::Path => "path",
                    ParameterPlace::Query => "query",
                    ParameterPlace::Header => "header",
                };
                (parameter.name, place, parameter.required)
            })
            .collect();
        count += listed.len();
        assert_eq!(listed, expected, "{id}");
    }
    assert!(count > 80, "only {count} parameters");
}

#[test]
fn the_table_has_the_type_of_every_parameter() {
    let parameter = |operation: &OperationMeta, name: &str| {
        let mut parameters = operation.parameters.iter();
        *parameters.find(|it| it.name == name).expect("it is there")
    };
    let id = parameter(&operations::RETRIEVE_ORDER, "order_id");
    assert_eq!(id.place, ParameterPlace::Path);
    assert_eq!(id.kind, ParameterType::Uuid);
    let limit = parameter(&operations::LIST_ORDERS, "limit");
    assert_eq!(limit.place, ParameterPlace::Query);
    assert_eq!(limit.kind, ParameterType::Integer);
    let isin = parameter(&operations::LIST_INSTRUMENTS, "isin");
    assert!(!isin.required);
    assert_eq!(isin.kind, ParameterType::Isin);
    let status = parameter(&operations::LIST_ORDERS, "status");
    assert!(matches!(status.kind, ParameterType::Enum(values) if values.contains(&"FILLED")));
}

/// Reviewed by hand: the scopes, the idempotency and the paging of each operation.
#[test]
fn scopes_idempotency_and_paging_are_reviewed() {
    let mut text = String::new();
    for entry in OPERATIONS {
        let _ = write!(
            text,
            "{:<30} {:<6} {:<50} {}",
            entry.name,
            entry.method.as_str(),
            entry.path,
            entry.scopes.join(" ")
        );
        if entry.idempotency_key {
            text.push_str(", idempotency key");
        }
        if let Some(paging) = entry.paging {
            let _ = write!(
                text,
                ", pages of {} to {}, {}",
                paging.min_limit, paging.max_limit, paging.default_limit
            );
        }
        if entry.accept != "application/json" {
            let _ = write!(text, ", accepts {}", entry.accept);
        }
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

#[test]
fn reading_needs_a_read_scope_and_changing_an_admin_scope() {
    let description = Description::vendored();
    let scheme =
        &description.document()["components"]["securitySchemes"]["oauth2ClientCredentials"];
    let scopes = &scheme["flows"]["clientCredentials"]["scopes"];
    for entry in OPERATIONS
        .iter()
        .filter(|entry| entry.id != "createAccessToken")
    {
        let [scope] = entry.scopes else {
            panic!("{} has the scopes {:?}", entry.id, entry.scopes)
        };
        assert!(
            scope.ends_with(if entry.is_safe() { ":read" } else { ":admin" }),
            "{} {scope}",
            entry.id
        );
        assert!(
            scopes[scope].is_string(),
            "the description declares no scope {scope}"
        );
    }
}

#[test]
fn sixteen_operations_page() {
    fn pages<T: Paginated<Item = I>, I>() -> bool {
        T::META.paging.is_some()
    }
    fn lists<T: List<Item = I>, I>() -> bool {
        T::META.paging.is_none()
    }
    assert_eq!(
        OPERATIONS
            .iter()
            .filter(|entry| entry.paging.is_some())
            .count(),
        16
    );
    assert!(pages::<builder::ListOrders, types::Order>());
    assert!(pages::<builder::ListTransactions, types::Transaction>());
    assert!(lists::<builder::ListPositions, types::Position>());
    assert_eq!(<builder::CreateOrder as Operation>::META.id, "createOrder");
}

#[test]
fn a_page_carries_either_name_of_the_total() {
    for total in ["total", "total_count"] {
        let body = format!(r#"{{"data": [], "meta": {{"offset": 40, "{total}": 41}}}}"#);
        let response: types::ListResponse<types::Order> =
            serde_json::from_str(&body).expect("it fits");
        let page = <builder::ListOrders as List>::page(response);
        assert_eq!(page.total, Some(41));
        assert_eq!(page.offset, Some(40));
        assert_eq!(page.items.len(), 0);
    }
}
