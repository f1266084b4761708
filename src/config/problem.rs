//! What is wrong with the settings, in words for the person who starts the server.

use std::fmt;

/// Every mistake in the settings, in the order they were found; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One mistake. Holds no text of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name as in [`SETTINGS`](super::SETTINGS), or the unknown name as it was given.
    pub setting: String,
    /// The flag, variable or file that gave it; `None` where nothing did.
    pub source: Option<String>,
    /// What is wrong with the value.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("a setting is wrong:")?,
            count => write!(f, "{count} settings are wrong:")?,
        }
        for problem in &self.0 {
            write!(f, "\n{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of unknown settings come from outside: they must not draw lines of their own.
        write!(f, "  {}", self.setting.escape_debug())?;
        if let Some(origin) = &self.source {
            write!(f, " ({})", origin.escape_debug())?;
        }
        write!(f, ": {}\n    fix: {}", self.problem, self.fix)
    }
}

impl std::error::Error for Problems {}
