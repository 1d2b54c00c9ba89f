//! Resources that are created, read, changed, deleted and downloaded.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use upvest_sandbox::Command;

use super::support::sandbox_with_household;

#[tokio::test]
async fn every_operation_succeeds_and_responds_as_described() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let operations: Vec<_> = api
        .document
        .operations()
        .map(|operation| operation.id.as_str())
        .collect();
    assert_eq!(operations.len(), 70);
    let (ends, others): (Vec<_>, Vec<_>) = operations
        .into_iter()
        .partition(|id| id.starts_with("delete") || id.starts_with("close"));
    for id in others {
        let response = household.call(&api, id).ok().await;
        // An empty list would not test the schema of its items.
        if id.starts_with("list") {
            assert!(
                !response["data"].as_array().unwrap().is_empty(),
                "{id} listed nothing"
            );
        }
    }
    for id in ends {
        assert_eq!(household.call(&api, id).ok().await, Value::Null);
    }
    let all: BTreeSet<_> = api
        .document
        .operations()
        .map(|operation| operation.id.clone())
        .collect();
    assert_eq!(api.succeeded(), all);
    assert_eq!(sandbox.audit(), [""; 0]);
}

#[tokio::test]
async fn created_resources_are_found_and_deleted_ones_are_not() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    for (create, retrieve, id) in [
        ("createUser", "retrieveUser", "user_id"),
        (
            "createUserIdentifier",
            "retrieveUserIdentifier",
            "identifier_id",
        ),
        ("createAccount", "retrieveAccount", "account_id"),
        ("createOrder", "retrieveOrder", "order_id"),
        ("createPortfolio", "retrievePortfolio", "portfolio_id"),
        (
            "createSavingsPlan",
            "retrieveSavingsPlan",
            "savings_plan_id",
        ),
        (
            "createWebhookSubscription",
            "retrieveWebhookSubscription",
            "webhook_id",
        ),
    ] {
        let made = household.call(&api, create).ok().await;
        let others = api
            .document
            .operation(retrieve)
            .ids()
            .into_iter()
            .filter(|name| *name != id);
        let call = others.fold(api.call(retrieve), |call, name| {
            call.id(name, household.id(name))
        });
        let found = call.id(id, made["id"].as_str().unwrap()).ok().await;
        assert_eq!(found, made, "{retrieve}");
        for (field, sent) in household.body(create).unwrap().as_object().unwrap() {
            assert!(
                found[field] == *sent || field == "allocations",
                "{create} lost {field}: {found}"
            );
        }
    }
    for (delete, retrieve) in [
        ("deleteSavingsPlan", "retrieveSavingsPlan"),
        ("deleteWebhookSubscription", "retrieveWebhookSubscription"),
    ] {
        household.call(&api, delete).ok().await;
        household.call(&api, retrieve).rejected(404).await;
        household.call(&api, delete).rejected(404).await;
    }
}

#[tokio::test]
async fn an_update_changes_only_the_fields_in_its_body() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    for (update, retrieve) in [
        ("updateUser", "retrieveUser"),
        ("updateUserIdentifier", "retrieveUserIdentifier"),
        ("updateAccount", "retrieveAccount"),
        ("updatePortfolio", "retrievePortfolio"),
        ("updateSavingsPlan", "retrieveSavingsPlan"),
        ("updateWebhookSubscription", "retrieveWebhookSubscription"),
    ] {
        let before = household.call(&api, retrieve).ok().await;
        let update_body = household.body(update).unwrap();
        let answered = household.call(&api, update).ok().await;
        let after = household.call(&api, retrieve).ok().await;
        assert_eq!(answered, after, "{update}");
        for (field, value) in after.as_object().unwrap() {
            match update_body.get(field) {
                Some(sent) => assert_eq!(value, sent, "{update} did not set {field}"),
                // These resources exist as a consequence of the others.
                None if ["updated_at", "next_execution_date"].contains(&field.as_str()) => {}
                None => assert_eq!(*value, before[field], "{update} changed {field}"),
            }
        }
        assert_eq!(
            household.call(&api, update).body(json!({})).ok().await,
            after,
            "an empty {update}"
        );
    }
}

#[tokio::test]
async fn files_have_their_media_types() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let pdf = household
        .call(&api, "retrieveFile")
        .header("accept", "application/pdf")
        .send()
        .await;
    assert_eq!(pdf.header("content-type"), Some("application/pdf"));
    assert!(pdf.body.starts_with(b"%PDF-"));
    let stored = Command::StoreFile {
        content: "a,b\n1,2\n".to_owned(),
        media_type: None,
    };
    let stored = sandbox.execute(stored).await.unwrap();
    let id = stored["id"].as_str().unwrap();
    let file = api.call("retrieveFile").id("file_id", id).send().await;
    assert_eq!(
        file.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(file.text(), "a,b\n1,2\n");
    // The `accept` headers of generated clients and of browsers.
    for accept in [
        "application/json",
        "application/pdf",
        "text/html",
        "application/pdf;q=0",
    ] {
        let file = api
            .call("retrieveFile")
            .id("file_id", id)
            .header("accept", accept)
            .send()
            .await;
        assert_eq!(file.status.as_u16(), 200, "as {accept}");
        assert_eq!(file.text().as_str(), "a,b\n1,2\n", "as {accept}");
    }
    let excluded = "*/*, application/octet-stream;q=0";
    let none = api
        .call("retrieveFile")
        .id("file_id", id)
        .header("accept", excluded)
        .send()
        .await;
    assert_eq!(none.status.as_u16(), 406);
    assert_eq!(none.kind(), "not_acceptable".to_owned());
}
