//! The result of an import or of its dry run, for the operator.

use std::collections::BTreeSet;

/// Counts and issues of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Users created.
    pub created: u64,
    /// Rows that an earlier import turned into users.
    pub already_imported: u64,
    /// Rows without a user, and why.
    pub refused: Vec<Issue>,
    /// Users who cannot sign in, and why.
    pub cannot_sign_in: Vec<Issue>,
    /// Other differences from the older service.
    pub remarks: Vec<Issue>,
    /// New roles, which have no permissions.
    pub roles: BTreeSet<String>,
    /// Usernames of the users with a built-in role.
    pub administrators: Vec<String>,
    /// The result for each customer.
    pub tenants: Vec<String>,
}

/// A problem of one row, or a remark about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The row number.
    pub row: u64,
    /// The user's name in the older service.
    pub name: String,
    /// The problem or remark.
    pub message: String,
}
