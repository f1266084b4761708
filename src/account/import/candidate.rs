//! A row with valid fields, before the check against existing users.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use secrecy::{ExposeSecret, SecretString};

use super::login_names::{LoginNames, field_problem, non_blank};
use super::report::Issue;
use super::row::{LegacyPassword, Row};
use crate::account::administration::role::{MAX_KEY_LENGTH, MAX_NAMES, MAX_NAMES_BYTES};
use crate::account::names::canonical::canonical;
use crate::account::names::email::Email;
use crate::account::names::name::Name;
use crate::account::names::username::Username;
use crate::security::api_secret::hash;
use crate::security::policy::MAX_BYTES;
use crate::security::schemes::{StoredHash, UnusableHash, looks_like_hash, strip_wrappers};

/// Highest id that is carried over. New users get higher ones, and JSON in browsers is exact only below 2^53: half of
/// that range stays free.
const MAX_ID: i64 = 1 << 52;

/// Most consecutive failed logins that are carried over: one more would lock the user for a day.
const MAX_FAILURES: i32 = 99;

/// A user that can be created.
#[derive(Debug)]
pub(super) struct Candidate {
    pub row: u64,
    pub name: String,
    /// Identifies the row when the import is repeated.
    pub source: String,
    /// Possible usernames, best first.
    pub usernames: Vec<Username>,
    pub email: Option<Email>,
    pub display_name: Option<Name>,
    pub password: CandidatePassword,
    pub roles: Vec<Name>,
    pub carried_over: CarriedOver,
    /// What is not imported, and other remarks.
    pub remarks: Vec<String>,
}

/// The credential of an imported user.
pub(super) enum CandidatePassword {
    Hash(SecretText),
    Plain(SecretString),
    /// No usable password, and why.
    None(String),
}

impl CandidatePassword {
    /// Whether the password is `text`.
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Hash(hash) => StoredHash::parse(hash.expose()).is_ok_and(|stored| stored.verify_unpooled(text)),
            Self::Plain(plain) => plain.expose_secret() == text,
            Self::None(_) => false,
        }
    }
}

impl std::fmt::Debug for CandidatePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Values that are carried over unchanged.
#[derive(Debug)]
pub(super) struct CarriedOver {
    pub id: Option<i64>,
    pub customer: Option<i64>,
    pub is_disabled: bool,
    pub must_change_password: bool,
    pub failures: i32,
    pub locked_until: Option<DateTime<Utc>>,
    pub created_at: Option<DateTime<Utc>>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub password_changed_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// Parses a row of the format `format`.
    pub fn parse(format: &str, row: Row, now: DateTime<Utc>) -> Result<Self, Issue> {
        let Row { number, name, user } = row;
        let issue = |message: String| Issue { row: number, name: name.clone(), message };
        let user = user.map_err(&issue)?;
        let mut remarks = user.remarks.clone();
        let login = LoginNames::parse(&user, number).map_err(&issue)?;
        remarks.extend(login.remark);
        let (usernames, email) = (login.usernames, login.email);
        let display_name = non_blank(user.display_name.as_deref()).or(login.display_name);
        let display_name = display_name.and_then(|name| {
            Name::parse(&name)
                .inspect_err(|refusal| remarks.push(field_problem("display name is dropped", refusal)))
                .ok()
        });
        let roles = parse_roles(&user.roles).map_err(&issue)?;
        let key = usernames.first().map(Username::key).unwrap_or_default();
        let source = source_key(format, user.id, email.as_ref().map_or(key, Email::key).as_str());
        let kept_id = user.id.filter(can_keep_id);
        if kept_id != user.id {
            remarks.push("its id is out of range".to_owned());
        }
        // A clock that was ahead, or in another time zone, must not yield times in the future.
        let past = |time: Option<DateTime<Utc>>| time.map(|time| time.min(now));
        let carried_over = CarriedOver {
            id: kept_id,
            customer: user.customer,
            is_disabled: user.is_disabled,
            must_change_password: user.must_change_password,
            failures: user.failed_logins.clamp(0, MAX_FAILURES),
            locked_until: user.locked_until,
            created_at: past(user.created_at),
            last_login_at: past(user.last_login_at),
            password_changed_at: past(user.password_changed_at),
        };
        let password = parse_password(user.password, &mut remarks);
        let must_change_password = user.must_change_password
            || user.default_password.is_some_and(|text| {
                let is_default = password.matches(text);
                if is_default {
                    remarks.push("it has the service's default password: it must be changed".to_owned());
                }
                is_default
            });
        let carried_over = CarriedOver { must_change_password, ..carried_over };
        Ok(Self { row: number, name, source, usernames, email, display_name, password, roles, carried_over, remarks })
    }

