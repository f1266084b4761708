//! What an import did, or would do, for the person who ran it.

use std::collections::BTreeSet;

use super::candidate::Issue;

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows that were looked at.
    pub rows: u64,
    /// Accounts that were made.
    pub created: u64,
    /// Rows whose accounts an earlier import made.
    pub already_imported: u64,
    /// Rows of which no account was made, and why.
    pub refused: Vec<Issue>,
    /// Accounts whose owners cannot sign in, and why.
    pub cannot_sign_in: Vec<Issue>,
    /// What else differs from the older service.
    pub remarks: Vec<Issue>,
    /// Roles that were made, without permissions.
    pub roles: BTreeSet<String>,
    /// Accounts with a built-in role, by username.
    pub administrators: Vec<String>,
    /// What became of the customers.
    pub tenants: Vec<String>,
}
