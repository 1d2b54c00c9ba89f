//! Reports and their files.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_becomes_a_pdf_with_a_line_for_each_account() {
    let (api, account) = with_cash("1000.00").await;
    let report = api
        .sandbox
        .create_report("ACCOUNT_STATEMENT")
        .await
        .unwrap()
        .to_string();
    assert_eq!(listed_status(&api, "/reports", &report), "PENDING");
    assert_eq!(api.list("/reports")[0].get("file_id"), None);
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/reports", &report), "READY");
    let file = api.list("/reports")[0]["file_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = api
        .send("GET", &format!("/files/{file}"), None, None)
        .unwrap();
    assert_eq!(file.status, 200);
    assert!(
        file.headers
            .contains(&("content-type".to_owned(), "application/pdf".to_owned()))
    );
    assert!(file.body.starts_with(b"%PDF"));
    let text = String::from_utf8_lossy(&file.body);
    assert!(text.contains("(ACCOUNT_STATEMENT of 2024-01-31)"), "{text}");
    assert!(
        text.contains(&format!("(Account {account}: 1000.00 EUR)")),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_can_fail_and_has_no_file_then() {
    let api = Plain::start().await;
    let report = json!({ "command": "create_report", "type": "TAX", "fails": true });
    let report = api.command(report).await;
    api.seconds(5).await;
    assert_eq!(listed_status(&api, "/reports", &id(&report)), "FAILED");
    assert_eq!(api.list("/reports")[0].get("file_id"), None);
    assert_eq!(
        api.events_of(&id(&report)),
        ["REPORT.PENDING", "REPORT.FAILED"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_treasury_report_has_its_file_at_once() {
    let (api, _) = with_cash("1000.00").await;
    let report = api
        .command(json!({ "command": "create_treasury_report", "type": "TREASURY" }))
        .await;
    let reports = api.list("/treasury_reports");
    assert_eq!(reports.len(), 1);
    assert_eq!(&reports[0]["id"], &report["id"]);
    let file = reports[0]["file_id"].as_str().unwrap();
    let file = api
        .send("GET", &format!("/files/{file}"), None, None)
        .unwrap();
    assert!(file.body.starts_with(b"%PDF"));
    assert_eq!(
        api.call("GET", &format!("/files/{}", Uuid::nil()), None).0,
        404
    );
}
