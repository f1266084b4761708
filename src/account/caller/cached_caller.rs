//! A caller that was looked up before: what is remembered, and until when it is true by itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::requester::{Caller, Credential};
use crate::account::authentication::session::is_live;
use crate::security::jwt;

/// A caller who was let in; a clone is a pointer. Only those are remembered: whoever is not let in is looked up again.
#[derive(Clone)]
pub(crate) struct CachedCaller {
    caller: Arc<Caller>,
    /// When the access token was issued and is good until, in seconds since 1970.
    token_validity: Option<(i64, i64)>,
}

impl CachedCaller {
    /// Somebody with an access token of these times.
    pub fn from_session(caller: Arc<Caller>, token_validity: (i64, i64)) -> Self {
        Self { caller, token_validity: Some(token_validity) }
    }

    /// Somebody with an API token.
    pub fn from_api_token(caller: Arc<Caller>) -> Self {
        Self { caller, token_validity: None }
    }

    /// The caller.
    pub fn caller(&self) -> Arc<Caller> {
        Arc::clone(&self.caller)
    }

    /// The number of the account.
    pub fn user_id(&self) -> i64 {
        self.caller.user.id
    }

    /// Whether nothing that ends by time has ended at `now`.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        let is_good = match &self.caller.credential {
            Credential::Session(session) => is_live(session, now),
            Credential::ApiToken(token) => token.is_valid_at(now),
        };
        is_good && self.token_validity.is_none_or(|times| jwt::is_valid_at(now, times))
    }
}
