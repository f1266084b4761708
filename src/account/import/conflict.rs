//! Conflicts of an import with concurrent changes.

use crate::error::{Error, Refusal, RefusalCode};

/// Attempts of a transaction that concurrent changes defeat.
pub(super) const MAX_ATTEMPTS: usize = 3;

/// The error when concurrent changes persist.
pub(super) fn conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "concurrent changes persisted: repeat the import").into()
}

/// Whether a concurrent change caused it: another user, or a role that both found missing.
pub(super) fn is_conflict(refusal: &Refusal) -> bool {
    matches!(refusal.code, RefusalCode::Conflict | RefusalCode::RoleNameTaken)
}
