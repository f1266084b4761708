//! A caller that was looked up before: what is remembered, and until when it is true by itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Proof, SignedIn};
use crate::account::session::is_live;
use crate::security::token;

/// A caller who was let in. Only those are remembered: whoever is not let in is looked up again.
pub(super) struct Known {
    caller: Arc<SignedIn>,
    /// When the access token was issued and is good until, in seconds since 1970.
    times: Option<(i64, i64)>,
}

impl Known {
    /// Somebody with an access token of these times.
    pub fn in_session(caller: &Arc<SignedIn>, times: (i64, i64)) -> Self {
        Self { caller: Arc::clone(caller), times: Some(times) }
    }

    /// Somebody with an API token.
    pub fn by_api_token(caller: &Arc<SignedIn>) -> Self {
        Self { caller: Arc::clone(caller), times: None }
    }

    /// The caller, if nothing that ends by time has ended at `now`.
    pub fn at(&self, now: DateTime<Utc>) -> Option<Arc<SignedIn>> {
        let is_good = match &self.caller.proof {
            Proof::Session(session) => is_live(session, now),
            Proof::ApiToken(token) => token.is_good_at(now),
        };
        (is_good && self.times.is_none_or(|times| token::is_good_at(now, times))).then(|| Arc::clone(&self.caller))
    }
}
