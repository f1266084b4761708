//! A use case's transaction: whoever wants to know what it changed is told, and only once it is true.
//!
//! Webhooks are written before the commit, so that they are true with it; hooks run after it. Both come from what is
//! noted here, so that neither can know of something that the other misses. Cut-offs of the revocation list come from
//! what the statements mark: a use case that changes roles or a status has nothing to call.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user::{self, Status};
use sea_orm::prelude::{Uuid, async_trait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::{revocation, webhook};
use crate::account::access::role;
use crate::account::access::rule::{self, Rule};
use crate::account::caller::requester::Caller;
use crate::account::user::id::{TenantId, UserId};
use crate::app::App;
use crate::error::{Error, Result};
use crate::hooks::{User, UserEvent};
use crate::store::cut_offs::CutOff;
use crate::store::{Affected, Propagation, TenantScope, TracksChanges, TracksRevocations, tenants, users};

/// Something that the transaction makes true.
pub(in crate::account) enum DomainEvent {
    /// An account was made.
    UserCreated(user::Model),
    /// An account was changed; this is how it is now.
    UserUpdated(user::Model),
    /// An account was deleted; this is how it was.
    UserDeleted(user::Model),
    /// A session was ended.
    SessionEnded(user::Model, session::Model, EndReason),
}

/// A transaction of the use cases.
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

    /// Begins a transaction in the name of `caller`, and looks the caller up again: what ended the session, disabled the
    /// user or took a role since the request arrived counts. Until the transaction ends, the caller's row is locked: who
    /// ends or takes something waits, and finds what was made meanwhile.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the caller would not be let in any more; [`Error::PasswordChangeRequired`];
    /// [`Error::Forbidden`] if `rule` does not let the caller pass any more.
    pub async fn begin_as(app: &App, caller: &Caller, rule: Rule, now: DateTime<Utc>) -> Result<(Self, Caller)> {
        let tx = Self::begin(app, now).await?;
        let caller = caller.reload(&tx, now).await?;
        // `updatePassword` is how a required change is made.
        if caller.user.must_change_password && rule != rule::UPDATE_PASSWORD {
            return Err(Error::PasswordChangeRequired);
        }
        // What belongs to the owner is a matter of `power`.
        if !rule.is_open_to_owner {
            caller.require(rule)?;
        }
        Ok((tx, caller))
    }

    /// Notes what this transaction does.
    pub fn emit(&self, event: DomainEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Publishes what the statements marked, and notes each user whom they changed and no use case named.
    async fn publish_cut_offs(&self) -> Result<()> {
        let ended: BTreeSet<(i64, Uuid)> = {
            let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = events.iter().filter_map(|fact| match fact {
                DomainEvent::SessionEnded(user, ..) => Some((user.id, user.uid)),
                DomainEvent::UserCreated(_) | DomainEvent::UserUpdated(_) | DomainEvent::UserDeleted(_) => None,
            });
            ended.collect()
        };
        revocation::replace_crowds_by_cut_offs(self, &self.app, ended, self.app.clock.now()).await?;
        let cut_offs = std::mem::take(&mut *self.cut_offs.lock().unwrap_or_else(PoisonError::into_inner));
        // Read once every row is locked: the time of what is written is not before that of what was issued.
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

    /// Whether a use case has noted what becomes of the user.
    fn has_event_for(&self, user_id: i64) -> bool {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().any(|fact| match fact {
            DomainEvent::UserCreated(user) | DomainEvent::UserUpdated(user) | DomainEvent::UserDeleted(user) => {
                user.id == user_id
            }
            DomainEvent::SessionEnded(..) => false,
        })
    }

    /// Commits, and tells those who want to know.
    pub async fn commit(self) -> Result<()> {
        // Boxed: the futures of a request nest deeply.
        Box::pin(self.publish_cut_offs()).await?;
        let Self { inner, app, now, events, revokes, .. } = self;
        let events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
        let snapshots = user_snapshots(&inner, &app, &events).await?;
        let are_due = webhook::enqueue(&inner, &app, &events, &snapshots, now).await?;
        let for_hooks = events.iter().zip(snapshots).filter_map(|(fact, user)| match fact {
            DomainEvent::UserCreated(_) => Some((UserEvent::Created, user?)),
            DomainEvent::UserUpdated(_) => Some((UserEvent::Updated, user?)),
            DomainEvent::UserDeleted(_) | DomainEvent::SessionEnded(..) => None,
        });
        let for_hooks: Vec<_> = for_hooks.collect();
        // A task of its own: a client that goes away must not come between the commit and those who are to know of it.
        let finishing = tokio::spawn(async move {
            let committed = inner.commit().await;
            // Whatever is known of it: a commit whose answer was lost may have been made.
            if revokes.into_inner() {
                app.revocation_list.invalidate();
            }
            committed?;
            if are_due {
                app.webhooks_due.send_replace(());
            }
            app.hooks.run(for_hooks).await;
            Ok(())
        });
        finishing.await.map_err(Error::internal)?
    }
}

/// The account that each fact is about, as it is told; nothing if nobody asked to be told, or of sessions.
async fn user_snapshots(tx: &impl ConnectionTrait, app: &App, events: &[DomainEvent]) -> Result<Vec<Option<User>>> {
    if app.hooks.is_empty() && app.config.webhooks.endpoints.is_empty() {
        return Ok(events.iter().map(|_| None).collect());
    }
    let mut news = Vec::new();
    for fact in events {
        news.push(match fact {
            DomainEvent::UserCreated(user) | DomainEvent::UserUpdated(user) | DomainEvent::UserDeleted(user) => {
                Some(user_snapshot(tx, user).await?)
            }
            DomainEvent::SessionEnded(..) => None,
        });
    }
    Ok(news)
}

async fn user_snapshot(tx: &impl ConnectionTrait, user: &user::Model) -> Result<User> {
    let time = |time: entity::timestamp::Timestamp| webhook::format_time(time.utc());
    let tenants = tenants::list_by_id(tx, vec![user.tenant_id]).await?;
    Ok(User {
        id: UserId::from(user.uid).to_string(),
        tenant_id: tenants.first().map(|tenant| TenantId::from(tenant.uid).to_string()).unwrap_or_default(),
        username: user.username.clone(),
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        status: match user.status {
            Status::Active => "ACTIVE",
            Status::Disabled => "DISABLED",
        },
        // Of an account that was deleted they went with it.
        roles: role::access_of(tx, user.id).await?.roles,
        must_change_password: user.must_change_password,
        password_changed_at: user.password_changed_at.map(time),
        created_at: time(user.created_at),
        updated_at: time(user.updated_at),
    })
}

impl TracksChanges for UnitOfWork {
    fn mark_changed(&self, touched: Affected, reach: Propagation) {
        self.inner.mark_changed(touched, reach);
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

/// What takes a connection takes this transaction.
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
