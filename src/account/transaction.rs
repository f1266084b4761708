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

use super::access::{self, Rule};
use super::id::{TenantId, UserId};
use super::requester::SignedIn;
use super::{revocation, role, webhook};
use crate::app::{App, database};
use crate::error::{Error, Result};
use crate::hooks::{Occasion, User};
use crate::store::cut_offs::CutOff;
use crate::store::{Reach, Revokes, Scope, Touched, Writes, tenants, users};

/// Something that the transaction makes true.
pub(super) enum Fact {
    /// An account was made.
    Created(user::Model),
    /// An account was changed; this is how it is now.
    Updated(user::Model),
    /// An account was deleted; this is how it was.
    Deleted(user::Model),
    /// A session was ended.
    Ended(user::Model, session::Model, EndReason),
}

/// A transaction of the use cases.
pub(super) struct Transaction {
    inner: database::Transaction,
    app: App,
    now: DateTime<Utc>,
    facts: Mutex<Vec<Fact>>,
    cut_offs: Mutex<Vec<CutOff>>,
    revokes: AtomicBool,
}

impl Transaction {
    /// Begins a transaction at the instant `now`.
    pub async fn begin(app: &App, now: DateTime<Utc>) -> Result<Self> {
        let inner = app.db.begin().await?;
        let (facts, cut_offs, revokes) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Ok(Self { inner, app: app.clone(), now, facts, cut_offs, revokes })
    }

    /// Begins a transaction in the name of `caller`, and looks the caller up again: what ended the session, disabled the
    /// user or took a role since the request arrived counts. Until the transaction ends, the caller's row is locked: who
    /// ends or takes something waits, and finds what was made meanwhile.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the caller would not be let in any more; [`Error::PasswordChangeRequired`];
    /// [`Error::Forbidden`] if `rule` does not let the caller pass any more.
    pub async fn begin_as(app: &App, caller: &SignedIn, rule: Rule, now: DateTime<Utc>) -> Result<(Self, SignedIn)> {
        let tx = Self::begin(app, now).await?;
        let caller = caller.look_again(&tx, now).await?;
        // `updatePassword` is how a required change is made.
        if caller.user.must_change_password && rule != access::UPDATE_PASSWORD {
            return Err(Error::PasswordChangeRequired);
        }
        // What belongs to the owner is a matter of `power`.
        if !rule.or_owner {
            caller.require(rule)?;
        }
        Ok((tx, caller))
    }

    /// Notes what this transaction does.
    pub fn note(&self, fact: Fact) {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).push(fact);
    }

    /// Publishes what the statements marked, and notes each user whom they changed and no use case named.
    async fn publish(&self) -> Result<()> {
        let ended: BTreeSet<(i64, Uuid)> = {
            let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = facts.iter().filter_map(|fact| match fact {
                Fact::Ended(user, ..) => Some((user.id, user.uid)),
                Fact::Created(_) | Fact::Updated(_) | Fact::Deleted(_) => None,
            });
            ended.collect()
        };
        revocation::cover_crowds(self, &self.app, ended, self.app.clock.now()).await?;
        let cut_offs = std::mem::take(&mut *self.cut_offs.lock().unwrap_or_else(PoisonError::into_inner));
        // Read once every row is locked: the time of what is written is not before that of what was issued.
        let now = self.app.clock.now();
        for cut_off in revocation::merged(cut_offs) {
            revocation::publish(self, &self.app, &cut_off, now).await?;
            if cut_off.cause.changes_user() && !self.names(cut_off.user_id) {
                let user = users::find_by_number(self, Scope::Installation, cut_off.user_id).await?;
                user.into_iter().for_each(|user| self.note(Fact::Updated(user)));
            }
        }
        Ok(())
    }

    /// Whether a use case has noted what becomes of the user.
    fn names(&self, user_id: i64) -> bool {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.iter().any(|fact| match fact {
            Fact::Created(user) | Fact::Updated(user) | Fact::Deleted(user) => user.id == user_id,
            Fact::Ended(..) => false,
        })
    }

    /// Commits, and tells those who want to know.
    pub async fn commit(self) -> Result<()> {
        // Boxed: the futures of a request nest deeply.
        Box::pin(self.publish()).await?;
        let Self { inner, app, now, facts, revokes, .. } = self;
        let facts = facts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let news = news(&inner, &app, &facts).await?;
        let are_due = webhook::write(&inner, &app, &facts, &news, now).await?;
        let for_hooks = facts.iter().zip(news).filter_map(|(fact, user)| match fact {
            Fact::Created(_) => Some((Occasion::Created, user?)),
            Fact::Updated(_) => Some((Occasion::Updated, user?)),
            Fact::Deleted(_) | Fact::Ended(..) => None,
        });
        let for_hooks: Vec<_> = for_hooks.collect();
        // A task of its own: a client that goes away must not come between the commit and those who are to know of it.
        let finishing = tokio::spawn(async move {
            let committed = inner.commit().await;
            // Whatever is known of it: a commit whose answer was lost may have been made.
            if revokes.into_inner() {
                app.bulletin.ring();
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
async fn news(tx: &impl ConnectionTrait, app: &App, facts: &[Fact]) -> Result<Vec<Option<User>>> {
    if app.hooks.is_empty() && app.config.webhooks.endpoints.is_empty() {
        return Ok(facts.iter().map(|_| None).collect());
    }
    let mut news = Vec::new();
    for fact in facts {
        news.push(match fact {
            Fact::Created(user) | Fact::Updated(user) | Fact::Deleted(user) => Some(told(tx, user).await?),
            Fact::Ended(..) => None,
        });
    }
    Ok(news)
}

async fn told(tx: &impl ConnectionTrait, user: &user::Model) -> Result<User> {
    let time = |time: entity::timestamp::Timestamp| webhook::time(time.utc());
    let tenants = tenants::list_by_number(tx, vec![user.tenant_id]).await?;
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

impl Writes for Transaction {
    fn touch(&self, touched: Touched, reach: Reach) {
        self.inner.touch(touched, reach);
    }
}

impl Revokes for Transaction {
    fn mark_revocation(&self) {
        self.revokes.store(true, Ordering::Relaxed);
    }

    fn mark_cut_off(&self, cut_off: CutOff) {
        self.cut_offs.lock().unwrap_or_else(PoisonError::into_inner).push(cut_off);
    }
}

impl Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

/// What takes a connection takes this transaction.
#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
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
