//! The embedded database's file: whether it still is the one that was opened.

use std::fs::{Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file that is open, and where it was found.
#[derive(Debug)]
pub(super) struct SqliteFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SqliteFile {
    /// The file at `path`; it is made if it is missing, for its owner alone.
    ///
    /// # Errors
    /// When it cannot be opened or made.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let metadata = opened.and_then(|file| file.metadata()).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { path: path.to_owned(), identity: device_and_inode(&metadata) })
    }

    /// Bytes that are free for it on its disk; nothing where the system does not tell.
    pub fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file that was deleted, moved or replaced can still be written to, and everything in it is lost to the next
    /// start (promise R5).
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] if it is not in its place.
    pub fn check_in_place(&self) -> Result<()> {
        let found = std::fs::metadata(&self.path).ok().as_ref().map(device_and_inode);
        if found == Some(self.identity) {
            return Ok(());
        }
        let path = self.path.display();
        Err(Error::StorageUnavailable(anyhow::anyhow!(
            "the database {path} was moved, deleted or replaced: put it back, or restart the server"
        )))
    }
}

fn device_and_inode(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
