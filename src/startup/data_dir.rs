//! The data directory: the embedded database, the generated secret, and their file modes.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::entropy::Entropy;

/// File of the generated secret in the data directory.
const SECRET_FILE: &str = "secret.key";

/// Permission bits of other users.
const OTHERS_MODE: u32 = 0o007;

/// Permission bits of the file's group.
const GROUP_MODE: u32 = 0o070;

/// Creates the directory and the database's file, for their owner only; warns if other users can access existing ones.
///
/// # Errors
/// They cannot be created.
pub(super) fn create_private_files(data_dir: &Path, database: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .with_context(|| format!("cannot create the data directory {}", data_dir.display()))?;
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
            tracing::warn!(%path, mode, "all users of this machine can access the database: run chmod o-rwx on it");
        }
    }
    Ok(())
}

/// Refuses to start without the secret that encrypted the signing keys in the database: a new one could not decrypt
/// them, and would replace the lost one.
///
/// # Errors
/// The file is missing.
pub(super) fn require_secret_file(data_dir: &Path) -> Result<()> {
    let path = data_dir.join(SECRET_FILE);
    anyhow::ensure!(
        path.exists(),
        "{} is missing, and the signing keys in the database need it: restore it from a backup",
        path.display()
    );
    Ok(())
}

/// Loads the generated secret; the first start creates it. As with an SSH key, a file readable by all users is refused;
/// a group may be a container's.
///
/// # Errors
/// It cannot be created or read, or is malformed.
pub(super) fn load_or_create_secret(data_dir: &Path, entropy: &dyn Entropy) -> Result<SecretString> {
    let path = data_dir.join(SECRET_FILE);
    let fresh = STANDARD.encode(entropy.bytes::<32>());
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            file.write_all(fresh.as_bytes())?;
            // Without the secret the encrypted keys are lost: it must be on disk before them.
            file.sync_all()?;
            Ok(fresh.into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mode = permission_bits(&path)?;
            let shown = path.display();
            anyhow::ensure!(
                mode & OTHERS_MODE == 0,
                "all users of this machine can read {shown} (mode {mode:04o}), which decrypts the signing keys: run \
                 `chmod 600 {shown}`, and restart"
            );
            if mode & GROUP_MODE != 0 {
                let mode = format!("{mode:04o}");
                tracing::warn!(path = %shown, mode, "a group can read the secret: run chmod 600 on it unless intended");
            }
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
            let text = text.trim();
            anyhow::ensure!(text.len() >= 32, "{shown} is malformed: restore it from a backup");
            Ok(text.to_owned().into())
        }
        Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
    }
}

fn permission_bits(path: &Path) -> Result<u32> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read the mode of {}", path.display()))?;
    Ok(metadata.permissions().mode() & 0o7777)
}
