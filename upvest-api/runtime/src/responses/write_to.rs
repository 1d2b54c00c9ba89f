//! Writes a file completely or not at all.
//!
//! Guide: `docs/guides/files.md`. It includes signed links.

use std::io;
use std::path::Path;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::byte_stream::ByteStream;
use super::error::Error;
use super::error_kind::ErrorKind;

/// Writing to disk, with the feature `files`.
impl ByteStream {
    /// Writes the file to `path`, replaces an existing file, and returns its length in bytes.
    ///
    /// The bytes are written to a hidden file in the same folder, which is renamed once it is complete and on disk. If
    /// this fails or its future is dropped, nothing is changed. Only the file's owner can read it (mode 0600).
    ///
    /// ```no_run
    /// # async fn write(file: upvest_runtime::ByteStream) -> Result<(), upvest_runtime::Error> {
    /// let length = file.write_to("statement.pdf").await?;
    /// println!("{length} bytes");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the stream, usually [`ErrorKind::Interrupted`] if the connection broke or the file is shorter or
    /// longer than announced; [`ErrorKind::Io`] if the file cannot be written.
    pub async fn write_to(mut self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let written = self.write(path.as_ref(), u64::MAX, |_| Ok(())).await;
        written.map_err(|error| self.add_facts(error))
    }

    /// As [`ByteStream::write_to`], for a file whose length and SHA-256 checksum, in 64 hexadecimal digits, are known
    /// from elsewhere.
    ///
    /// # Errors
    ///
    /// As [`ByteStream::write_to`]. [`ErrorKind::InvalidRequest`] if `sha256` is not a checksum; [`ErrorKind::Decode`]
    /// if the file has another length or another checksum. Then the target is unchanged.
    pub async fn write_to_checked(
        mut self,
        path: impl AsRef<Path>,
        length: u64,
        sha256: &str,
    ) -> Result<(), Error> {
        let Some(sha256) = from_hex(sha256) else {
            let message = "a SHA-256 checksum has 64 hexadecimal digits";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        };
        let expected = Content { length, sha256 };
        let is_expected = |found: &Content| expected.check(found);
        let written = self.write(path.as_ref(), length, is_expected).await;
        written.map(drop).map_err(|error| self.add_facts(error))
    }

    async fn write(
        &mut self,
        path: &Path,
        longest: u64,
        check: impl FnOnce(&Content) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        // The file is removed if this is dropped before `persist`.
        let partial = hidden_file(path).map_err(not_written)?;
        let mut file = File::from_std(partial.reopen().map_err(not_written)?);
        let mut length = 0;
        let mut digest = Sha256::new();
        while let Some(chunk) = self.try_next().await? {
            length += chunk.len() as u64;
            if length > longest {
                return Err(other_file(format!(
                    "the file has more than {longest} bytes"
                )));
            }
            file.write_all(&chunk).await.map_err(not_written)?;
            digest.update(&chunk);
        }
        let sha256 = digest.finalize().into();
        check(&Content { length, sha256 })?;
        file.flush().await.map_err(not_written)?;
        file.sync_all().await.map_err(not_written)?;
        partial
            .persist(path)
            .map_err(|failed| not_written(failed.error))?;
        Ok(length)
    }
}

/// The length and the checksum of a file.
struct Content {
    length: u64,
    sha256: [u8; 32],
}

impl Content {
    fn check(&self, found: &Self) -> Result<(), Error> {
        if found.length != self.length {
            return Err(other_file(format!(
                "the file has {} bytes instead of {}",
                found.length, self.length
            )));
        }
        if found.sha256 != self.sha256 {
            let message = "the file does not have the expected SHA-256 checksum";
            return Err(other_file(message.to_owned()));
        }
        Ok(())
    }
}

/// The error for a file that does not have the expected length or checksum.
fn other_file(message: String) -> Error {
    let hint = "compare the length and the checksum with their source, and download the file again";
    Error::new(ErrorKind::Decode, message).with_context(|context| context.hint = Some(hint.into()))
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text.chars().map(hex_digit).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
    }
    Some(bytes)
}

fn hex_digit(digit: char) -> Option<u8> {
    digit.to_digit(16)?.try_into().ok()
}

/// Creates a hidden file in the folder of `path`, which only its owner can read.
fn hidden_file(path: &Path) -> io::Result<NamedTempFile> {
    let Some(name) = path.file_name() else {
        let message = "the path does not end with a file name";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    };
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

fn not_written(error: io::Error) -> Error {
    let message = format!("the file could not be written: {error}");
    Error::new(ErrorKind::Io, message).with_source(error)
}
