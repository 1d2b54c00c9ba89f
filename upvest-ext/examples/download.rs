//! Downloads a file with a progress bar: `cargo run --example download -- FILE_ID PATH`, with the client in the environment.

use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncWriteExt as _;
use upvest_ext::Upvest;

const BAR: &str = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(id), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: download FILE_ID PATH".into());
    };
    let upvest = Upvest::from_env()?;
    let mut bytes = upvest.download(upvest.retrieve_file().file_id(id)).open().await?;
    let bar = bytes.length().map_or(ProgressBar::no_length(), ProgressBar::new);
    bar.set_style(ProgressStyle::with_template(BAR)?);
    // `to_path` would do all this but for the bar, and leave no part of a file behind.
    let mut file = tokio::fs::File::create(&path).await?;
    while let Some(chunk) = bytes.try_next().await? {
        file.write_all(&chunk).await?;
        bar.inc(chunk.len() as u64);
    }
    file.sync_all().await?;
    bar.finish();
    Ok(())
}
