//! Events of one's own account: what has changed between two looks at the database.
//!
//! There is no channel for messages that could lose one. A watcher knows what it has told, and when the ledger says that
//! something may have changed it reads again and tells the difference: on every node, and whatever became of a nudge.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;

use super::access::{self, Access};
use super::id::SessionId;
use super::requester::{Requester, SignedIn, Vigil};
use super::session::{end_of, is_live};
use crate::app::App;
use crate::error::{Error, Result, TokenFault};
use crate::security::streams::Seat;
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
    NewSignIn {
        /// The new session.
        session: Box<session::Model>,
        /// When.
        at: DateTime<Utc>,
    },
}

/// Whoever is told of the events of their own account.
pub struct Watcher {
    app: App,
    vigil: Vigil,
    seen: Snapshot,
    news: VecDeque<Event>,
    is_over: bool,
    _seat: Seat,
}

/// What was read.
struct Snapshot {
    /// Each live session, with when it ends if nothing happens.
    sessions: BTreeMap<i64, DateTime<Utc>>,
    /// The newest of them were read alone.
    is_cut: bool,
    shown: Shown,
    access: Access,
}

/// What a profile shows.
#[derive(PartialEq, Eq)]
struct Shown {
    username: String,
    email: Option<String>,
    display_name: Option<String>,
}

/// Begins to watch the account of whoever keeps the vigil.
///
/// # Errors
/// Refuses callers without a session, and those who have too many subscriptions.
pub async fn watch(app: &App, vigil: Vigil) -> Result<Watcher> {
    let requester = vigil.requester();
    let caller = requester.permit(access::ACCOUNT_EVENTS)?;
    let most = app.streams.most();
    let seat = app.streams.take_subscription(caller.user.id).ok_or(Error::TooManySubscriptions { most })?;
    let live = read(app, caller).await?;
    let seen = Snapshot::of(caller, &live);
    Ok(Watcher { app: app.clone(), vigil, seen, news: VecDeque::new(), is_over: false, _seat: seat })
}

async fn read(app: &App, caller: &SignedIn) -> Result<Vec<session::Model>> {
    let limit = u64::try_from(MAX_SESSIONS).unwrap_or(u64::MAX);
    sessions::list_newest_live(app.db.reader(), caller.user.id, app.clock.now(), limit).await
}

impl Watcher {
    /// Whoever watches, with the roles of now.
    pub fn requester(&self) -> Requester {
        self.vigil.requester()
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// The end: [`Error::Unauthenticated`] when the watcher's session is over, which was told as the last event, or only
    /// the time of the token; other refusals, when the watcher may not watch any more; those of the database.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.news.pop_front() {
                return Ok(event);
            }
            if self.is_over {
                return Err(Error::Unauthenticated(TokenFault::SessionEnded));
            }
            self.look().await?;
        }
    }

    async fn look(&mut self) -> Result<()> {
        let may_be_old = match self.vigil.look().await {
            Err(Error::Unauthenticated(TokenFault::SessionEnded)) => return self.end().await,
            looked => looked?,
        };
        if !may_be_old && !self.seen.has_run_out(self.app.clock.now()) {
            return Ok(());
        }
        let requester = self.vigil.requester();
        let caller = requester.permit(access::ACCOUNT_EVENTS)?;
        let live = read(&self.app, caller).await?;
        let now = Snapshot::of(caller, &live);
        self.tell_ended(caller, &now).await?;
        if now.access != self.seen.access {
            self.news.push_back(Event::AccessChanged { access: now.access.clone(), at: self.app.clock.now() });
        }
        if now.shown != self.seen.shown {
            let at = caller.user.updated_at.utc();
            self.news.push_back(Event::ProfileChanged { user: Box::new(caller.user.clone()), at });
        }
        // As they came.
        for session in live.into_iter().rev().filter(|session| self.seen.is_news(session.id)) {
            let at = session.created_at.utc();
            self.news.push_back(Event::NewSignIn { session: Box::new(session), at });
        }
        self.seen = now;
        Ok(())
    }

    /// Tells of the sessions that are gone, but for the watcher's own: of that one the vigil tells.
    async fn tell_ended(&mut self, caller: &SignedIn, now: &Snapshot) -> Result<()> {
        let own = caller.session().map(|session| session.id);
        let gone = self.seen.sessions.keys().filter(|id| !now.sessions.contains_key(*id) && Some(**id) != own);
        let gone: Vec<i64> = gone.copied().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let time = self.app.clock.now();
        let found = sessions::list_by_number(self.app.db.reader(), caller.user.id, gone).await?;
        // Those that live have only made room for newer ones.
        let ended = found.into_iter().filter(|session| !is_live(session, time));
        self.news.extend(ended.map(|session| ended_event(&session, false)));
        Ok(())
    }

    /// Tells of the watcher's own session, and nothing more.
    async fn end(&mut self) -> Result<()> {
        let caller = self.vigil.caller();
        let Some(session) = caller.session() else {
            return Err(Error::Unauthenticated(TokenFault::SessionEnded));
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
        self.news.push_back(event);
        self.is_over = true;
        Ok(())
    }
}

fn ended_event(session: &session::Model, is_current: bool) -> Event {
    let at = session.ended_at.map_or_else(|| end_of(session), |ended| ended.utc());
    Event::SessionEnded { session: session.uid.into(), is_current, reason: session.end_reason, at }
}

impl Snapshot {
    fn of(caller: &SignedIn, live: &[session::Model]) -> Self {
        let user::Model { username, email, display_name, .. } = caller.user.clone();
        Self {
            sessions: live.iter().map(|session| (session.id, end_of(session))).collect(),
            is_cut: live.len() >= MAX_SESSIONS,
            shown: Shown { username, email, display_name },
            access: caller.access.clone(),
        }
    }

    /// Whether a session has ended by time, unless it was renewed elsewhere.
    fn has_run_out(&self, now: DateTime<Utc>) -> bool {
        self.sessions.values().any(|end| *end <= now)
    }

    /// Whether a live session with this number was opened since. Where there were too many to be read, an older one may
    /// only have come into sight.
    fn is_news(&self, id: i64) -> bool {
        let is_in_sight = !self.is_cut || self.sessions.keys().next().is_none_or(|oldest| id > *oldest);
        is_in_sight && !self.sessions.contains_key(&id)
    }
}
