//! Decides which rows of a batch become accounts, and under which names and numbers.

use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use super::existing::Existing;
use super::row::Row;
use crate::account::user::canonical::canonical;
use crate::account::user::email::Email;
use crate::account::user::username::Username;

/// Names and numbers of the rows before, with where they stand.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    usernames: HashMap<String, u64>,
    emails: HashMap<String, u64>,
    user_ids: HashSet<i64>,
    /// Names that some row has as its own: none is made of an address that is one of them.
    reserved: HashSet<String>,
}

impl Claimed {
    /// Nothing yet, with the names of `rows` kept for those who have them.
    pub fn reserving(rows: &[Row]) -> Self {
        let names = rows.iter().filter_map(|row| row.user.as_ref().ok()?.username.as_deref());
        Self { reserved: names.map(canonical).collect(), ..Self::default() }
    }

    /// Adds what a later batch saw.
    pub fn extend(&mut self, later: Self) {
        self.usernames.extend(later.usernames);
        self.emails.extend(later.emails);
        self.user_ids.extend(later.user_ids);
    }
}

/// What becomes of a row.
#[derive(Debug)]
pub(super) enum Decision {
    /// An account with this name, perhaps with the number that it had.
    Create { username: Username, id: Option<i64> },
    /// Nothing: an earlier import made it.
    AlreadyImported,
    /// Nothing, and why.
    Refuse(String),
}

/// Decides on each row of the batch, in order; tells what it saw.
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
        return Decision::Refuse(format!("its e-mail address is that of row {row}"));
    }
    let Some(username) = candidate.usernames.iter().find(is_free).cloned() else {
        let earlier = candidate.usernames.iter().find_map(|name| row_with_name(&name.key()));
        return Decision::Refuse(earlier.map_or_else(
            || "an account that is here already has its name".to_owned(),
            |row| format!("its name is that of row {row}"),
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
        return Decision::Refuse("an account that is here already has its e-mail address".to_owned());
    }
    let is_taken = |number: &i64| existing.user_ids.contains(number) || claimed.user_ids.contains(number);
    let number = candidate.carried_over.id.filter(|number| !is_taken(number) && batch_claims.user_ids.insert(*number));
    Decision::Create { username, id: number }
}
