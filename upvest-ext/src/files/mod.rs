//! Files: downloaded as they come, checked, and put in place whole or not at all.
//!
//! ```no_run
//! # async fn fetch(upvest: upvest_ext::Upvest, file: upvest_ext::api::types::FileId) -> Result<(), upvest_ext::Error> {
//! let file = upvest.download(upvest.retrieve_file().file_id(file)).to_path("statement.pdf").await?;
//! println!("{} bytes of {:?}", file.length, file.content_type);
//! # Ok(()) }
//! ```
//!
//! An error of a download has the number of bytes that arrived in [`Error::position`](crate::Error::position), for
//! [`Download::resume_at`].
//!
//! Guide: `docs/guides/files.md`, with reports and progress.

mod body;
mod download;
mod fetch;
mod versions;

pub use body::FileStream;
pub use download::{Download, Downloaded};
pub(crate) use versions::Versions;
