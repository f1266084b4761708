//! Errors for the operator at a terminal.

use crate::error::Error;

/// An error for the terminal: each refusal on its own line, internal errors with their cause.
pub(super) fn operator_error(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(refusals) => {
            let lines: Vec<String> = refusals
                .iter()
                .map(|refusal| match refusal.field {
                    Some(field) => format!("{field}: {}", refusal.message),
                    None => refusal.message.clone(),
                })
                .collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        }
        Error::Internal(cause) | Error::StorageUnavailable(cause) => cause,
        other => other.into(),
    }
}
