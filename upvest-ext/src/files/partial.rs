//! A file that is not in its place before it is whole.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};

/// A file beside its target. Dropped before it is put in place, it is removed.
pub(super) struct Partial {
    pub(super) file: File,
    path: Remove,
}

impl Partial {
    /// Begins a file beside `target`, under a name that `random` sets apart from those of other downloads.
    pub(super) async fn create(target: &Path, random: u64) -> io::Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
        };
        let path = target.with_file_name(format!(".{}.{random:016x}.part", name.to_string_lossy()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path).await?;
        Ok(Self { file, path: Remove(Some(path)) })
    }

    /// Puts the file in the place of `target`, on disk before it has the name.
    pub(super) async fn put_in_place(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all().await?;
        let Some(path) = &self.path.0 else { return Ok(()) };
        fs::rename(path, target).await?;
        self.path.0 = None;
        sync_folder(target).await;
        Ok(())
    }
}

/// Makes the new name last. Where folders cannot be synced, as on Windows, the system sees to it in its own time.
async fn sync_folder(target: &Path) {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder).await {
        let _ = folder.sync_all().await;
    }
}

struct Remove(Option<PathBuf>);

impl Drop for Remove {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // There is nobody left to tell.
            let _ = std::fs::remove_file(path);
        }
    }
}
