//! A download, from its settings to the file.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{TryFutureExt as _, stream};
use http::header::{ACCEPT, CONTENT_RANGE};
use http::{Request, StatusCode};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use upvest_api::runtime::{self, OperationMeta};
use upvest_api::{ByteStream, Error, ErrorKind};

use super::body::Body;
use super::fetch::{Fetched, fetch};
use crate::pipeline::Pipeline;
use crate::upvest::Upvest;

type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// A download that has not begun. Made by [`Upvest::download`]. It owns what it needs, so that it can be moved into a task.
#[must_use = "nothing is sent before `to_path`, `to_writer` or `into_stream`"]
pub struct Download {
    source: Source,
    offset: u64,
    idle: Duration,
    sha256: bool,
    progress: Option<OnProgress>,
}

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes of the file are there.
    pub received: u64,
    /// The length of the file in bytes, where the server says so.
    pub length: Option<u64>,
}

/// A file that has arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The length of the file in bytes.
    pub length: u64,
    /// The media type, such as `application/pdf`.
    pub content_type: Option<String>,
    /// The SHA-256 of what this download wrote, where [`Download::sha256`] asked for it.
    pub sha256: Option<[u8; 32]>,
}

impl Upvest {
    /// Downloads what an operation answers with as a file. The bytes are never all in memory.
    ///
    /// ```no_run
    /// # async fn fetch(upvest: upvest_ext::Upvest, file: upvest_ext::api::types::FileId) -> Result<(), upvest_ext::Error> {
    /// upvest.download(upvest.retrieve_file().file_id(file)).to_path("statement.pdf").await?;
    /// # Ok(()) }
    /// ```
    pub fn download<O: runtime::Download>(&self, operation: O) -> Download {
        let source =
            Source { pipeline: self.pipeline().clone(), request: operation.request(), operation: O::META };
        Download { source, offset: 0, idle: Duration::from_secs(30), sha256: false, progress: None }
    }
}

impl Download {
    /// Gives up where nothing comes for `timeout`. 30 s unless set.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Computes the SHA-256 on the way.
    pub fn sha256(mut self) -> Self {
        self.sha256 = true;
        self
    }

