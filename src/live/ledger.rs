//! The ledger: when something last changed about whom, as far as this process knows, and how far that can be trusted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::store::change_counters::GROUPS;
use crate::store::{Reach, Touched};

/// Places for the changes of this process; users share them by their number.
const PLACES: usize = 1 << 14;

/// How long after a reading of the counters began its result may be believed. What another node has changed counts
/// within this time, and what is left of the promised second is for the request itself.
const TRUST: Duration = Duration::from_millis(750);

/// The changes that this process knows of, in the order in which it learned of them. A clone is a pointer.
#[derive(Clone)]
pub struct Ledger(Arc<Pages>);

struct Pages {
    /// Counts the changes.
    instant: AtomicU64,
    /// The last change of a few users each.
    users: Box<[AtomicU64]>,
    /// The last change of many users each: the counters in the database tell no more than that.
    groups: Box<[AtomicU64]>,
    /// The last change of everybody.
    everybody: AtomicU64,
    /// By slot: how many changes are being committed.
    pending: Box<[AtomicU32]>,
    opened: Instant,
    /// When the last complete reading of the counters began, in nanoseconds since `opened`; 0: there was none.
    heard: AtomicU64,
    /// Ring when something has changed about a user of the group.
    bells: Box<[Notify]>,
    /// Somebody is to be told.
    outbox: Notify,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::opened(Instant::now())
    }
}

impl Ledger {
    fn opened(opened: Instant) -> Self {
        let pages = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Pages {
            instant: AtomicU64::new(0),
            users: pages(PLACES),
            groups: pages(usize::try_from(GROUPS).unwrap_or_default()),
            everybody: AtomicU64::new(0),
            pending: (0..=GROUPS).map(|_| AtomicU32::new(0)).collect(),
            opened,
            heard: AtomicU64::new(0),
            bells: (0..GROUPS).map(|_| Notify::new()).collect(),
            outbox: Notify::new(),
        }))
    }

    /// The present instant. Whoever reads from the database takes it first: what they read is as of this instant, or
    /// later.
    pub fn instant(&self) -> u64 {
        self.0.instant.load(SeqCst)
    }

    /// Changes of these slots are about to be committed. Until the result is dropped nobody knows whether they were:
    /// some readers may have seen them in the database when others, who remember, have not.
    pub(super) fn pend(&self, slots: BTreeSet<i32>) -> Pending {
        let pending = Pending { ledger: self.clone(), slots };
        pending.each(|count| count.fetch_add(1, SeqCst));
        pending
    }

    /// Whether a change of the user may be in the database, and is not noted yet.
    pub(super) fn is_pending(&self, user_id: i64) -> bool {
        let pends = |slot: i32| self.pending(slot).is_some_and(|count| count.load(SeqCst) > 0);
        pends(Touched::User(user_id).slot()) || pends(Touched::Everybody.slot())
    }

    fn pending(&self, slot: i32) -> Option<&AtomicU32> {
        usize::try_from(slot).ok().and_then(|slot| self.0.pending.get(slot))
    }

    /// Notes changes that were committed by this process.
    pub(super) fn note(&self, changes: &[(Touched, Reach)]) {
        for (touched, _) in changes {
            match *touched {
                Touched::User(id) => {
                    self.raise(self.place(id));
                    self.ring(touched.slot());
                }
                Touched::Everybody => self.forget_everything(),
            }
        }
        if changes.iter().any(|(_, reach)| *reach == Reach::Nodes) {
            self.0.outbox.notify_one();
        }
    }

    /// Notes that the counter of `slot` was raised, by whomever.
    pub(super) fn note_slot(&self, slot: i32) {
        let group = usize::try_from(slot).ok().and_then(|slot| self.0.groups.get(slot));
        self.raise(group.or(Some(&self.0.everybody)));
        self.ring(slot);
    }

    /// Nobody's state is known any more.
    pub fn forget_everything(&self) {
        self.raise(Some(&self.0.everybody));
        self.ring(Touched::Everybody.slot());
    }

    /// After the page was raised: whoever is woken finds it so.
    fn ring(&self, slot: i32) {
        match usize::try_from(slot).ok().and_then(|slot| self.0.bells.get(slot)) {
            Some(bell) => bell.notify_waiters(),
            None => self.0.bells.iter().for_each(Notify::notify_waiters),
        }
    }

    fn raise(&self, page: Option<&AtomicU64>) {
        let instant = self.0.instant.fetch_add(1, SeqCst) + 1;
        page.unwrap_or(&self.0.everybody).fetch_max(instant, SeqCst);
    }

    fn place(&self, user_id: i64) -> Option<&AtomicU64> {
        let place = user_id.rem_euclid(i64::try_from(PLACES).unwrap_or(1));
        usize::try_from(place).ok().and_then(|place| self.0.users.get(place))
    }

    /// Whether what was read of a user as of `instant` is still true, as far as this process knows.
    pub fn is_current(&self, user_id: i64, instant: u64) -> bool {
        let group = group(user_id).and_then(|group| self.0.groups.get(group));
        [self.place(user_id), group, Some(&self.0.everybody)]
            .into_iter()
            .all(|page| page.is_some_and(|page| page.load(SeqCst) <= instant))
    }

    /// Waits until what was read of a user as of `instant` may not be true any more.
    pub async fn is_overtaken(&self, user_id: i64, instant: u64) {
        let Some(bell) = group(user_id).and_then(|group| self.0.bells.get(group)) else { return };
        loop {
            // Before the look: what changes after it rings.
            let rung = bell.notified();
            if !self.is_current(user_id, instant) {
                return;
            }
            rung.await;
        }
    }

    /// A complete reading of the counters, begun at `begun`, was noted.
    pub(super) fn hear(&self, begun: Instant) {
        let nanos = begun.saturating_duration_since(self.0.opened).as_nanos();
        self.0.heard.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), SeqCst);
    }

    /// Whether news of the other nodes have arrived of late. Without, nothing that is remembered may be believed.
    pub fn is_trusted(&self) -> bool {
        let heard = self.0.heard.load(SeqCst);
        heard > 0 && self.0.opened.elapsed() < Duration::from_nanos(heard) + TRUST
    }

    /// Waits until the other nodes are to be told of something.
    pub(super) async fn is_to_be_told(&self) {
        self.0.outbox.notified().await;
    }
}

