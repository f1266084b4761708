//! One row of an older service in accountd's terms, common to all formats.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use entity::secret::SecretText;
use secrecy::SecretString;

/// A row as a reader returns it.
#[derive(Debug)]
pub struct Row {
    /// Its line, its position in an array, or its id in a table.
    pub number: u64,
    /// The user's name in the older service.
    pub name: String,
    /// The user, or why the row cannot be read.
    pub user: Result<LegacyUser, String>,
}

/// A user of an older service.
#[derive(Debug, Default)]
pub struct LegacyUser {
    /// The id that the service exposed.
    pub id: Option<i64>,
    /// The login name; derived from the e-mail address if absent.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The display name.
    pub display_name: Option<String>,
    /// The stored password or hash.
    pub password: LegacyPassword,
    /// The default password that the service assigned, where that is published.
    pub default_password: Option<&'static str>,
    /// The names of the roles.
    pub roles: Vec<String>,
    /// The id of the customer that owns the user.
    pub customer: Option<i64>,
    /// Whether login is blocked.
    pub is_disabled: bool,
    /// Whether the user must set a new password before anything else.
    pub must_change_password: bool,
    /// Consecutive failed logins.
    pub failed_logins: i32,
    /// End of a lock after failed logins.
    pub locked_until: Option<DateTime<Utc>>,
    /// Time of creation.
    pub created_at: Option<DateTime<Utc>>,
    /// Time of the last login.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Time when the password was set.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// What cannot be imported.
    pub remarks: Vec<String>,
}

/// The password data of an older service.
#[derive(Default)]
pub enum LegacyPassword {
    /// No password.
    #[default]
    None,
    /// A hash, in any supported scheme.
    Hash(SecretText),
    /// A plain-text password.
    Plain(SecretString),
}

impl LegacyPassword {
    /// From an optional hash; empty counts as none.
    pub fn from_hash(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, |text| Self::Hash(SecretText::new(text)))
    }

    /// From an optional plain-text password; empty counts as none, since it would open the account to anyone.
    pub fn from_plain(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, |text| Self::Plain(text.into()))
    }

    /// From a hash or a plain-text password.
    ///
    /// # Errors
    /// Both are given.
    pub fn from_either(hash: Option<String>, plain: Option<String>) -> Result<Self, String> {
        match (hash, plain) {
            (Some(_), Some(_)) => Err("it has `password` and `password_hash`: use one of them".to_owned()),
            (hash @ Some(_), None) => Ok(Self::from_hash(hash)),
            (None, plain) => Ok(Self::from_plain(plain)),
        }
    }
}

impl fmt::Debug for LegacyPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Hash(_) => "Hash(..)",
            Self::Plain(_) => "Plain(..)",
        })
    }
}

/// Whether the text has a time at all: MySQL writes zeros for none.
pub(super) fn has_time(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("0000-00-00")
}

/// Parses ISO 8601 as older services and databases write it: also with a blank for the `T`, a zone without minutes, or
/// a date alone. Without a zone it is UTC.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let short = || DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").map(|time| time.to_utc());
    let naive = || text.parse::<NaiveDateTime>().map(|time| time.and_utc());
    let plain = || text.strip_suffix(" UTC").unwrap_or(text);
    let spaced = || NaiveDateTime::parse_from_str(plain(), "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc());
    let day = || text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let time = zoned.or_else(|_| short()).or_else(|_| naive()).or_else(|_| spaced()).or_else(|_| day()).ok();
    // RFC 3339 has four-digit years only.
    time.filter(|time| (0..=9_999).contains(&time.year()))
}
