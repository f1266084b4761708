//! What nodes keep in memory, and what they share.

use secrecy::SecretString;

use super::reader::Reader;
use super::{refused, server_url};

const EXAMPLE: &str = "write it like redis://:password@host:6379/0; a connection with TLS needs a tunnel";

/// One node among others on the same database.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Callers that are remembered, so that the database is not asked about them again; 0: none.
    pub cached_callers: usize,
    /// The URL of a Redis that the nodes share; it may hold a password.
    pub redis_url: Option<SecretString>,
}

impl Cluster {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let cached_callers = reader.whole("cache.callers", 0..=1_000_000);
        let redis_url = match reader.is_given("redis_url") {
            true => reader.read_secret("redis_url", |text| match text.starts_with("redis://") {
                false => Err(refused("is not the URL of a Redis", EXAMPLE)),
                true => server_url(text, EXAMPLE).map(|url| Some(url.into())),
            }),
            false => Some(None),
        };
        Some(Self { cached_callers: cached_callers?, redis_url: redis_url? })
    }
}
