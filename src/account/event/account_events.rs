//! Events of one's own account: what has changed between two looks at the database.
//!
//! There is no channel for messages that could lose one. A watcher knows what it has told, and when the ledger says that
//! something may have changed it reads again and tells the difference: on every node, and whatever became of a nudge.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;

use crate::account::access::rule::{self, Access};
use crate::account::authentication::session::{expires_at, is_live};
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::session_monitor::SessionMonitor;
use crate::account::user::id::SessionId;
use crate::app::App;
use crate::error::{Error, Result, TokenError};
use crate::limits::stream_quota::Slot;
use crate::store::sessions;

/// Most sessions of one user that are watched, the newest; who has more is a program.
const MAX_SESSIONS: usize = 200;

/// Something that happened to one's own account.
#[derive(Debug)]
pub enum Event {
    /// A session is over.
    SessionEnded {
        /// Which one.
        session: SessionId,
        /// Whether it is the one of the watcher, who is told nothing more.
        is_current: bool,
        /// Why; nothing if its time was over.
        reason: Option<EndReason>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Roles or permissions have changed.
    AccessChanged {
        /// What the user may do now.
        access: Access,
        /// When it was noticed.
        at: DateTime<Utc>,
    },
    /// The names or the address have changed.
    ProfileChanged {
        /// The account as it is now.
        user: Box<user::Model>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody has signed in to the account.
    NewSession {
        /// The new session.
        session: Box<session::Model>,
        /// When.
        at: DateTime<Utc>,
    },
}

/// Whoever is told of the events of their own account.
pub struct AccountEventStream {
    app: App,
    monitor: SessionMonitor,
    last: Snapshot,
    events: VecDeque<Event>,
    is_ended: bool,
    _slot: Slot,
}

/// What was read.
struct Snapshot {
    /// Each live session, with when it ends if nothing happens.
    sessions: BTreeMap<i64, DateTime<Utc>>,
    /// The newest of them were read alone.
    is_truncated: bool,
    profile: ProfileFields,
    access: Access,
}

/// What a profile shows.
#[derive(PartialEq, Eq)]
struct ProfileFields {
    username: String,
    email: Option<String>,
    display_name: Option<String>,
}

/// Begins to watch the account of whoever keeps the vigil.
///
/// # Errors
/// Refuses callers without a session, and those who have too many subscriptions.
pub async fn subscribe(app: &App, monitor: SessionMonitor) -> Result<AccountEventStream> {
    let requester = monitor.requester();
    let caller = requester.authorize(rule::ACCOUNT_EVENTS)?;
    let most = app.stream_quota.limit();
    let slot = app.stream_quota.acquire_subscription(caller.user.id).ok_or(Error::TooManySubscriptions { most })?;
    let live = list_live_sessions(app, caller).await?;
    let last = Snapshot::of(caller, &live);
    Ok(AccountEventStream { app: app.clone(), monitor, last, events: VecDeque::new(), is_ended: false, _slot: slot })
}

async fn list_live_sessions(app: &App, caller: &Caller) -> Result<Vec<session::Model>> {
    let limit = u64::try_from(MAX_SESSIONS).unwrap_or(u64::MAX);
    sessions::list_newest_live(app.db.reader(), caller.user.id, app.clock.now(), limit).await
}

impl AccountEventStream {
    /// Whoever watches, with the roles of now.
    pub fn requester(&self) -> Requester {
        self.monitor.requester()
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// The end: [`Error::Unauthenticated`] when the watcher's session is over, which was told as the last event, or only
    /// the time of the token; other refusals, when the watcher may not watch any more; those of the database.
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
        let may_be_old = match self.monitor.recheck().await {
            Err(Error::Unauthenticated(TokenError::SessionEnded)) => return self.push_own_end().await,
            looked => looked?,
        };
        if !may_be_old && !self.last.has_expired_session(self.app.clock.now()) {
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
        // As they came.
        for session in live.into_iter().rev().filter(|session| self.last.is_new(session.id)) {
            let at = session.created_at.utc();
            self.events.push_back(Event::NewSession { session: Box::new(session), at });
        }
        self.last = now;
        Ok(())
    }

    /// Tells of the sessions that are gone, but for the watcher's own: of that one the vigil tells.
    async fn push_ended_sessions(&mut self, caller: &Caller, now: &Snapshot) -> Result<()> {
        let own = caller.session().map(|session| session.id);
        let gone = self.last.sessions.keys().filter(|id| !now.sessions.contains_key(*id) && Some(**id) != own);
        let gone: Vec<i64> = gone.copied().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let time = self.app.clock.now();
        let found = sessions::list_by_id(self.app.db.reader(), caller.user.id, gone).await?;
        // Those that live have only made room for newer ones.
        let ended = found.into_iter().filter(|session| !is_live(session, time));
        self.events.extend(ended.map(|session| ended_event(&session, false)));
        Ok(())
    }

    /// Tells of the watcher's own session, and nothing more.
    async fn push_own_end(&mut self) -> Result<()> {
        let caller = self.monitor.caller();
        let Some(session) = caller.session() else {
            return Err(Error::Unauthenticated(TokenError::SessionEnded));
        };
        let event = match sessions::find(self.app.db.reader(), session.uid).await? {
            Some(found) => ended_event(&found, true),
            // It went with its account.
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

    /// Whether a session has ended by time, unless it was renewed elsewhere.
    fn has_expired_session(&self, now: DateTime<Utc>) -> bool {
        self.sessions.values().any(|end| *end <= now)
    }

    /// Whether a live session with this number was opened since. Where there were too many to be read, an older one may
    /// only have come into sight.
    fn is_new(&self, id: i64) -> bool {
        let is_in_sight = !self.is_truncated || self.sessions.keys().next().is_none_or(|oldest| id > *oldest);
        is_in_sight && !self.sessions.contains_key(&id)
    }
}
