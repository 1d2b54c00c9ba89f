//! Downloads a file with a progress bar: `cargo run --example download -- FILE_ID PATH`, with the client in the environment.

use indicatif::{ProgressBar, ProgressStyle};
use upvest_ext::Upvest;

const BAR: &str = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: download FILE_ID PATH".into());
    };
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(BAR)?);
    let shown = bar.clone();
    let upvest = Upvest::from_env()?;
    let download =
        upvest.download(upvest.retrieve_file().file_id(file)).sha256().on_progress(move |progress| {
            shown.set_position(progress.received);
            if let Some(length) = progress.length {
                shown.set_length(length);
            }
        });
    let downloaded = download.to_path(&path).await?;
    bar.finish();
    println!(
        "{path}: {} bytes of {}",
        downloaded.length,
        downloaded.content_type.as_deref().unwrap_or("bytes")
    );
    Ok(())
}
