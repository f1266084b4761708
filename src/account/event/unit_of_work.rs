//! The unit of work of a use case: a transaction with its domain events.
//!
//! Webhooks are stored before the commit, so that they are atomic with it; hooks run after it. Both come from the
//! emitted events, so neither misses what the other gets. Cut-offs of the revocation list come from marks of the
//! statements: a use case that changes roles or a status calls nothing.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use sea_orm::prelude::{Uuid, async_trait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::audit::AuditEvent;
use super::domain_event::{DomainEvent, user_snapshots};
use super::{revocation, webhook};
use crate::account::access::rule::Rule;
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::{Caller, Requester};
use crate::app::App;
use crate::database::transaction::Transaction;
use crate::error::{Error, Result};
use crate::hooks::UserEvent;
use crate::store::cut_offs::CutOff;
use crate::store::{Affected, Propagation, TenantScope, TracksChanges, TracksRevocations, roles, users};

/// A transaction with its domain events and cut-offs.
pub(in crate::account) struct UnitOfWork<'a> {
    inner: Transaction,
    app: &'a App,
    context: &'a RequestContext,
    now: DateTime<Utc>,
    events: Mutex<Vec<DomainEvent>>,
    cut_offs: Mutex<Vec<CutOff>>,
    revokes: AtomicBool,
}

/// What a use case returns from its transaction, after [`UnitOfWork::commit`] or [`UnitOfWork::roll_back`].
pub(in crate::account) struct Completed<T>(T);

