//! A caller that was looked up before: what is remembered, and until when it is true by itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Proof, SignedIn};
use crate::account::session::is_live;
use crate::security::token;

/// A caller who was let in; a clone is a pointer. Only those are remembered: whoever is not let in is looked up again.
#[derive(Clone)]
pub(super) struct Known {
    caller: Arc<SignedIn>,
    /// When the access token was issued and is good until, in seconds since 1970.
    times: Option<(i64, i64)>,
}

impl Known {
    /// Somebody with an access token of these times.
    pub fn in_session(caller: Arc<SignedIn>, times: (i64, i64)) -> Self {
        Self { caller, times: Some(times) }
    }

    /// Somebody with an API token.
    pub fn by_api_token(caller: Arc<SignedIn>) -> Self {
        Self { caller, times: None }
    }

    /// The caller.
    pub fn caller(&self) -> Arc<SignedIn> {
        Arc::clone(&self.caller)
    }

    /// The number of the account.
    pub fn user_id(&self) -> i64 {
        self.caller.user.id
    }

    /// Whether nothing that ends by time has ended at `now`.
    pub fn is_good_at(&self, now: DateTime<Utc>) -> bool {
        let is_good = match &self.caller.proof {
            Proof::Session(session) => is_live(session, now),
            Proof::ApiToken(token) => token.is_good_at(now),
        };
        is_good && self.times.is_none_or(|times| token::is_good_at(now, times))
    }
}