    /// Calls `callback` after each piece that was written.
    pub fn on_progress(mut self, callback: impl FnMut(Progress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Leaves out the first `position` bytes, as [`Error::position`] says how many have been written before. For
    /// [`Download::to_writer`] and [`Download::into_stream`]; [`Download::to_path`] begins anew.
    pub fn resume_at(mut self, position: u64) -> Self {
        self.offset = position;
        self
    }

    /// Writes the file to `path`, in the place of any that is there.
    ///
    /// The bytes are written to a hidden file beside it, which gets the name once it is whole and on disk. A download that
    /// fails, or is dropped, leaves everything as it was.
    ///
    /// # Errors
    ///
    /// The error of the call; [`ErrorKind::Interrupted`] or [`ErrorKind::Timeout`] where the download breaks off or is shorter
    /// than announced; [`ErrorKind::Decode`] where something else than a file comes; [`ErrorKind::Io`] where it cannot be
    /// written.
    pub async fn to_path(mut self, path: impl AsRef<Path>) -> Result<Downloaded, Error> {
        let path = path.as_ref();
        self.offset = 0;
        let body = begin(&self.source, 0).await?;
        // Dropped before it is put in place, it is removed.
        let partial = beside(path).map_err(|error| self.source.unwritten(error, 0))?;
        let mut file = File::from_std(partial.reopen().map_err(|error| self.source.unwritten(error, 0))?);
        let downloaded = self.write(body, &mut file).await?;
        file.sync_all().await.map_err(|error| self.source.unwritten(error, downloaded.length))?;
        partial.persist(path).map_err(|failed| self.source.unwritten(failed.error, downloaded.length))?;
        Ok(downloaded)
    }

    /// Writes the file to `writer`, which holds a part of it if the download fails.
    ///
    /// # Errors
    ///
    /// As [`Download::to_path`]. What is missing is what [`Download::resume_at`] gets from [`Error::position`] on.
    pub async fn to_writer(
        mut self,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<Downloaded, Error> {
        let body = begin(&self.source, self.offset).await?;
        self.write(body, writer).await
    }

    /// The bytes as they arrive, without hash and progress: to pass them on, as the body of an answer of your own, for example.
    ///
    /// ```no_run
    /// # async fn pass_on(upvest: upvest_ext::Upvest, file: upvest_ext::api::types::FileId) -> Result<(), upvest_ext::Error> {
    /// use futures_util::TryStreamExt;
    ///
    /// let mut bytes = upvest.download(upvest.retrieve_file().file_id(file)).into_stream();
    /// while let Some(chunk) = bytes.try_next().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn into_stream(self) -> ByteStream {
        let Self { source, offset, idle, .. } = self;
        let stream = async move {
            let body = begin(&source, offset).await?;
            Ok(stream::try_unfold((source, body), move |(source, body)| async move {
                let Some(mut body) = body else { return Ok(None) };
                let chunk = next(&mut body, idle, &source).await?;
                Ok(chunk.map(|chunk| (chunk, (source, Some(body)))))
            }))
        };
        ByteStream::new(stream.try_flatten_stream())
    }

    async fn write(
        &mut self,
        body: Option<Body>,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<Downloaded, Error> {
        let mut hash = self.sha256.then(|| Context::new(&SHA256));
        let (mut written, mut content_type) = (self.offset, None);
        if let Some(mut body) = body {
            while let Some(chunk) = next(&mut body, self.idle, &self.source).await? {
                writer.write_all(&chunk).await.map_err(|error| self.source.unwritten(error, written))?;
                written = body.position;
                if let Some(hash) = &mut hash {
                    hash.update(&chunk);
                }
                if let Some(callback) = &mut self.progress {
                    callback(Progress { received: written, length: body.length });
                }
            }
            content_type = body.content_type;
        }
        writer.flush().await.map_err(|error| self.source.unwritten(error, written))?;
        let sha256 = hash.and_then(|hash| hash.finish().as_ref().try_into().ok());
        Ok(Downloaded { length: written, content_type, sha256 })
    }
}

/// The bytes that are missing, or `None` where none are.
async fn begin(source: &Source, offset: u64) -> Result<Option<Body>, Error> {
    let begun = async {
        let fetched = fetch(source, offset).await?;
        match fetched.answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
                let accepted = fetched.is_ours().then(|| source.accepted());
                Body::new(fetched.answer, offset, accepted).map(Some)
            }
            StatusCode::RANGE_NOT_SATISFIABLE if is_complete(&fetched, offset) => Ok(None),
            _ => Err(fetched.refusal(source.operation).await),
        }
    };
    begun.await.map_err(|error| source.at(error, offset))
}

/// `content-range: bytes */1000` says how long the file is (RFC 9110 section 15.5.17).
fn is_complete(fetched: &Fetched, offset: u64) -> bool {
    let range = fetched.answer.headers().get(CONTENT_RANGE);
    let length = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes */")?.parse().ok());
    offset > 0 && length == Some(offset)
}

async fn next(body: &mut Body, idle: Duration, source: &Source) -> Result<Option<Bytes>, Error> {
    let position = body.position;
    body.next(idle, &*source.pipeline.core.ambient.clock).await.map_err(|error| source.at(error, position))
}

/// A hidden file in the folder of `path`, which only its owner can read.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!(".{}.", name.to_string_lossy());
    tempfile::Builder::new().prefix(&prefix).suffix(".part").tempfile_in(folder)
}

/// What is downloaded.
pub(super) struct Source {
    pub(super) pipeline: Pipeline,
    pub(super) request: Result<Request<Bytes>, Error>,
    pub(super) operation: &'static OperationMeta,
}

impl Source {
    /// The media types that were asked for.
    fn accepted(&self) -> &str {
        let accept = self.request.as_ref().ok().and_then(|request| request.headers().get(ACCEPT));
        accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default()
    }

    fn unwritten(&self, error: io::Error, position: u64) -> Error {
        let message = format!("the file cannot be written: {error}");
        self.at(Error::new(ErrorKind::Io, message).with_source(error), position)
    }

    fn at(&self, error: Error, position: u64) -> Error {
        error.with_operation(self.operation.id).with_position(position)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("operation", &self.source.operation.id)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