    /// An issue of this row.
    pub fn issue(&self, text: impl Into<String>) -> Issue {
        Issue { row: self.row, name: self.name.clone(), message: text.into() }
    }
}

/// Whether an id can be carried over, if it is free.
pub(super) fn can_keep_id(id: &i64) -> bool {
    (1..=MAX_ID).contains(id)
}

/// Key of one row of an older service, by which a repeated import recognizes it.
pub(super) fn source_key(format: &str, id: Option<i64>, key: &str) -> String {
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    hash(&format!("{format}\0{id}\0{key}"))
}

fn parse_roles(names: &[String]) -> Result<Vec<Name>, String> {
    let mut roles: Vec<Name> = Vec::new();
    for name in names {
        let role = Name::parse(name).map_err(|refusal| field_problem("roles", &refusal))?;
        if canonical(role.as_str()).chars().count() > MAX_KEY_LENGTH {
            return Err("its roles: use a shorter name".to_owned());
        }
        if !roles.iter().any(|other| other.key() == role.key()) {
            roles.push(role);
        }
    }
    let names_in_token: Vec<&str> = roles.iter().map(Name::as_str).collect();
    if roles.len() > MAX_NAMES || serde_json::json!(names_in_token).to_string().len() > MAX_NAMES_BYTES {
        return Err("it has too many roles for a token".to_owned());
    }
    Ok(roles)
}

/// What can be verified. A plain-text password in the form of a hash is treated as a hash: as a password, it would
/// admit anyone who stole it.
fn parse_password(password: LegacyPassword, remarks: &mut Vec<String>) -> CandidatePassword {
    match password {
        LegacyPassword::None => CandidatePassword::None("it has no password".to_owned()),
        LegacyPassword::Plain(text) if text.expose_secret().len() > MAX_BYTES => {
            CandidatePassword::None("its password is longer than 1,024 bytes".to_owned())
        }
        LegacyPassword::Plain(text) if looks_like_hash(text.expose_secret()) => {
            let hash = strip_wrappers(text.expose_secret());
            match parse_storable_hash(&hash) {
                Ok(stored) => {
                    remarks.push(format!("its password is a hash of {}: it is verified as a hash", stored.scheme()));
                    CandidatePassword::Hash(SecretText::new(hash))
                }
                Err(why) => {
                    CandidatePassword::None(format!("its password looks like a hash, and {}", why.explanation()))
                }
            }
        }
        LegacyPassword::Plain(text) => CandidatePassword::Plain(text),
        LegacyPassword::Hash(text) => {
            let hash = strip_wrappers(text.expose());
            match parse_storable_hash(&hash) {
                Ok(_) => CandidatePassword::Hash(SecretText::new(hash)),
                Err(why) => CandidatePassword::None(why.explanation().to_owned()),
            }
        }
    }
}

/// A hash that can be computed and stored: no scheme has control characters, and PostgreSQL stores no NUL.
fn parse_storable_hash(hash: &str) -> Result<StoredHash, UnusableHash> {
    if hash.chars().any(char::is_control) { Err(UnusableHash::Malformed) } else { StoredHash::parse(hash) }
}
