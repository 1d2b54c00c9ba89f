// region: guide
// docs/guides/samples/files_download.rs
// crates: reqwest, serde, upvest-ext
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use upvest_ext::{ByteStream, Method, Upvest};

/// What Upvest's own `GET /files/{folder}/{file_name}` returns.
#[derive(Deserialize)]
struct SignedFile {
    signed_url: String,
    content_length: u64,
    checksum: String,
}

/// Choose `path` yourself: a name from a server could lead to another folder.
async fn download(
    upvest: &Upvest,
    folder: &str,
    name: &str,
    path: &Path,
) -> Result<(), Box<dyn Error>> {
    let request = upvest.request(Method::GET, ["files", folder, name]);
    let file = request.send_json::<SignedFile>().await?.into_inner();
    let http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(20))
        .build()?;
    let response = http.get(&file.signed_url).send().await;
    // The link gives access to the file, so it must not be in an error.
    let response = response.map_err(reqwest::Error::without_url)?;
    let bytes = ByteStream::from_response(response)?;
    bytes
        .write_to_checked(path, file.content_length, &file.checksum)
        .await?;
    Ok(())
}
// endregion

#[tokio::test]
async fn a_file_is_written_only_if_length_and_checksum_match() {
    use upvest_tests::signed_files::upvest_with_file;

    let folder = tempfile::tempdir().unwrap();
    let checksum = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
    let path = folder.path().join("report.zip");
    let upvest = upvest_with_file(7, checksum).await;
    download(&upvest, "reports", "2026.zip", &path)
        .await
        .unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"content");

    let path = folder.path().join("wrong.zip");
    let wrong = checksum.replace('e', "f");
    for (length, checksum) in [(8, checksum), (6, checksum), (7, wrong.as_str())] {
        let upvest = upvest_with_file(length, checksum).await;
        let result = download(&upvest, "reports", "2026.zip", &path).await;
        assert!(result.is_err(), "{length}, {checksum}");
        assert!(!path.exists());
    }
}
