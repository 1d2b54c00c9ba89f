//! Downloads of files: streamed, checked, and written completely or not at all.
//!
//! ```no_run
//! # async fn fetch(upvest: upvest_ext::Upvest, file: upvest_ext::api::types::FileId) -> Result<(), upvest_ext::Error> {
//! let file = upvest.download(upvest.retrieve_file().file_id(file)).to_path("statement.pdf").await?;
//! println!("{} bytes of {:?}", file.length, file.content_type);
//! # Ok(()) }
//! ```
//!
//! [`Error::position`](crate::Error::position) of a failed download is the number of bytes that were received, for
//! [`Download::resume_at`].
//!
//! Guide: `docs/guides/files.md`. It includes reports and a progress bar.

mod body;
mod download;
mod fetch;
mod versions;

pub use body::FileStream;
pub use download::{Download, Downloaded};
pub(crate) use versions::Versions;
