//! Lists: filters and pages.

use serde_json::{Value, json};

use super::support::sandbox_with_household;
use crate::common::household::person;
use crate::common::{Api, plain};

#[tokio::test]
async fn filters_select_the_matching_items() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let orders = async |name: &str, value: &str| {
        let page = api.call("listOrders").query(name, value).ok().await;
        assert_eq!(
            page["meta"]["total"],
            page["data"].as_array().unwrap().len()
        );
        page["data"].as_array().unwrap().clone()
    };
    let filled = orders("status", "FILLED").await;
    assert!(!filled.is_empty() && filled.iter().all(|order| order["status"] == "FILLED"));
    let of_account = orders("account_id", &household.account.to_string()).await;
    let account = household.account.to_string();
    assert!(
        !of_account.is_empty()
            && of_account
                .iter()
                .all(|order| order["account_id"] == account.as_str())
    );
    assert_eq!(
        orders("account_id", &household.other_account.to_string()).await,
        [Value::Null; 0]
    );

    let by_isin = api
        .call("listInstruments")
        .query("isin", "US0378331005")
        .ok()
        .await;
    assert_eq!(by_isin["meta"]["total"], 1);
    assert_eq!(by_isin["data"][0]["type"], "EQUITY");
    let by_type = api
        .call("listInstruments")
        .query("type", "EQUITY")
        .ok()
        .await;
    assert_eq!(by_type["data"], by_isin["data"]);
}

#[tokio::test]
async fn pages_together_contain_every_item_once() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut made = Vec::new();
    for _ in 0..105 {
        made.push(
            api.call("createUser")
                .body(person())
                .made()
                .await
                .to_string(),
        );
    }
    let page = async |offset: u64, limit: u64| {
        let call = api
            .call("listUsers")
            .query("offset", offset)
            .query("limit", limit);
        let page = call.ok().await;
        let ids = page["data"].as_array().unwrap().iter();
        let ids: Vec<_> = ids
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect();
        let meta = json!({ "offset": offset, "limit": limit, "count": ids.len(), "total": 105 });
        assert_eq!(page["meta"], meta);
        ids
    };
    for limit in [1, 7, 20, 35, 100] {
        let mut seen = Vec::new();
        loop {
            let ids = page(seen.len() as u64, limit).await;
            if ids.is_empty() {
                break;
            }
            seen.extend(ids);
        }
        assert_eq!(seen, made, "in pages of {limit}");
    }
    assert_eq!(page(0, 100).await.len(), 100);
    assert_eq!(page(104, 100).await.len(), 1);
    // New items are at the end of the list, so that they do not move others to another page.
    assert_eq!(page(100, 5).await, made[100..]);
}

#[tokio::test]
async fn every_paged_list_has_defaults_and_is_empty_past_its_end() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let lists: Vec<_> = api
        .document
        .operations()
        .filter(|operation| operation.is_paged())
        .collect();
    assert!(lists.len() > 10);
    for operation in lists {
        let first = household.call(&api, &operation.id).ok().await;
        let meta = &first["meta"];
        let total = meta["total"].as_u64().unwrap();
        assert_eq!(&meta["offset"], &json!(0), "{}", operation.id);
        assert_eq!(&meta["limit"], &json!(20), "{}", operation.id);
        assert_eq!(
            meta["count"],
            first["data"].as_array().unwrap().len(),
            "{}",
            operation.id
        );
        assert_eq!(meta["count"], total.min(20), "{}", operation.id);
        for offset in [total, total + 1, 1_000_000, u64::MAX] {
            let page = household
                .call(&api, &operation.id)
                .query("offset", offset)
                .ok()
                .await;
            assert_eq!(page["data"], json!([]), "{}", operation.id);
            let meta = json!({ "offset": offset, "limit": 20, "count": 0, "total": total });
            assert_eq!(page["meta"], meta, "{}", operation.id);
        }
        let last = household
            .call(&api, &operation.id)
            .query("offset", total - 1)
            .query("limit", 100);
        assert_eq!(last.ok().await["meta"]["count"], 1, "{}", operation.id);
    }
}
