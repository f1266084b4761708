//! Rate limits and session limits.

use super::listen::ListenAddress;
use super::reader::Reader;

/// Rate limits and session limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `false` is for load tests, and only accepted on a loopback address.
    pub is_enabled: bool,
    /// Burst of failed logins per client address.
    pub failed_logins_burst: i32,
    /// Sustained rate of failed logins per client address.
    pub failed_logins_per_minute: i32,
    /// Registrations per client address.
    pub registrations_per_hour: i32,
    /// Username checks per client address.
    pub username_checks_per_minute: i32,
    /// Active sessions per user.
    pub max_sessions_per_user: u64,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader, listen: Option<&ListenAddress>) -> Option<Limits> {
        let enabled = reader.bool("limits.enabled");
        let burst = reader.integer("limits.failed_logins_burst", 1..=1_000);
        let per_minute = reader.integer("limits.failed_logins_per_minute", 1..=1_000);
        let registrations = reader.integer("limits.registrations_per_hour", 1..=1_000);
        let username_checks = reader.integer("limits.username_checks_per_minute", 1..=1_000);
        let sessions = reader.integer("limits.max_sessions_per_user", 1..=10_000);
        if let Some(listen) = listen
            && enabled == Some(false)
            && !listen.is_loopback()
        {
            reader.reject(
                "limits.enabled",
                format!("false is for load tests only, and {listen} is reachable from other machines"),
                "set it to true, or listen on 127.0.0.1 or [::1]".to_owned(),
            );
        }
        Some(Limits {
            is_enabled: enabled?,
            failed_logins_burst: burst?,
            failed_logins_per_minute: per_minute?,
            registrations_per_hour: registrations?,
            username_checks_per_minute: username_checks?,
            max_sessions_per_user: sessions?,
        })
    }
}
