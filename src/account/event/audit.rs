//! Audit events, written in the transaction that they describe.

use chrono::{DateTime, Utc};
use entity::audit_event::Outcome;
use entity::{session, user};
use uuid::Uuid;

use super::audit_action::AuditAction;
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::Caller;
use crate::app::App;
use crate::error::Result;
use crate::limits::failure_windows::FailedAttempt;
use crate::store::{Connection, audit_events};

/// An audit event before it is written.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    action: &'static str,
    outcome: Outcome,
    tenant: Option<i64>,
    actor: Option<Uuid>,
    target: Option<Uuid>,
    session: Option<Uuid>,
    details: serde_json::Map<String, serde_json::Value>,
}

impl AuditEvent {
    /// An event of a successful operation.
    pub fn success(action: AuditAction) -> Self {
        Self {
            action: action.name(),
            outcome: Outcome::Success,
            tenant: None,
            actor: None,
            target: None,
            session: None,
            details: serde_json::Map::new(),
        }
    }

    /// An event of a failed attempt.
    pub fn failed(action: AuditAction) -> Self {
        Self { outcome: Outcome::Failed, ..Self::success(action) }
    }

    /// The summary of the failures of one window, with the data of the last one.
    pub(in crate::account) fn from_window(last: &FailedAttempt) -> Self {
        let FailedAttempt { action, tenant, actor, target, session, .. } = *last;
        let (outcome, details) = (Outcome::Failed, serde_json::Map::new());
        Self { action, outcome, tenant, actor, target, session, details }
    }

    /// The data that is counted of a failed attempt.
    pub(in crate::account) fn failure(&self, context: &RequestContext) -> FailedAttempt {
        FailedAttempt {
            action: self.action,
            tenant: self.tenant,
            actor: self.actor,
            target: self.target,
            session: self.session,
            address: context.address,
            user_agent: context.user_agent.clone(),
            request_id: context.request_id.clone(),
        }
    }

    /// Sets the acting user.
    pub fn by_user(mut self, actor: &user::Model) -> Self {
        self.actor = Some(actor.uid);
        self.tenant = self.tenant.or(Some(actor.tenant_id));
        self
    }

    /// Sets the acting caller; with an API token, its id is recorded, too.
    pub fn by_caller(mut self, caller: &Caller) -> Self {
        if let Some(token) = caller.api_token() {
            let id = token.id().to_string();
            self.details.insert("byApiToken".to_owned(), id.into());
        }
        self.by_user(&caller.user)
    }

    /// Sets the affected user.
    pub fn on_user(mut self, target: &user::Model) -> Self {
        self.target = Some(target.uid);
        self.tenant = Some(target.tenant_id);
        self
    }

    /// Sets the affected object.
    pub fn on_object(mut self, target: Uuid) -> Self {
        self.target = Some(target);
        self
    }

    /// Sets the session.
    pub fn in_session(mut self, session: &session::Model) -> Self {
        self.session = Some(session.uid);
        self
    }

    /// Adds a detail; never a secret.
    pub fn with(mut self, name: &str, detail: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), detail.into());
        self
    }

    /// Writes the event outside of a transaction.
    pub async fn record_standalone(self, app: &App, context: &RequestContext, now: DateTime<Utc>) -> Result<()> {
        app.db.retry(|| self.clone().record(app.db.writer(), app, context, now)).await
    }

    /// Writes the event; use cases call [`UnitOfWork::record`](super::unit_of_work::UnitOfWork::record).
    pub(super) async fn record(
        self,
        db: &impl Connection,
        app: &App,
        context: &RequestContext,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let event = audit_events::NewRow {
            uid: app.entropy.uuid(now),
            at: now.into(),
            tenant_id: self.tenant,
            action: self.action,
            outcome: self.outcome,
            actor_uid: self.actor,
            target_uid: self.target,
            session_uid: self.session,
            address: context.address.map(|address| address.to_string()),
            user_agent: context.user_agent.clone(),
            request_id: context.request_id.clone(),
            details: (!self.details.is_empty()).then(|| serde_json::Value::Object(self.details).to_string()),
        };
        audit_events::insert(db, event).await
    }
}
