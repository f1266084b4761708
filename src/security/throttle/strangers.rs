//! The ladder of names that belong to nobody: the same as that of accounts, so that a lock does not tell who exists
//! (promise B5), of this node or of all nodes together.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use redis::cmd;

use super::{LOCK, Ladder, Recent, Subject};
use crate::shared::Shared;

/// Puts a ladder in the place of the one that was read, if that is still there.
const REPLACE: &str = "
    if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    return 1";

/// How often a reservation is tried again that one on another node was faster than.
const RESERVATIONS: usize = 3;

/// The names that were tried last.
pub struct Strangers {
    ladders: Mutex<Recent<Ladder>>,
    shared: Option<Arc<Shared>>,
}

/// What the nodes together know of a name.
#[derive(Debug)]
pub struct Look {
    subject: Subject,
    /// As it stands in Redis; nothing without an answer.
    shared: Option<String>,
}

/// One try that was noted.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    subject: Subject,
    before: Option<Ladder>,
    after: Ladder,
}

impl Strangers {
    /// Of all nodes together if they have `shared`.
    pub fn new(shared: Option<Arc<Shared>>) -> Self {
        Self { ladders: Mutex::default(), shared }
    }

    /// Looks what is known of a name; for one of an account, too, because the time must not tell them apart.
    pub async fn look(&self, name: &str) -> Look {
        self.look_at(Subject::name(name)).await
    }

    async fn look_at(&self, subject: Subject) -> Look {
        let Some(shared) = &self.shared else { return Look { subject, shared: None } };
        let known: Option<Option<String>> = shared.ask(cmd("GET").arg(key(subject))).await;
        Look { subject, shared: known.map(Option::unwrap_or_default) }
    }

    /// One more try. Without an answer of Redis this node's own count decides.
    ///
    /// # Errors
    /// How long to wait, if it is too early.
    pub async fn reserve(&self, mut look: Look, now: DateTime<Utc>) -> Result<Noted, TimeDelta> {
        let subject = look.subject;
        let here = self.reserve_here(subject, now)?;
        for _ in 0..RESERVATIONS {
            let Some(text) = &look.shared else { return Ok(here) };
            // Of what Redis has forgotten this node may know more.
            let known = read(text).into_iter().chain(here.before).max_by_key(|ladder| ladder.failures);
            let after = Ladder::reserve(known, now).inspect_err(|_| self.set(subject, known))?;
            match self.replace(subject, text, &written(after)).await {
                Some(true) => {
                    self.set(subject, Some(after));
                    return Ok(Noted { subject, before: known, after });
                }
                Some(false) => look = self.look_at(subject).await,
                None => return Ok(here),
            }
        }
        Err(TimeDelta::seconds(1))
    }

    /// Takes the time that a reservation takes, and reserves nothing: for a name of an account.
    pub async fn pretend(&self, look: Look) {
        if look.shared.is_some() {
            // Nothing reads like this.
            self.replace(look.subject, "-", "").await;
        }
    }

    /// Gives one try back, unless another one was noted since.
    pub async fn give_back(&self, Noted { subject, before, after }: Noted, now: DateTime<Utc>) {
        let before = before.unwrap_or(Ladder { failures: 0, blocked_until: now });
        {
            let mut ladders = self.ladders.lock().unwrap_or_else(PoisonError::into_inner);
            if ladders.get(subject) == Some(after) {
                ladders.insert(subject, before);
            }
        }
        self.replace(subject, &written(after), &written(before)).await;
    }

    fn reserve_here(&self, subject: Subject, now: DateTime<Utc>) -> Result<Noted, TimeDelta> {
        let mut ladders = self.ladders.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ladders.get(subject);
        let after = Ladder::reserve(before, now)?;
        ladders.insert(subject, after);
        Ok(Noted { subject, before, after })
    }

    fn set(&self, subject: Subject, ladder: Option<Ladder>) {
        if let Some(ladder) = ladder {
            self.ladders.lock().unwrap_or_else(PoisonError::into_inner).insert(subject, ladder);
        }
    }

    /// Nothing without an answer.
    async fn replace(&self, subject: Subject, before: &str, after: &str) -> Option<bool> {
        let shared = self.shared.as_ref()?;
        let mut command = cmd("EVAL");
        command.arg(REPLACE).arg(1).arg(key(subject)).arg(before).arg(after).arg(LOCK.num_milliseconds());
        shared.ask(&command).await
    }
}

/// Made of digits and of words of ours only.
fn key(subject: Subject) -> String {
    format!("acct:1:strangers:{}", subject.hash())
}

fn written(ladder: Ladder) -> String {
    format!("{}:{}", ladder.failures, ladder.blocked_until.timestamp_millis())
}

fn read(text: &str) -> Option<Ladder> {
    let (failures, blocked_until) = text.split_once(':')?;
    let blocked_until = DateTime::from_timestamp_millis(blocked_until.parse().ok()?)?;
    Some(Ladder { failures: failures.parse().ok()?, blocked_until })
}
