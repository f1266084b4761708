//! Opening of sessions by a login.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason, Transport};
use entity::user;

use super::login_origin;
use super::session_end::end;
use crate::account::access::grants::{self, Access};
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::{Caller, Credential, Identity, Requester};
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::name::Name;
use crate::account::tokens::{self, TokenPair};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::sessions::{self, SessionWithGrants};

/// A session that was just opened or refreshed.
#[derive(Debug, Clone)]
pub struct IssuedSession {
    /// The owner.
    pub user: user::Model,
    /// The session.
    pub session: session::Model,
    /// The owner's effective access.
    pub access: Access,
    /// The token pair.
    pub tokens: TokenPair,
}

impl IssuedSession {
    /// The requester that this session makes of a request.
    pub fn requester(&self, context: RequestContext) -> Requester {
        let Self { user, session, access, .. } = self.clone();
        let credential = Credential::Session(session);
        Requester { identity: Identity::Authenticated(Arc::new(Caller { user, credential, access })), context }
    }
}

/// What the client chooses of a new session.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// How its tokens are transported.
    pub transport: Transport,
    /// The user's name for the device.
    pub device_name: Option<Name>,
}

impl NewSession {
    /// A session with its tokens in the response body, on a device without a name.
    pub fn in_body() -> Self {
        Self { transport: Transport::Body, device_name: None }
    }
}

/// Maximum surplus sessions that one login ends: more exist only after the limit was lowered.
const SURPLUS_BATCH_SIZE: u64 = 1_000;

/// Opens a session for `user` within the caller's transaction, which has locked the user's row: it states what the
/// tokens contain. Ends the oldest sessions above the user's limit.
pub(in crate::account) async fn open(
    tx: &UnitOfWork<'_>,
    app: &App,
    user: &user::Model,
    context: &RequestContext,
    NewSession { transport, device_name }: NewSession,
    now: DateTime<Utc>,
) -> Result<IssuedSession> {
    let settings = &app.config.token;
    let uid = app.entropy.uuid(now);
    let row = sessions::NewRow {
        uid,
        user_id: user.id,
        transport,
        device_name: device_name.map(|name| name.as_str().to_owned()),
        user_agent: context.user_agent.clone(),
        address: context.address.map(|address| address.to_string()),
        created_at: now.into(),
        idle_end_at: (now + settings.refresh_idle).into(),
        absolute_end_at: (now + settings.refresh_absolute).into(),
        issued_at: tokens::issue_time(user, now).into(),
    };
    sessions::insert(tx, row).await?;
    login_origin::record_network(tx, user, context, now).await?;
    let limit = app.config.limits.max_sessions_per_user;
    let surplus = sessions::list_live_excess(tx, user.id, limit, now, SURPLUS_BATCH_SIZE).await?;
    end(tx, user, &surplus, EndReason::SessionLimit, now).await?;
    // The user as changed by this transaction.
    let SessionWithGrants { session, user, grants } =
        sessions::find_with_grants(tx, uid).await?.ok_or_else(|| Error::internal("the opened session is missing"))?;
    let access = grants::access_from_grants(grants);
    let tokens = tokens::issue_pair(app, &user, &access.roles, &session, now)?;
    Ok(IssuedSession { user, session, access, tokens })
}
