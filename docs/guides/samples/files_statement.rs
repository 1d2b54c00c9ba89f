// region: guide
// docs/guides/samples/files_statement.rs
// crates: upvest-ext
use std::path::Path;

use upvest_ext::Upvest;
use upvest_ext::api::types::ReportId;

async fn statement(
    upvest: &Upvest,
    id: ReportId,
    path: &Path,
) -> Result<u64, Box<dyn std::error::Error>> {
    // No operation reads a single report, so the list is polled until the report has a final status.
    let report = upvest.wait_for_item(upvest.list_reports(), id).await?;
    let id = report.file_id.ok_or("the report has failed")?;
    let file = upvest
        .retrieve_file()
        .file_id(id)
        .send()
        .await?
        .into_inner();
    Ok(file.write_to(path).await?)
}
// endregion

#[tokio::test]
async fn a_statement_is_written() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let report = sandbox.create_report("ACCOUNT_STATEMENT").await.unwrap();
    sandbox.advance(std::time::Duration::from_secs(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statement.pdf");
    let length = statement(&upvest, ReportId::from(report), &path).await;
    assert_eq!(length.unwrap(), std::fs::metadata(&path).unwrap().len());
}
