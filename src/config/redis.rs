//! The Redis that nodes share.

use secrecy::SecretString;

use super::problem::invalid;
use super::reader::Reader;
use super::server_url::parse_server_url;

const URL_HINT: &str = "use a URL like redis://:password@host:6379/0; TLS needs a tunnel";

/// Settings of Redis.
#[derive(Clone, Debug)]
pub struct Redis {
    /// URL of the Redis that nodes share; it may hold a password.
    pub url: Option<SecretString>,
}

impl Redis {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let url = match reader.is_set("redis_url") {
            true => reader.read_secret("redis_url", |text| match text.starts_with("redis://") {
                false => Err(invalid("is not a Redis URL", URL_HINT)),
                true => parse_server_url(text, URL_HINT).map(|url| Some(url.into())),
            }),
            false => Some(None),
        };
        Some(Self { url: url? })
    }
}
