//! Events of the caller's own account, computed from successive snapshots.
//!
//! There is no message channel that could lose one. The stream compares the database with its last snapshot whenever
//! the invalidation log reports a possible change. This works on every node, even if a wakeup is lost.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;

use crate::account::access::grants::Access;
use crate::account::access::rule;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::session_monitor::SessionMonitor;
use crate::account::names::id::SessionId;
use crate::account::session_lifetime::{expires_at, is_live};
use crate::app::App;
use crate::error::{Error, Result, TokenError};
use crate::limits::stream_quota::Slot;
use crate::store::sessions;

/// Maximum sessions watched per user, newest first; only programs have more.
const MAX_SESSIONS: usize = 200;

/// An event of the caller's own account.
#[derive(Debug)]
pub enum Event {
    /// A session ended.
    SessionEnded {
        /// The session.
        session: SessionId,
        /// Whether it is the stream's own session; then this is the last event.
        is_current: bool,
        /// The reason; `None` if it expired.
        reason: Option<EndReason>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Roles or permissions changed.
    AccessChanged {
        /// The new effective access.
        access: Access,
        /// When it was detected.
        at: DateTime<Utc>,
    },
    /// The names or the e-mail address changed.
    ProfileChanged {
        /// The user after the change.
        user: Box<user::Model>,
        /// When.
        at: DateTime<Utc>,
    },
    /// A login opened a session.
    NewSession {
        /// The new session.
        session: Box<session::Model>,
        /// When.
        at: DateTime<Utc>,
    },
}

/// A stream of the events of one account.
pub struct AccountEventStream {
    app: App,
    monitor: SessionMonitor,
    last: Snapshot,
    events: VecDeque<Event>,
    is_ended: bool,
    _slot: Slot,
}

/// The state last read from the database.
struct Snapshot {
    /// Each live session with its expiry.
    sessions: BTreeMap<i64, DateTime<Utc>>,
    /// Whether only the newest sessions were read.
    is_truncated: bool,
    profile: ProfileFields,
    access: Access,
}

/// The fields of a profile.
#[derive(PartialEq, Eq)]
struct ProfileFields {
    username: String,
    email: Option<String>,
    display_name: Option<String>,
}

/// Subscribes to the events of the monitored caller's account.
///
/// # Errors
/// Refuses callers without a session or with too many subscriptions.
pub async fn subscribe(app: &App, monitor: SessionMonitor) -> Result<AccountEventStream> {
    let requester = monitor.requester();
    let caller = requester.authorize(rule::ACCOUNT_EVENTS)?;
    let max = app.stream_quota.limit();
    let slot = app.stream_quota.acquire_subscription(caller.user.id).ok_or(Error::TooManySubscriptions { max })?;
    let live = list_live_sessions(app, caller).await?;
    let last = Snapshot::of(caller, &live);
    Ok(AccountEventStream { app: app.clone(), monitor, last, events: VecDeque::new(), is_ended: false, _slot: slot })
}

async fn list_live_sessions(app: &App, caller: &Caller) -> Result<Vec<session::Model>> {
    let limit = u64::try_from(MAX_SESSIONS).unwrap_or(u64::MAX);
    sessions::list_newest_live(app.db.reader(), caller.user.id, app.clock.now(), limit).await
}

impl AccountEventStream {
    /// The requester of the stream, with its current access.
    pub fn requester(&self) -> Requester {
        self.monitor.requester()
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// The end of the stream. [`Error::Unauthenticated`] when the own session ended, after the event that reports it,
    /// or when only the token expired. Other refusals when the caller loses the right to subscribe; database errors.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            if self.is_ended {
                return Err(Error::Unauthenticated(TokenError::SessionEnded));
            }
            self.recheck().await?;
        }
    }

    async fn recheck(&mut self) -> Result<()> {
        let is_stale = match self.monitor.recheck().await {
            Err(Error::Unauthenticated(TokenError::SessionEnded)) => return self.push_own_end().await,
            checked => checked?,
        };
        if !is_stale && !self.last.has_expired_session(self.app.clock.now()) {
            return Ok(());
        }
        let requester = self.monitor.requester();
        let caller = requester.authorize(rule::ACCOUNT_EVENTS)?;
        let live = list_live_sessions(&self.app, caller).await?;
        let now = Snapshot::of(caller, &live);
        self.push_ended_sessions(caller, &now).await?;
        if now.access != self.last.access {
            self.events.push_back(Event::AccessChanged { access: now.access.clone(), at: self.app.clock.now() });
        }
        if now.profile != self.last.profile {
            let at = caller.user.updated_at.utc();
            self.events.push_back(Event::ProfileChanged { user: Box::new(caller.user.clone()), at });
        }
        // In order of creation.
        for session in live.into_iter().rev().filter(|session| self.last.is_new(session.id)) {
            let at = session.created_at.utc();
            self.events.push_back(Event::NewSession { session: Box::new(session), at });
        }
        self.last = now;
        Ok(())
    }

    /// Queues the ended sessions, except the stream's own: the session monitor reports that one.
    async fn push_ended_sessions(&mut self, caller: &Caller, now: &Snapshot) -> Result<()> {
        let own = caller.session().map(|session| session.id);
        let missing = self.last.sessions.keys().filter(|id| !now.sessions.contains_key(*id) && Some(**id) != own);
        let missing: Vec<i64> = missing.copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let time = self.app.clock.now();
        let found = sessions::list_by_id(self.app.db.reader(), caller.user.id, missing).await?;
        // Those still live only fell out of the newest ones.
        let ended = found.into_iter().filter(|session| !is_live(session, time));
        self.events.extend(ended.map(|session| ended_event(&session, false)));
        Ok(())
    }

    /// Queues the end of the stream's own session as the last event.
    async fn push_own_end(&mut self) -> Result<()> {
        let caller = self.monitor.caller();
        let Some(session) = caller.session() else {
            return Err(Error::Unauthenticated(TokenError::SessionEnded));
        };
        let event = match sessions::find(self.app.db.reader(), session.uid).await? {
            Some(found) => ended_event(&found, true),
            // Deleted together with its user.
            None => Event::SessionEnded {
                session: session.uid.into(),
                is_current: true,
                reason: Some(EndReason::Revoked),
                at: self.app.clock.now(),
            },
        };
        self.events.push_back(event);
        self.is_ended = true;
        Ok(())
    }
}

fn ended_event(session: &session::Model, is_current: bool) -> Event {
    let at = session.ended_at.map_or_else(|| expires_at(session), |ended| ended.utc());
    Event::SessionEnded { session: session.uid.into(), is_current, reason: session.end_reason, at }
}

impl Snapshot {
    fn of(caller: &Caller, live: &[session::Model]) -> Self {
        let user::Model { username, email, display_name, .. } = caller.user.clone();
        Self {
            sessions: live.iter().map(|session| (session.id, expires_at(session))).collect(),
            is_truncated: live.len() >= MAX_SESSIONS,
            profile: ProfileFields { username, email, display_name },
            access: caller.access.clone(),
        }
    }

    /// Whether a session may have expired; it may have been refreshed on another node.
    fn has_expired_session(&self, now: DateTime<Utc>) -> bool {
        self.sessions.values().any(|end| *end <= now)
    }

    /// Whether the live session with this row id was opened since the last snapshot. In a truncated snapshot an older
    /// session may merely have become visible.
    fn is_new(&self, id: i64) -> bool {
        let was_listed = !self.is_truncated || self.sessions.keys().next().is_none_or(|oldest| id > *oldest);
        was_listed && !self.sessions.contains_key(&id)
    }
}
