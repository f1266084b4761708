//! The memory: what the database has said about a caller, for as long as it is known to be true.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use super::ledger::Ledger;
use crate::store::{Reach, Touched};

/// The SHA-256 of a token. The token itself is not kept, and only who has it comes to what is kept.
pub type Key = [u8; 32];

/// No answer is given for longer. Changes are told; this is for those that somebody makes with other tools, and for the
/// times that are only shown ([`Reach::Here`]).
const MAX_AGE: Duration = Duration::from_secs(60);

/// Answers of the database about callers; a bounded number of them.
pub struct Memory {
    ledger: Ledger,
    answers: Option<Cache<Key, Answer>>,
}

/// One answer. What is in it is the caller's own affair.
#[derive(Clone)]
struct Answer {
    user_id: i64,
    /// The ledger's instant from before the database was asked.
    instant: u64,
    asked: Instant,
    value: Arc<dyn Any + Send + Sync>,
}

impl Memory {
    /// Remembers so many callers; 0: nobody.
    pub fn new(callers: usize, ledger: Ledger) -> Self {
        Self { ledger, answers: (callers > 0).then(|| Cache::new(callers)) }
    }

    /// The present instant, to be taken before the database is asked.
    pub fn instant(&self) -> u64 {
        self.ledger.instant()
    }

    /// Has a user be looked up again, after a change that other nodes need not know of ([`Reach::Here`]).
    pub fn forget(&self, user_id: i64) {
        self.ledger.note(&[(Touched::User(user_id), Reach::Here)]);
    }

    /// What is known of the caller with this token, if it is certainly true.
    pub fn recall<V: Any + Send + Sync>(&self, key: &Key) -> Option<Arc<V>> {
        let answers = self.answers.as_ref()?;
        if !self.ledger.is_trusted() {
            return None;
        }
        let answer = answers.get(key)?;
        if self.ledger.is_pending(answer.user_id) {
            return None;
        }
        if !self.ledger.is_current(answer.user_id, answer.instant) || answer.asked.elapsed() >= MAX_AGE {
            answers.remove(key);
            return None;
        }
        answer.value.downcast().ok()
    }

    /// Remembers what the database, asked at `instant`, has said about a user with this token.
    pub fn remember<V: Any + Send + Sync>(&self, key: Key, user_id: i64, instant: u64, value: V) {
        if let Some(answers) = &self.answers
            // What was overtaken while it was read would only take somebody else's place.
            && !self.ledger.is_pending(user_id)
            && self.ledger.is_current(user_id, instant)
        {
            answers.insert(key, Answer { user_id, instant, asked: Instant::now(), value: Arc::new(value) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counters were read at a time that is not over while the test runs, however slow the machine is.
    fn later() -> Instant {
        Instant::now() + std::time::Duration::from_secs(3_600)
    }

    fn trusted() -> (Ledger, Memory) {
        let ledger = Ledger::default();
        ledger.hear(later());
        (ledger.clone(), Memory::new(100, ledger))
    }

    fn recalled(memory: &Memory, key: u8) -> Option<i32> {
        memory.recall::<i32>(&[key; 32]).map(|value| *value)
    }

    #[test]
    fn recalls_what_was_remembered_until_it_is_touched() {
        let (ledger, memory) = trusted();
        memory.remember([1; 32], 7, memory.instant(), 70);
        memory.remember([2; 32], 8, memory.instant(), 80);
        assert_eq!((recalled(&memory, 1), recalled(&memory, 2), recalled(&memory, 3)), (Some(70), Some(80), None));
        ledger.note(&[(Touched::User(7), Reach::Here)]);
        assert_eq!((recalled(&memory, 1), recalled(&memory, 2)), (None, Some(80)));
        ledger.forget_everything();
        assert_eq!(recalled(&memory, 2), None);
    }

    /// S8: the read began before the change and ended after it.
    #[test]
    fn does_not_keep_what_was_overtaken_while_it_was_read() {
        let (ledger, memory) = trusted();
        let instant = memory.instant();
        ledger.note(&[(Touched::User(7), Reach::Nodes)]);
        memory.remember([1; 32], 7, instant, 70);
        assert_eq!(recalled(&memory, 1), None);
    }

    /// S9
    #[test]
    fn says_nothing_when_no_news_can_arrive() {
        let ledger = Ledger::default();
        let memory = Memory::new(100, ledger.clone());
        memory.remember([1; 32], 7, memory.instant(), 70);
        assert_eq!(recalled(&memory, 1), None, "nobody has looked at the counters yet");
        ledger.hear(later());
        assert_eq!(recalled(&memory, 1), Some(70));
    }

    #[test]
    fn is_bounded_and_can_be_switched_off() {
        let (ledger, memory) = trusted();
        for number in 0..=255 {
            memory.remember([number; 32], 7, memory.instant(), i32::from(number));
        }
        let kept = (0..=255).filter(|number| recalled(&memory, *number).is_some()).count();
        assert!((1..=100).contains(&kept), "{kept}");
        let nobody = Memory::new(0, ledger);
        nobody.remember([1; 32], 7, nobody.instant(), 70);
        assert_eq!(recalled(&nobody, 1), None);
    }
}
