//! Resolves which rows of a batch become users, and their usernames and ids.

use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use super::existing::Existing;
use super::row::Row;
use crate::account::names::canonical::canonical;
use crate::account::names::email::Email;
use crate::account::names::username::Username;

/// Names and ids claimed by earlier rows, with their row numbers.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    usernames: HashMap<String, u64>,
    emails: HashMap<String, u64>,
    user_ids: HashSet<i64>,
    /// Usernames that rows state explicitly: no derived username may equal one.
    reserved: HashSet<String>,
}

impl Claimed {
    /// No claims yet, with the explicit usernames of `rows` reserved.
    pub fn reserving(rows: &[Row]) -> Self {
        let names = rows.iter().filter_map(|row| row.user.as_ref().ok()?.username.as_deref());
        Self { reserved: names.map(canonical).collect(), ..Self::default() }
    }

    /// Adds the claims of a later batch.
    pub fn extend(&mut self, later: Self) {
        self.usernames.extend(later.usernames);
        self.emails.extend(later.emails);
        self.user_ids.extend(later.user_ids);
    }
}

/// What happens to a row.
#[derive(Debug)]
pub(super) enum Decision {
    /// A user with this username and, where it is free, the old id.
    Create { username: Username, id: Option<i64> },
    /// Nothing: an earlier import created the user.
    AlreadyImported,
    /// Nothing, and why.
    Refuse(String),
}

/// Decides each row of the batch, in order; also returns the new claims.
pub(super) fn resolve(batch: &[Candidate], existing: &Existing, claimed: &Claimed) -> (Vec<Decision>, Claimed) {
    let mut batch_claims = Claimed::default();
    let decisions = batch.iter().map(|candidate| decide(candidate, existing, claimed, &mut batch_claims)).collect();
    (decisions, batch_claims)
}

fn decide(candidate: &Candidate, existing: &Existing, claimed: &Claimed, batch_claims: &mut Claimed) -> Decision {
    let email = candidate.email.as_ref().map(Email::key);
    let is_generated = candidate.usernames.len() > 1;
    let is_already_imported = existing.source_keys.contains(&candidate.source);
    let row_with_name = |key: &String| batch_claims.usernames.get(key).or_else(|| claimed.usernames.get(key)).copied();
    let row_with_email = |key: &String| batch_claims.emails.get(key).or_else(|| claimed.emails.get(key)).copied();
    let is_free = |name: &&Username| {
        let key = name.key();
        let is_own = !is_generated || !claimed.reserved.contains(&key);
        is_own && row_with_name(&key).is_none() && (is_already_imported || !existing.usernames.contains(&key))
    };
    if let Some(row) = email.as_ref().and_then(row_with_email) {
        return Decision::Refuse(format!("it has the e-mail address of row {row}"));
    }
    let Some(username) = candidate.usernames.iter().find(is_free).cloned() else {
        let earlier = candidate.usernames.iter().find_map(|name| row_with_name(&name.key()));
        return Decision::Refuse(earlier.map_or_else(
            || "an existing user has its username".to_owned(),
            |row| format!("it has the username of row {row}"),
        ));
    };
    batch_claims.usernames.insert(username.key(), candidate.row);
    if let Some(key) = &email {
        batch_claims.emails.insert(key.clone(), candidate.row);
    }
    if is_already_imported {
        return Decision::AlreadyImported;
    }
    if email.is_some_and(|key| existing.emails.contains(&key)) {
        return Decision::Refuse("an existing user has its e-mail address".to_owned());
    }
    let is_taken = |id: &i64| existing.user_ids.contains(id) || claimed.user_ids.contains(id);
    let id = candidate.carried_over.id.filter(|id| !is_taken(id) && batch_claims.user_ids.insert(*id));
    Decision::Create { username, id }
}
