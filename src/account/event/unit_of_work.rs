//! The unit of work of a use case: a transaction with its domain events.
//!
//! Webhooks are stored before the commit, so that they are atomic with it; hooks run after it. Both come from the
//! emitted events, so neither misses what the other gets. Cut-offs of the revocation list come from marks of the
//! statements: a use case that changes roles or a status calls nothing.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sea_orm::prelude::{Uuid, async_trait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::domain_event::{DomainEvent, user_snapshots};
use super::{revocation, webhook};
use crate::account::access::rule::Rule;
use crate::account::caller::requester::Caller;
use crate::app::App;
use crate::error::{Error, Result};
use crate::hooks::UserEvent;
use crate::store::cut_offs::CutOff;
use crate::store::{Affected, Propagation, TenantScope, TracksChanges, TracksRevocations, users};

/// A transaction with its domain events and cut-offs.
pub(in crate::account) struct UnitOfWork {
    inner: crate::database::transaction::Transaction,
    app: App,
    now: DateTime<Utc>,
    events: Mutex<Vec<DomainEvent>>,
    cut_offs: Mutex<Vec<CutOff>>,
    revokes: AtomicBool,
}

impl UnitOfWork {
    /// Begins a transaction at the instant `now`.
    pub async fn begin(app: &App, now: DateTime<Utc>) -> Result<Self> {
        let inner = app.db.begin().await?;
        let (events, cut_offs, revokes) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Ok(Self { inner, app: app.clone(), now, events, cut_offs, revokes })
    }

    /// Begins a transaction for `caller` and reloads the caller: a session end, a disabled user or a removed role since
    /// the request arrived takes effect. The caller's row stays locked until the end: concurrent revocations wait, and
    /// include what this transaction creates.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the credentials are no longer valid; [`Error::PasswordChangeRequired`];
    /// [`Error::Forbidden`] if `rule` no longer admits the caller.
    pub async fn begin_as(app: &App, caller: &Caller, rule: Rule, now: DateTime<Utc>) -> Result<(Self, Caller)> {
        let tx = Self::begin(app, now).await?;
        let caller = caller.reload(&tx, now).await?;
        if caller.user.must_change_password && !rule.is_open_before_password_change {
            return Err(Error::PasswordChangeRequired);
        }
        // `user_action` checks owners.
        if !rule.is_open_to_owner {
            caller.require(rule)?;
        }
        Ok((tx, caller))
    }

    /// Emits a domain event.
    pub fn emit(&self, event: DomainEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Writes the marked cut-offs, and emits an event for each changed user that no use case reported.
    async fn publish_cut_offs(&self) -> Result<()> {
        let ended: BTreeSet<(i64, Uuid)> = {
            let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = events.iter().filter_map(|event| match event {
                DomainEvent::SessionEnded(user, ..) => Some((user.id, user.uid)),
                DomainEvent::UserCreated(_) | DomainEvent::UserUpdated(_) | DomainEvent::UserDeleted(_) => None,
            });
            ended.collect()
        };
        revocation::replace_crowds_by_cut_offs(self, &self.app, ended, self.app.clock.now()).await?;
        let cut_offs = std::mem::take(&mut *self.cut_offs.lock().unwrap_or_else(PoisonError::into_inner));
        // Read after all rows are locked: cut-offs are not earlier than the tokens they cover.
        let now = self.app.clock.now();
        for cut_off in revocation::merge_by_user(cut_offs) {
            revocation::write_cut_off(self, &self.app, &cut_off, now).await?;
            if cut_off.cause.is_user_update() && !self.has_event_for(cut_off.user_id) {
                let user = users::find_by_id(self, TenantScope::AllTenants, cut_off.user_id).await?;
                user.into_iter().for_each(|user| self.emit(DomainEvent::UserUpdated(user)));
            }
        }
        Ok(())
    }

    /// Whether a use case has emitted an event for the user.
    fn has_event_for(&self, user_id: i64) -> bool {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().any(|event| match event {
            DomainEvent::UserCreated(user) | DomainEvent::UserUpdated(user) | DomainEvent::UserDeleted(user) => {
                user.id == user_id
            }
            DomainEvent::SessionEnded(..) => false,
        })
    }

    /// Commits, then notifies hooks and webhooks.
    pub async fn commit(self) -> Result<()> {
        // Boxed: the futures of a request nest deeply.
        Box::pin(self.publish_cut_offs()).await?;
        let Self { inner, app, now, events, revokes, .. } = self;
        let events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
        let snapshots = user_snapshots(&inner, &app, &events).await?;
        let has_messages = webhook::enqueue(&inner, &app, &events, &snapshots, now).await?;
        let for_hooks = events.iter().zip(snapshots).filter_map(|(event, user)| match event {
            DomainEvent::UserCreated(_) => Some((UserEvent::Created, user?)),
            DomainEvent::UserUpdated(_) => Some((UserEvent::Updated, user?)),
            DomainEvent::UserDeleted(_) | DomainEvent::SessionEnded(..) => None,
        });
        let for_hooks: Vec<_> = for_hooks.collect();
        // In a separate task: a disconnecting client must not cancel the steps after the commit.
        let finishing = tokio::spawn(async move {
            let committed = inner.commit().await;
            // In any case: a commit whose response was lost may have succeeded.
            if revokes.into_inner() {
                app.revocation_list.invalidate();
            }
            committed?;
            if has_messages {
                app.webhooks_due.send_replace(());
            }
            app.hooks.run(for_hooks).await;
            Ok(())
        });
        finishing.await.map_err(Error::internal)?
    }
}

impl TracksChanges for UnitOfWork {
    fn mark_changed(&self, affected: Affected, propagation: Propagation) {
        self.inner.mark_changed(affected, propagation);
    }
}

impl TracksRevocations for UnitOfWork {
    fn mark_revocations_changed(&self) {
        self.revokes.store(true, Ordering::Relaxed);
    }

    fn mark_cut_off(&self, cut_off: CutOff) {
        self.cut_offs.lock().unwrap_or_else(PoisonError::into_inner).push(cut_off);
    }
}

impl Deref for UnitOfWork {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

/// Statements run in this transaction.
#[async_trait::async_trait]
impl ConnectionTrait for UnitOfWork {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}
