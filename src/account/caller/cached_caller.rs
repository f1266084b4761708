//! Cached callers, and how long a cache entry stays valid by itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::requester::{Caller, Credential};
use crate::account::session_lifetime::is_live;
use crate::security::jwt;

/// An authenticated caller; a clone is a pointer. Rejections are not cached.
#[derive(Clone)]
pub(crate) struct CachedCaller {
    caller: Arc<Caller>,
    /// Of the access token.
    token_validity: Option<jwt::Validity>,
}

impl CachedCaller {
    /// A caller with an access token that is valid between these times.
    pub fn from_session(caller: Arc<Caller>, token_validity: jwt::Validity) -> Self {
        Self { caller, token_validity: Some(token_validity) }
    }

    /// A caller with an API token.
    pub fn from_api_token(caller: Arc<Caller>) -> Self {
        Self { caller, token_validity: None }
    }

    /// The caller.
    pub fn caller(&self) -> Arc<Caller> {
        Arc::clone(&self.caller)
    }

    /// The row id of the user.
    pub fn user_id(&self) -> i64 {
        self.caller.user.id
    }

    /// Whether nothing has expired at `now`.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        let is_valid = match &self.caller.credential {
            Credential::Session(session) => is_live(session, now),
            Credential::ApiToken(token) => token.is_valid_at(now),
        };
        is_valid && self.token_validity.is_none_or(|validity| jwt::is_valid_at(now, validity))
    }
}
