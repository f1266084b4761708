//! What is there already, as far as it concerns one batch.

use std::collections::{HashMap, HashSet};

use entity::role;
use sea_orm::ConnectionTrait;

use super::candidate::Candidate;
use crate::account::access::role::ADMIN;
use crate::account::user::email::Email;
use crate::account::user::name::Name;
use crate::account::user::username::Username;
use crate::error::Result;
use crate::store::{imports, roles};

/// Names, numbers and roles in the database.
#[derive(Debug, Default)]
pub(super) struct Existing {
    /// Rows that an earlier import made accounts of.
    pub source_keys: HashSet<String>,
    pub usernames: HashSet<String>,
    pub emails: HashSet<String>,
    pub user_ids: HashSet<i64>,
    /// Tenants that are disabled, of those to whom rows of the batch belong.
    pub disabled_tenants: HashSet<i64>,
    /// By canonical name.
    pub roles: HashMap<String, ExistingRole>,
}

/// A role that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExistingRole {
    pub id: i64,
    pub is_built_in: bool,
}

impl Existing {
    /// What the migrations put into a new database.
    pub fn empty() -> Self {
        let admin = ExistingRole { id: 0, is_built_in: true };
        Self { roles: [(ADMIN.to_owned(), admin)].into(), ..Self::default() }
    }

    /// Whether one of its roles is built in.
    pub fn is_admin(&self, candidate: &Candidate) -> bool {
        candidate.roles.iter().any(|role| self.roles.get(&role.key()).is_some_and(|role| role.is_built_in))
    }

    /// Looks for everything that the batch could collide with.
    pub async fn load(db: &impl ConnectionTrait, batch: &[Candidate]) -> Result<Self> {
        let sources = batch.iter().map(|candidate| candidate.source.clone()).collect();
        let usernames = batch.iter().flat_map(|candidate| candidate.usernames.iter().map(Username::key)).collect();
        let emails: Vec<_> = batch.iter().filter_map(|candidate| candidate.email.as_ref().map(Email::key)).collect();
        let numbers: Vec<_> = batch.iter().filter_map(|candidate| candidate.carried_over.id).collect();
        let names: HashSet<_> = batch.iter().flat_map(|candidate| &candidate.roles).map(Name::key).collect();
        let names: Vec<_> = names.into_iter().collect();
        let mut existing = Self { usernames: imports::taken_usernames(db, usernames).await?, ..Self::default() };
        // Most formats have neither.
        if !emails.is_empty() {
            existing.emails = imports::taken_emails(db, emails).await?;
        }
        if !numbers.is_empty() {
            existing.user_ids = imports::taken_ids(db, numbers).await?;
        }
        if !names.is_empty() {
            let found = roles::list_by_name(db, &names).await?;
            let role = |role: role::Model| (role.name_key, ExistingRole { id: role.id, is_built_in: role.built_in });
            existing.roles = found.into_iter().map(|(row, _)| role(row)).collect();
        }
        // Last: whoever has a name because another import of the same rows was faster is known by then.
        existing.source_keys = imports::list(db, sources).await?.into_iter().map(|row| row.source).collect();
        Ok(existing)
    }
}
