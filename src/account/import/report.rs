//! What an import did, or would do, for the person who ran it.

use std::collections::BTreeSet;

use super::candidate::Finding;

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows that were looked at.
    pub rows: u64,
    /// Accounts that were made.
    pub made: u64,
    /// Rows whose accounts an earlier import made.
    pub known: u64,
    /// Rows of which no account was made, and why.
    pub refused: Vec<Finding>,
    /// Accounts whose owners cannot sign in, and why.
    pub shut_out: Vec<Finding>,
    /// What else differs from the older service.
    pub remarks: Vec<Finding>,
    /// Roles that were made, without permissions.
    pub roles: BTreeSet<String>,
    /// Accounts with a built-in role, by username.
    pub administrators: Vec<String>,
    /// What became of the customers.
    pub tenants: Vec<String>,
}
