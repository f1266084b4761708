//! The files of an installation: its directory, the embedded database and the secret that it makes, and who may read them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::entropy::Entropy;

/// The file in the data directory that keeps the server's secret when none is configured.
const SECRET_FILE: &str = "secret.key";

/// What everybody on the machine may do with a file.
const OTHERS_MODE: u32 = 0o007;

/// What the members of a file's group may do with it.
const GROUP_MODE: u32 = 0o070;

/// Makes the directory and the database's file, for their owner alone; tells if others may get at those that exist.
///
/// # Errors
/// When they cannot be made.
pub(super) fn create_private_files(data_dir: &Path, database: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .with_context(|| format!("cannot make the data directory {}", data_dir.display()))?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(database)
        .with_context(|| format!("cannot write to the database {}", database.display()))?;
    for path in [data_dir, database] {
        let mode = permission_bits(path)?;
        if mode & OTHERS_MODE != 0 {
            let (path, mode) = (path.display(), format!("{mode:04o}"));
            tracing::warn!(%path, mode, "everybody on this machine may get at the accounts: run chmod o-rwx on it");
        }
    }
    Ok(())
}

/// Refuses to go on without the secret that the keys in the database were made with: another one would not open them, and
/// would be taken for the lost one.
///
/// # Errors
/// When the file is missing.
pub(super) fn require_secret_file(data_dir: &Path) -> Result<()> {
    let path = data_dir.join(SECRET_FILE);
    anyhow::ensure!(
        path.exists(),
        "{} is missing, and the database has signing keys that only it opens: restore it from a backup",
        path.display()
    );
    Ok(())
}

/// The secret of an installation that configured none: made once, then read. As with a key of ssh, one that everybody
/// may read is refused; a group may be a container's.
///
/// # Errors
/// When it cannot be made or read, is damaged, or is no secret.
pub(super) fn load_or_create_secret(data_dir: &Path, entropy: &dyn Entropy) -> Result<SecretString> {
    let path = data_dir.join(SECRET_FILE);
    let fresh = STANDARD.encode(entropy.bytes::<32>());
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            file.write_all(fresh.as_bytes())?;
            // Without the secret the sealed keys are lost: it must be on the disk before they are.
            file.sync_all()?;
            Ok(fresh.into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mode = permission_bits(&path)?;
            let shown = path.display();
            anyhow::ensure!(
                mode & OTHERS_MODE == 0,
                "everybody on this machine may read {shown} (mode {mode:04o}), which opens the signing keys: run \
                 `chmod 600 {shown}`, and start again"
            );
            if mode & GROUP_MODE != 0 {
                let mode = format!("{mode:04o}");
                tracing::warn!(path = %shown, mode, "a group may read the secret: run chmod 600 on it unless it has to");
            }
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
            let text = text.trim();
            anyhow::ensure!(text.len() >= 32, "{shown} is damaged: restore it from a backup");
            Ok(text.to_owned().into())
        }
        Err(error) => Err(error).with_context(|| format!("cannot make {}", path.display())),
    }
}

fn permission_bits(path: &Path) -> Result<u32> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    Ok(metadata.permissions().mode() & 0o7777)
}
