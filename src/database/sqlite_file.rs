//! Detects that the embedded database's file was moved, deleted or replaced.

use std::fs::{Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// An opened file, and its path.
#[derive(Debug)]
pub(super) struct SqliteFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SqliteFile {
    /// Opens the file at `path`; creates it for its owner only if it is missing.
    ///
    /// # Errors
    /// It cannot be opened or created.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let metadata = opened.and_then(|file| file.metadata()).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { path: path.to_owned(), identity: device_and_inode(&metadata) })
    }

    /// Free bytes on its disk; `None` where the system does not report them.
    pub fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// The path it was opened at.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the path still leads to the opened file. Writes to a deleted, moved or replaced file succeed, but
    /// the next start does not find them (promise R5).
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] if it does not.
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
