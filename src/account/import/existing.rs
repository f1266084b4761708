//! Existing users, roles and imports that a batch could conflict with.

use std::collections::{HashMap, HashSet};

use entity::role;

use super::candidate::Candidate;
use crate::account::access::grants::ADMIN;
use crate::account::names::email::Email;
use crate::account::names::name::Name;
use crate::account::names::username::Username;
use crate::error::Result;
use crate::store::{Connection, imports, roles};

/// Existing names, ids and roles.
#[derive(Debug, Default)]
pub(super) struct Existing {
    /// Keys of rows that were imported earlier.
    pub source_keys: HashSet<String>,
    pub usernames: HashSet<String>,
    pub emails: HashSet<String>,
    pub user_ids: HashSet<i64>,
    /// Disabled tenants among those of the batch.
    pub disabled_tenants: HashSet<i64>,
    /// By canonical name.
    pub roles: HashMap<String, ExistingRole>,
}

/// An existing role.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExistingRole {
    pub id: i64,
    pub is_built_in: bool,
}

impl Existing {
    /// The contents of a newly migrated database.
    pub fn empty() -> Self {
        let admin = ExistingRole { id: 0, is_built_in: true };
        Self { roles: [(ADMIN.to_owned(), admin)].into(), ..Self::default() }
    }

    /// Whether the candidate has a built-in role.
    pub fn is_admin(&self, candidate: &Candidate) -> bool {
        candidate.roles.iter().any(|role| self.roles.get(&role.key()).is_some_and(|role| role.is_built_in))
    }

    /// Loads everything that the batch could conflict with.
    pub async fn load(db: &impl Connection, batch: &[Candidate]) -> Result<Self> {
        let sources = batch.iter().map(|candidate| candidate.source.clone()).collect();
        let usernames = batch.iter().flat_map(|candidate| candidate.usernames.iter().map(Username::key)).collect();
        let emails: Vec<_> = batch.iter().filter_map(|candidate| candidate.email.as_ref().map(Email::key)).collect();
        let ids: Vec<_> = batch.iter().filter_map(|candidate| candidate.carried_over.id).collect();
        let names: HashSet<_> = batch.iter().flat_map(|candidate| &candidate.roles).map(Name::key).collect();
        let names: Vec<_> = names.into_iter().collect();
        let mut existing = Self { usernames: imports::taken_usernames(db, usernames).await?, ..Self::default() };
        // Most formats have neither.
        if !emails.is_empty() {
            existing.emails = imports::taken_emails(db, emails).await?;
        }
        if !ids.is_empty() {
            existing.user_ids = imports::taken_ids(db, ids).await?;
        }
        if !names.is_empty() {
            let found = roles::list_by_name(db, &names).await?;
            let role = |role: role::Model| (role.name_key, ExistingRole { id: role.id, is_built_in: role.built_in });
            existing.roles = found.into_iter().map(|(row, _)| role(row)).collect();
        }
        // Last, so that names taken by a concurrent import of the same rows count as imported.
        existing.source_keys = imports::list(db, sources).await?.into_iter().map(|row| row.source).collect();
        Ok(existing)
    }
}
