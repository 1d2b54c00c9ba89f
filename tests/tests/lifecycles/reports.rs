//! Reports and their files.

use super::*;

pub(crate) async fn reports(upvest: &Upvest, sandbox: &Sandbox) {
    let begun = sandbox.create_report("ACCOUNT_STATEMENT").await.unwrap();
    let read = async || {
        let reports = upvest
            .list_reports()
            .send()
            .await
            .unwrap()
            .into_inner()
            .data;
        let [report] = reports.as_slice() else {
            panic!("{reports:?}")
        };
        assert_eq!(report.id, begun.into());
        assert_eq!(report.type_.as_deref(), Some("ACCOUNT_STATEMENT"));
        report.clone()
    };
    let report = read().await;
    assert_eq!(report.status, Some(ReportStatus::Pending));
    assert_eq!(report.file_id, None);
    pass(sandbox, 1).await;
    let report = read().await;
    assert_eq!(report.status, Some(ReportStatus::Ready));
    let pdf = file(
        upvest
            .retrieve_file()
            .file_id(report.file_id.unwrap())
            .send()
            .await,
    )
    .await;
    assert!(
        pdf.starts_with(b"%PDF-"),
        "{} bytes that are no PDF",
        pdf.len()
    );

    let content = "a;ä\n".repeat(50_000);
    let stored = Command::StoreFile {
        content: content.clone(),
        media_type: None,
    };
    let stored = sandbox.execute(stored).await.unwrap();
    let read = file(
        upvest
            .retrieve_file()
            .file_id(stored["id"].as_str().unwrap())
            .send()
            .await,
    )
    .await;
    assert!(
        read == content.as_bytes(),
        "the file has changed on the way"
    );
    is_unknown(upvest.retrieve_file().file_id(UNKNOWN_ID).send().await);
}

pub(crate) async fn treasury_reports(upvest: &Upvest, sandbox: &Sandbox) {
    let command = Command::CreateTreasuryReport {
        r#type: "TREASURY".to_owned(),
    };
    sandbox.execute(command).await.unwrap();
    let reports = upvest
        .list_treasury_reports()
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let [report] = reports.as_slice() else {
        panic!("{reports:?}")
    };
    assert_eq!(report.type_.as_deref(), Some("TREASURY"));
    assert_eq!(report.created_at, Some(sandbox.now()));
    let pdf = file(
        upvest
            .retrieve_file()
            .file_id(report.file_id.unwrap())
            .send()
            .await,
    )
    .await;
    assert!(
        pdf.starts_with(b"%PDF-"),
        "{} bytes that are no PDF",
        pdf.len()
    );
}
