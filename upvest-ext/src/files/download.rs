//! The settings of a download, and writing it to a file.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{TryFutureExt as _, TryStreamExt as _};
use http::header::{ACCEPT, CONTENT_RANGE};
use http::{Request, StatusCode};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use upvest_api::runtime::{self, OperationMeta};
use upvest_api::{ByteStream, Error, ErrorKind};

use super::body::FileStream;
use super::fetch::{Fetched, Rest, fetch};
use super::versions::version;
use crate::call::pipeline::Pipeline;
use crate::client::upvest::Upvest;
use crate::debug_fields::debug_fields;

/// A download that has not started yet. Made by [`Upvest::download`]. It borrows nothing, so it can be moved into a task.
#[must_use = "nothing is sent before `to_path`, `to_writer`, `open` or `into_stream`"]
pub struct Download {
    source: Source,
    offset: u64,
    idle: Duration,
}

/// A completed download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The length of the file in bytes.
    pub length: u64,
    /// The media type, such as `application/pdf`.
    pub content_type: Option<String>,
}

impl Upvest {
    /// Downloads the file that an operation returns. It is streamed, so that it need not fit in memory.
    ///
    /// ```no_run
    /// # async fn fetch(upvest: upvest_ext::Upvest, file: upvest_ext::api::types::FileId) -> Result<(), upvest_ext::Error> {
    /// upvest.download(upvest.retrieve_file().file_id(file)).to_path("statement.pdf").await?;
    /// # Ok(()) }
    /// ```
    pub fn download<O: runtime::Download>(&self, operation: O) -> Download {
        let source = Source {
            pipeline: self.pipeline().clone(),
            request: operation.request(),
            operation: O::META,
        };
        Download {
            source,
            offset: 0,
            idle: Duration::from_secs(30),
        }
    }
}

impl Download {
    /// Fails if no bytes arrive for `timeout`. 30 s by default.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Skips the first `position` bytes, which were received before according to [`Error::position`]. Has no effect on
    /// [`Download::to_path`], which always starts at the beginning.
    ///
    /// If this client, or a clone of it, received the first bytes and the file has changed since then, the download fails
    /// with [`ErrorKind::Decode`]; download it again from its beginning. Other clients cannot detect such a change.
    pub fn resume_at(mut self, position: u64) -> Self {
        self.offset = position;
        self
    }

    /// Writes the file to `path` and replaces an existing file.
    ///
    /// The bytes are written to a hidden file in the same folder, which is renamed once it is complete and on disk. If a download
    /// fails or is dropped, nothing is changed. Only the file's owner can read it (mode 0600).
    ///
    /// # Errors
    ///
    /// The errors of the call; [`ErrorKind::Interrupted`] or [`ErrorKind::Timeout`] if the download is interrupted or shorter
    /// than announced; [`ErrorKind::Decode`] if the answer is not a file; [`ErrorKind::Io`] if it cannot be
    /// written.
    pub async fn to_path(mut self, path: impl AsRef<Path>) -> Result<Downloaded, Error> {
        let path = path.as_ref();
        self.offset = 0;
        let bytes = self.begin().await?;
        // The file is removed if this is dropped before `persist`.
        let partial = beside(path).map_err(|error| self.source.unwritten(error, 0))?;
        let mut file = File::from_std(
            partial
                .reopen()
                .map_err(|error| self.source.unwritten(error, 0))?,
        );
        let downloaded = self.write(bytes, &mut file).await?;
        file.sync_all()
            .await
            .map_err(|error| self.source.unwritten(error, downloaded.length))?;
        partial
            .persist(path)
            .map_err(|failed| self.source.unwritten(failed.error, downloaded.length))?;
        Ok(downloaded)
    }

