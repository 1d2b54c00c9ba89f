//! Why a file was not downloaded.

use std::io;

use crate::error::{Error, ErrorKind};

/// Why a file was not downloaded, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The download could not begin.
    #[error("the file could not be asked for")]
    Call(#[from] Error),
    /// The download broke off, or nothing came for as long as the idle timeout.
    #[error("the download broke off after {position} bytes")]
    Interrupted {
        /// How many bytes of the file were written, those before [`Download::resume_at`](super::Download::resume_at) counted.
        position: u64,
        /// What broke it off.
        source: Error,
    },
    /// The file is not as long as was announced.
    #[error("{position} bytes came of a file of {length}")]
    Length {
        /// How many bytes of the file were written.
        position: u64,
        /// The length that was announced, in bytes.
        length: u64,
    },
    /// Something else than a file came, such as a page that says that the link has expired.
    #[error("the answer is no file of a type that was asked for")]
    ContentType {
        /// What came.
        found: String,
    },
    /// The file could not be written.
    #[error("the file could not be written")]
    Write {
        /// How many bytes of the file were written.
        position: u64,
        /// What the operating system says.
        source: io::Error,
    },
}

impl DownloadError {
    /// How many bytes of the file were written to the writer, for [`Download::resume_at`](super::Download::resume_at).
    pub fn position(&self) -> u64 {
        match self {
            Self::Call(_) | Self::ContentType { .. } => 0,
            Self::Interrupted { position, .. }
            | Self::Length { position, .. }
            | Self::Write { position, .. } => *position,
        }
    }
}

impl From<DownloadError> for Error {
    fn from(error: DownloadError) -> Self {
        let kind = match error {
            DownloadError::Call(source) | DownloadError::Interrupted { source, .. } => return source,
            DownloadError::Length { .. } => ErrorKind::Interrupted,
            DownloadError::ContentType { .. } => ErrorKind::Decode,
            DownloadError::Write { .. } => ErrorKind::Configuration,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}