fn group(user_id: i64) -> Option<usize> {
    usize::try_from(Touched::User(user_id).slot()).ok()
}

/// Changes that are being committed; over when it is dropped.
pub(super) struct Pending {
    ledger: Ledger,
    slots: BTreeSet<i32>,
}

impl Pending {
    fn each(&self, change: impl Fn(&AtomicU32) -> u32) {
        for count in self.slots.iter().filter_map(|slot| self.ledger.pending(*slot)) {
            change(count);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.each(|count| count.fetch_sub(1, SeqCst));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: i64 = 7;
    const BOB: i64 = 8;

    #[test]
    fn what_was_read_before_a_change_is_not_current_after_it() {
        let ledger = Ledger::default();
        let before = ledger.instant();
        assert!(ledger.is_current(ANN, before));
        ledger.note(&[(Touched::User(ANN), Reach::Nodes)]);
        assert!(!ledger.is_current(ANN, before), "a read that began before the change");
        assert!(ledger.is_current(ANN, ledger.instant()), "one that began after it");
        assert!(ledger.is_current(BOB, before), "of somebody else");
    }

    #[test]
    fn a_change_is_pending_until_it_is_noted() {
        let ledger = Ledger::default();
        let (one, two) =
            (ledger.pend([Touched::User(ANN).slot()].into()), ledger.pend([Touched::User(ANN).slot()].into()));
        assert!(ledger.is_pending(ANN) && !ledger.is_pending(BOB));
        drop(one);
        assert!(ledger.is_pending(ANN), "the other one");
        drop(two);
        assert!(!ledger.is_pending(ANN));
        let all = ledger.pend([Touched::Everybody.slot()].into());
        assert!(ledger.is_pending(ANN) && ledger.is_pending(BOB));
        drop(all);
        assert!(!ledger.is_pending(BOB));
    }

    #[test]
    fn a_counter_tells_of_its_group_and_everybody_of_all() {
        let ledger = Ledger::default();
        for slot in [Touched::User(ANN).slot(), Touched::Everybody.slot()] {
            let before = ledger.instant();
            ledger.note_slot(slot);
            assert!(!ledger.is_current(ANN, before) && !ledger.is_current(ANN + GROUPS, before));
            assert_eq!(ledger.is_current(BOB, before), slot != Touched::Everybody.slot());
        }
    }

    /// However the change was learned of, and whoever else was waiting.
    #[tokio::test]
    async fn wakes_whoever_waits_for_a_change() {
        let ledger = Ledger::default();
        for change in 0..4 {
            let waits = |user_id| {
                let (ledger, instant) = (ledger.clone(), ledger.instant());
                tokio::spawn(async move { ledger.is_overtaken(user_id, instant).await })
            };
            let (ann, also_ann, bob) = (waits(ANN), waits(ANN), waits(BOB));
            tokio::task::yield_now().await;
            match change {
                0 => ledger.note(&[(Touched::User(ANN), Reach::Here)]),
                1 => ledger.note_slot(Touched::User(ANN).slot()),
                2 => ledger.note_slot(Touched::Everybody.slot()),
                _ => ledger.forget_everything(),
            }
            ann.await.unwrap();
            also_ann.await.unwrap();
            assert_eq!(bob.is_finished(), change > 1);
            bob.abort();
        }
        let before = ledger.instant();
        ledger.note(&[(Touched::User(ANN), Reach::Nodes)]);
        ledger.is_overtaken(ANN, before).await;
    }

    #[test]
    fn believes_nothing_until_the_counters_were_read_and_for_a_short_time_only() {
        let now = Instant::now();
        let ledger = Ledger::opened(now.checked_sub(TRUST * 2).unwrap());
        assert!(!ledger.is_trusted());
        ledger.hear(now.checked_sub(TRUST).unwrap());
        assert!(!ledger.is_trusted(), "that was too long ago");
        // Not over while the test runs.
        ledger.hear(now + TRUST * 1_000);
        assert!(ledger.is_trusted());
    }
}