    /// Writes the file to `writer`. If the download fails, a part of the file has been written.
    ///
    /// # Errors
    ///
    /// As [`Download::to_path`]. To get the rest of the file, pass [`Error::position`] to [`Download::resume_at`].
    pub async fn to_writer(
        self,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<Downloaded, Error> {
        let bytes = self.begin().await?;
        self.write(bytes, writer).await
    }

    /// Sends the request and returns a stream of the bytes with the file's length and type, for example for a progress bar or a
    /// checksum.
    ///
    /// ```no_run
    /// # async fn hash(upvest: upvest_ext::Upvest, file: upvest_ext::api::types::FileId) -> Result<(), upvest_ext::Error> {
    /// use futures_util::TryStreamExt;
    ///
    /// let mut bytes = upvest.download(upvest.retrieve_file().file_id(file)).open().await?;
    /// println!("{:?} bytes of {:?}", bytes.length(), bytes.content_type());
    /// while let Some(chunk) = bytes.try_next().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Download::to_path`]. Errors while the bytes arrive are returned by the stream.
    pub async fn open(self) -> Result<FileStream, Error> {
        self.begin().await
    }

    /// As [`Download::open`], but the request is sent when the stream is first polled. Use it to pass the bytes on, for example as
    /// the body of an HTTP response.
    pub fn into_stream(self) -> ByteStream {
        ByteStream::new(self.open().try_flatten_stream())
    }

    async fn write(
        &self,
        mut bytes: FileStream,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<Downloaded, Error> {
        let mut length = self.offset;
        while let Some(chunk) = bytes.try_next().await? {
            writer
                .write_all(&chunk)
                .await
                .map_err(|error| self.source.unwritten(error, length))?;
            length += chunk.len() as u64;
        }
        writer
            .flush()
            .await
            .map_err(|error| self.source.unwritten(error, length))?;
        Ok(Downloaded {
            length,
            content_type: bytes.content_type().map(str::to_owned),
        })
    }

    /// Requests the bytes from `offset` on.
    async fn begin(&self) -> Result<FileStream, Error> {
        self.ask()
            .await
            .map_err(|error| self.source.at(error, self.offset))
    }

    async fn ask(&self) -> Result<FileStream, Error> {
        let Self {
            source,
            offset,
            idle,
        } = self;
        let core = &source.pipeline.core;
        let uri = source.request.as_ref().map_err(Error::clone)?.uri();
        let begun = core.versions.get(uri).filter(|_| *offset > 0);
        let fetched = fetch(
            source,
            Rest {
                offset: *offset,
                version: begun.as_ref(),
            },
        )
        .await?;
        let (status, found) = (fetched.answer.status(), version(fetched.answer.headers()));
        match status {
            // A partial answer without a version header is of the requested version.
            StatusCode::OK | StatusCode::PARTIAL_CONTENT
                if begun.is_some()
                    && found != begun
                    && (found.is_some() || status == StatusCode::OK) =>
            {
                Err(Error::new(ErrorKind::Decode, CHANGED))
            }
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
                if *offset == 0 {
                    core.versions.set(uri, found);
                }
                let accepted = fetched.is_ours().then(|| source.accepted());
                let clock = Arc::clone(&core.clock_and_rng.clock);
                FileStream::new(
                    fetched.answer,
                    *offset,
                    accepted,
                    (*idle, clock),
                    source.operation.id,
                )
            }
            StatusCode::RANGE_NOT_SATISFIABLE if is_complete(&fetched, *offset) => {
                Ok(FileStream::complete(*offset))
            }
            _ => Err(fetched.into_error(source.operation).await),
        }
    }
}

const CHANGED: &str = "the file has changed since its first bytes were received; download it again from its beginning";

/// Whether the file ends at `offset`. `content-range: bytes */1000` contains its length (RFC 9110 section 15.5.17).
fn is_complete(fetched: &Fetched, offset: u64) -> bool {
    let range = fetched.answer.headers().get(CONTENT_RANGE);
    let length =
        range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes */")?.parse().ok());
    offset > 0 && length == Some(offset)
}

/// Creates a hidden file in the folder of `path`, which only its owner can read.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path does not end with a file name",
        )
    })?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let prefix = format!(".{}.", name.to_string_lossy());
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .tempfile_in(folder)
}

/// The request of a download.
pub(super) struct Source {
    pub(super) pipeline: Pipeline,
    pub(super) request: Result<Request<Bytes>, Error>,
    pub(super) operation: &'static OperationMeta,
}

impl Source {
    /// The requested media types.
    fn accepted(&self) -> &str {
        let accept = self
            .request
            .as_ref()
            .ok()
            .and_then(|request| request.headers().get(ACCEPT));
        accept
            .and_then(|accept| accept.to_str().ok())
            .unwrap_or_default()
    }

    fn unwritten(&self, error: io::Error, position: u64) -> Error {
        let message = format!("the file could not be written: {error}");
        self.at(
            Error::new(ErrorKind::Io, message).with_source(error),
            position,
        )
    }

    fn at(&self, error: Error, position: u64) -> Error {
        error
            .with_operation(self.operation.id)
            .with_position(position)
    }
}

debug_fields!(
    Download,
    |self| operation = self.source.operation.id,
    offset = self.offset
);
