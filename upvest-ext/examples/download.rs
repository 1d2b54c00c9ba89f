//! A report, downloaded with a progress bar: `cargo run --example download`.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncWriteExt as _;
use upvest_ext::ListExt as _;
use upvest_ext::api::types::ReportId;
use upvest_sandbox::Sandbox;

const BAR: &str = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let upvest = sandbox.client();
    let report = ReportId::from(sandbox.create_report("ACCOUNT_STATEMENT").await?);
    sandbox.advance(Duration::from_secs(1)).await;

    // No operation reads a single report, so the list is polled until the report is final.
    let reports = upvest.list_reports();
    let report = upvest
        .wait_for_item(move || reports.clone().items(), report)
        .await?;
    let file = report.file_id.ok_or("the report has failed")?;

    let folder = tempfile::tempdir()?;
    // Writes the file completely or not at all.
    let path = folder.path().join("statement.pdf");
    let done = upvest
        .download(upvest.retrieve_file().file_id(file))
        .to_path(&path)
        .await?;
    println!(
        "{} bytes of {}",
        done.length,
        done.content_type.as_deref().unwrap_or("an unknown type")
    );

    // The stream of bytes, for processing them while they arrive.
    let mut bytes = upvest
        .download(upvest.retrieve_file().file_id(file))
        .open()
        .await?;
    let bar = bytes
        .length()
        .map_or(ProgressBar::no_length(), ProgressBar::new);
    bar.set_style(ProgressStyle::with_template(BAR)?);
    let mut copy = tokio::fs::File::create(folder.path().join("copy.pdf")).await?;
    while let Some(chunk) = bytes.try_next().await? {
        copy.write_all(&chunk).await?;
        bar.inc(chunk.len() as u64);
    }
    copy.sync_all().await?;
    bar.finish();
    Ok(())
}
