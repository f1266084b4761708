//! Decides which rows of a batch become accounts, and under which names and numbers.

use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use super::known::Known;
use super::row::Row;
use crate::account::canonical::canonical;
use crate::account::email::Email;
use crate::account::username::Username;

/// Names and numbers of the rows before, with where they stand.
#[derive(Debug, Default)]
pub(super) struct Seen {
    usernames: HashMap<String, u64>,
    emails: HashMap<String, u64>,
    numbers: HashSet<i64>,
    /// Names that some row has as its own: none is made of an address that is one of them.
    reserved: HashSet<String>,
}

impl Seen {
    /// Nothing yet, with the names of `rows` kept for those who have them.
    pub fn reserving(rows: &[Row]) -> Self {
        let names = rows.iter().filter_map(|row| row.account.as_ref().ok()?.username.as_deref());
        Self { reserved: names.map(canonical).collect(), ..Self::default() }
    }

    /// Adds what a later batch saw.
    pub fn extend(&mut self, later: Self) {
        self.usernames.extend(later.usernames);
        self.emails.extend(later.emails);
        self.numbers.extend(later.numbers);
    }
}

/// What becomes of a row.
#[derive(Debug)]
pub(super) enum Decision {
    /// An account with this name, perhaps with the number that it had.
    Make { username: Username, number: Option<i64> },
    /// Nothing: an earlier import made it.
    Known,
    /// Nothing, and why.
    Refuse(String),
}

/// Decides on each row of the batch, in order; tells what it saw.
pub(super) fn settle(batch: &[Candidate], known: &Known, seen: &Seen) -> (Vec<Decision>, Seen) {
    let mut now = Seen::default();
    let decisions = batch.iter().map(|candidate| decide(candidate, known, seen, &mut now)).collect();
    (decisions, now)
}

fn decide(candidate: &Candidate, known: &Known, seen: &Seen, now: &mut Seen) -> Decision {
    let email = candidate.email.as_ref().map(Email::key);
    let is_made_up = candidate.usernames.len() > 1;
    let is_known = known.sources.contains(&candidate.source);
    let earlier_name = |key: &String| now.usernames.get(key).or_else(|| seen.usernames.get(key)).copied();
    let earlier_address = |key: &String| now.emails.get(key).or_else(|| seen.emails.get(key)).copied();
    let is_free = |name: &&Username| {
        let key = name.key();
        let is_own = !is_made_up || !seen.reserved.contains(&key);
        is_own && earlier_name(&key).is_none() && (is_known || !known.usernames.contains(&key))
    };
    if let Some(row) = email.as_ref().and_then(earlier_address) {
        return Decision::Refuse(format!("its e-mail address is that of row {row}"));
    }
    let Some(username) = candidate.usernames.iter().find(is_free).cloned() else {
        let earlier = candidate.usernames.iter().find_map(|name| earlier_name(&name.key()));
        return Decision::Refuse(earlier.map_or_else(
            || "an account that is here already has its name".to_owned(),
            |row| format!("its name is that of row {row}"),
        ));
    };
    now.usernames.insert(username.key(), candidate.row);
    if let Some(key) = &email {
        now.emails.insert(key.clone(), candidate.row);
    }
    if is_known {
        return Decision::Known;
    }
    if email.is_some_and(|key| known.emails.contains(&key)) {
        return Decision::Refuse("an account that is here already has its e-mail address".to_owned());
    }
    let is_taken = |number: &i64| known.numbers.contains(number) || seen.numbers.contains(number);
    let number = candidate.old.number.filter(|number| !is_taken(number) && now.numbers.insert(*number));
    Decision::Make { username, number }
}
