// region: guide
// docs/guides/samples/files_copy.rs
// crates: futures-util, upvest-ext
use futures_util::TryStreamExt as _;
use upvest_ext::Upvest;
use upvest_ext::api::types::FileId;

async fn copy(upvest: &Upvest, id: FileId) -> Result<(), upvest_ext::Error> {
    let mut file = upvest
        .retrieve_file()
        .file_id(id)
        .send()
        .await?
        .into_inner();
    println!("{:?} bytes", file.length());
    while let Some(chunk) = file.try_next().await? {
        println!("{} bytes", chunk.len());
    }
    Ok(())
}
// endregion

#[tokio::test]
async fn a_file_is_read_in_chunks() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let report = sandbox.create_report("ACCOUNT_STATEMENT").await.unwrap();
    sandbox.advance(std::time::Duration::from_secs(1)).await;
    let reports = upvest.list_reports().send().await.unwrap();
    assert_eq!(uuid::Uuid::from(reports.data[0].id), report);
    copy(&upvest, reports.data[0].file_id.unwrap())
        .await
        .unwrap();
}
