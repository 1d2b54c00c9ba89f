//! A report, downloaded with its progress: `cargo example download`.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;
use upvest_ext::Upvest;
use upvest_ext::api::types::ReportId;
use upvest_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let report = ReportId::from(sandbox.create_report("ACCOUNT_STATEMENT").await?);
    sandbox.advance(Duration::from_secs(1)).await;

    // No operation reads a single report, so the list is polled until the report is final.
    let report = upvest.wait_for_item(upvest.list_reports(), report).await?;
    let id = report.file_id.ok_or("the report has failed")?;

    // Writes the file completely or not at all.
    let folder = tempfile::tempdir()?;
    let file = upvest.retrieve_file().file_id(id).send().await?;
    let media_type = file.headers().get("content-type").cloned();
    let path = folder.path().join("statement.pdf");
    let length = file.into_inner().write_to(&path).await?;
    println!("{length} bytes of {media_type:?}");

    // A file is a stream of bytes, for processing them while they arrive.
    let file = upvest.retrieve_file().file_id(id).send().await?;
    let total = file
        .length()
        .map_or("?".to_owned(), |length| length.to_string());
    let mut bytes = file.into_inner();
    let mut received = 0;
    let mut copy = tokio::fs::File::create(folder.path().join("copy.pdf")).await?;
    while let Some(chunk) = bytes.try_next().await? {
        copy.write_all(&chunk).await?;
        received += chunk.len();
        eprint!("\r{received} of {total} bytes");
    }
    eprintln!();
    copy.sync_all().await?;
    Ok(())
}
