//! Problems of the settings, for the operator who starts the server.

use std::fmt;

/// All problems of the settings, in order of discovery; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One problem; never holds the text of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name as in [`SETTINGS`](super::SETTINGS), or the unknown name as given.
    pub setting: String,
    /// The flag, variable or file of the value; `None` if it was not set.
    pub source: Option<String>,
    /// The problem of the value.
    pub problem: String,
    /// The fix.
    pub fix: String,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 setting is invalid:")?,
            count => write!(f, "{count} settings are invalid:")?,
        }
        for problem in &self.0 {
            write!(f, "\n{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Unknown names are untrusted input: they must not add lines.
        write!(f, "  {}", self.setting.escape_debug())?;
        if let Some(source) = &self.source {
            write!(f, " ({})", source.escape_debug())?;
        }
        write!(f, ": {}\n    fix: {}", self.problem, self.fix)
    }
}

impl std::error::Error for Problems {}

/// An invalid value: the problem and the fix.
pub(crate) struct InvalidValue {
    pub(crate) problem: String,
    pub(crate) fix: String,
}

pub(super) fn invalid(problem: &str, fix: &str) -> InvalidValue {
    InvalidValue { problem: problem.to_owned(), fix: fix.to_owned() }
}