impl App {
    /// Runs `work` in a transaction, which it commits; after a conflict, all of it is repeated. An error rolls back.
    /// Audit events are recorded with the request `context`, at the instant `now`.
    ///
    /// # Errors
    /// Those of `work`; [`Error::ServerBusy`] after repeated conflicts.
    pub(in crate::account) async fn write<'a, T, F>(
        &'a self,
        context: &'a RequestContext,
        now: DateTime<Utc>,
        work: impl Fn(UnitOfWork<'a>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Completed<T>>>,
    {
        let Completed(result) =
            self.db.retry(|| async { work(UnitOfWork::begin(self, context, now).await?).await }).await?;
        Ok(result)
    }

    /// As [`App::write`], for the caller of a request, who is reloaded: a session end, a disabled user or a removed
    /// role since the request arrived takes effect. The caller's row stays locked until the end: concurrent revocations
    /// wait, and include what this transaction creates.
    ///
    /// # Errors
    /// As [`App::write`]; [`Error::Unauthenticated`] if the credentials are no longer valid;
    /// [`Error::PasswordChangeRequired`]; [`Error::Forbidden`] if `rule` no longer admits the caller.
    pub(in crate::account) async fn write_as<'a, T, F>(
        &'a self,
        requester: &'a Requester,
        rule: Rule,
        now: DateTime<Utc>,
        work: impl Fn(UnitOfWork<'a>, Caller) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Completed<T>>>,
    {
        let caller = requester.authenticated()?;
        self.write(&requester.context, now, async |tx| {
            let caller = tx.reload(caller, rule).await?;
            work(tx, caller).await
        })
        .await
    }

    /// As [`App::write_as`], for changes that may remove an administrator, or make one. They run one after another, so
    /// that each sees which administrators are left.
    ///
    /// # Errors
    /// As [`App::write_as`].
    pub(in crate::account) async fn write_admins_as<'a, T, F>(
        &'a self,
        requester: &'a Requester,
        rule: Rule,
        now: DateTime<Utc>,
        work: impl Fn(UnitOfWork<'a>, Caller) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Completed<T>>>,
    {
        let caller = requester.authenticated()?;
        self.write(&requester.context, now, async |tx| {
            // Before the caller's row, in each of them: two administrators who remove each other would deadlock.
            roles::lock_built_in(&tx).await?;
            let caller = tx.reload(caller, rule).await?;
            work(tx, caller).await
        })
        .await
    }
}

impl<'a> UnitOfWork<'a> {
    async fn begin(app: &'a App, context: &'a RequestContext, now: DateTime<Utc>) -> Result<Self> {
        let inner = app.db.begin().await?;
        let (events, cut_offs, revokes) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Ok(Self { inner, app, context, now, events, cut_offs, revokes })
    }

    async fn reload(&self, caller: &Caller, rule: Rule) -> Result<Caller> {
        let caller = caller.reload(self, self.now).await?;
        if caller.user.must_change_password && !rule.is_open_before_password_change {
            return Err(Error::PasswordChangeRequired);
        }
        // `user_action` checks owners.
        if !rule.is_open_to_owner {
            caller.require(rule)?;
        }
        Ok(caller)
    }

    /// Records an audit event.
    pub async fn record(&self, event: AuditEvent) -> Result<()> {
        event.record(self, self.app, self.context, self.now).await
    }

    /// Emits a domain event.
    pub fn emit(&self, event: DomainEvent) {
        self.events.lock().push(event);
    }

    /// Writes the marked cut-offs, and emits an event for each changed user that no use case reported.
    async fn publish_cut_offs(&self) -> Result<()> {
        let ended: BTreeSet<(i64, Uuid)> = {
            let events = self.events.lock();
            let ended = events.iter().filter_map(|event| match event {
                DomainEvent::SessionEnded(user, ..) => Some((user.id, user.uid)),
                DomainEvent::UserCreated(_) | DomainEvent::UserUpdated(_) | DomainEvent::UserDeleted(..) => None,
            });
            ended.collect()
        };
        revocation::replace_crowds_by_cut_offs(self, self.app, ended, self.app.clock.now()).await?;
        let cut_offs = std::mem::take(&mut *self.cut_offs.lock());
        // Read after all rows are locked: cut-offs are not earlier than the tokens they cover.
        let now = self.app.clock.now();
        for cut_off in revocation::merge_by_user(cut_offs) {
            revocation::write_cut_off(self, self.app, &cut_off, now).await?;
            if cut_off.cause.is_user_update() && !self.has_event_for(cut_off.user_id) {
                let user = users::find_by_id(self, TenantScope::AllTenants, cut_off.user_id).await?;
                user.into_iter().for_each(|user| self.emit(DomainEvent::UserUpdated(user)));
            }
        }
        Ok(())
    }

    /// Whether a use case has emitted an event for the user.
    fn has_event_for(&self, user_id: i64) -> bool {
        let events = self.events.lock();
        events.iter().any(|event| match event {
            DomainEvent::UserCreated(user) | DomainEvent::UserUpdated(user) | DomainEvent::UserDeleted(user, _) => {
                user.id == user_id
            }
            DomainEvent::SessionEnded(..) => false,
        })
    }

    /// Undoes all changes.
    pub fn roll_back<T>(self, result: T) -> Completed<T> {
        Completed(result)
    }

    /// Commits, then runs hooks and wakes up the delivery of webhooks.
    pub async fn commit<T>(self, result: T) -> Result<Completed<T>> {
        self.commit_changes().await?;
        Ok(Completed(result))
    }

    async fn commit_changes(self) -> Result<()> {
        // Boxed: the futures of a request nest deeply.
        Box::pin(self.publish_cut_offs()).await?;
        let Self { inner, app, now, events, revokes, .. } = self;
        let events = events.into_inner();
        let snapshots = user_snapshots(&inner, app, &events).await?;
        let has_messages = webhook::enqueue(&inner, app, &events, &snapshots, now).await?;
        let for_hooks = events.iter().zip(snapshots).filter_map(|(event, user)| match event {
            DomainEvent::UserCreated(_) => Some((UserEvent::Created, user?)),
            DomainEvent::UserUpdated(_) => Some((UserEvent::Updated, user?)),
            DomainEvent::UserDeleted(..) | DomainEvent::SessionEnded(..) => None,
        });
        let (for_hooks, app): (Vec<_>, App) = (for_hooks.collect(), app.clone());
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

impl TracksChanges for UnitOfWork<'_> {
    fn mark_changed(&self, affected: Affected, propagation: Propagation) {
        self.inner.mark_changed(affected, propagation);
    }
}

impl TracksRevocations for UnitOfWork<'_> {
    fn mark_revocations_changed(&self) {
        self.revokes.store(true, Ordering::Relaxed);
    }

    fn mark_cut_off(&self, cut_off: CutOff) {
        self.cut_offs.lock().push(cut_off);
    }
}

impl Deref for UnitOfWork<'_> {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

/// Statements run in this transaction.
#[async_trait::async_trait]
impl ConnectionTrait for UnitOfWork<'_> {
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
