//! What nodes keep in memory, and what they share.

use secrecy::SecretString;

use super::reader::Reader;
use super::{invalid, parse_server_url};

const REDIS_URL_HINT: &str = "write it like redis://:password@host:6379/0; a connection with TLS needs a tunnel";

/// One node among others on the same database.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Callers that are remembered, so that the database is not asked about them again; 0: none.
    pub max_callers: usize,
    /// The URL of a Redis that the nodes share; it may hold a password.
    pub redis_url: Option<SecretString>,
}

impl Cache {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let cached_callers = reader.integer("cache.callers", 0..=1_000_000);
        let redis_url = match reader.is_set("redis_url") {
            true => reader.read_secret("redis_url", |text| match text.starts_with("redis://") {
                false => Err(invalid("is not the URL of a Redis", REDIS_URL_HINT)),
                true => parse_server_url(text, REDIS_URL_HINT).map(|url| Some(url.into())),
            }),
            false => Some(None),
        };
        Some(Self { max_callers: cached_callers?, redis_url: redis_url? })
    }
}
