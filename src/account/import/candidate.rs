//! A row whose fields are fit for an account here, before anybody looked whether there is room for it.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use secrecy::{ExposeSecret, SecretString};

use super::login_names::{LoginNames, non_blank};
use super::row::{LegacyPassword, Row};
use crate::account::access::role::{MAX_KEY_LENGTH, MAX_NAMES, MAX_NAMES_BYTES};
use crate::account::user::canonical::canonical;
use crate::account::user::email::Email;
use crate::account::user::name::Name;
use crate::account::user::username::Username;
use crate::error::Refusal;
use crate::security::api_secret::hash;
use crate::security::policy::MAX_BYTES;
use crate::security::schemes::{StoredHash, UnusableHash, looks_like_hash, strip_wrappers};

/// Highest number that is kept. Later users get higher ones, and JSON in browsers writes none from 2^53 on
/// exactly: half of them are left.
const MAX_ID: i64 = 1 << 52;

/// Most failures in a row that are kept: one more, and the account would be locked for a day.
const MAX_FAILURES: i32 = 99;

/// What is wrong with one row, or worth knowing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Where the row stands.
    pub row: u64,
    /// What its account is called there.
    pub name: String,
    /// What there is to say.
    pub message: String,
}

/// An account that is fit to be made.
#[derive(Debug)]
pub(super) struct Candidate {
    pub row: u64,
    pub name: String,
    /// What it is known again by when the import is repeated.
    pub source: String,
    /// The usernames that it can have, the best first.
    pub usernames: Vec<Username>,
    pub email: Option<Email>,
    pub display_name: Option<Name>,
    pub password: CandidatePassword,
    pub roles: Vec<Name>,
    pub carried_over: CarriedOver,
    /// What of it has no place here.
    pub remarks: Vec<String>,
}

/// What the account's owner can sign in with.
pub(super) enum CandidatePassword {
    Hash(SecretText),
    Plain(SecretString),
    /// Nothing, and why.
    None(String),
}

impl CandidatePassword {
    /// Whether it is `text`.
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

/// What is taken over as it stands.
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
    /// Parses a row of the service `format`.
    pub fn parse(format: &str, row: Row, now: DateTime<Utc>) -> Result<Self, Issue> {
        let Row { number, name, user: account } = row;
        let refused = |text: String| Issue { row: number, name: name.clone(), message: text };
        let account = account.map_err(&refused)?;
        let mut remarks = account.remarks.clone();
        let login = LoginNames::parse(&account, number).map_err(&refused)?;
        remarks.extend(login.remark);
        let (usernames, email) = (login.usernames, login.email);
        let display_name = non_blank(account.display_name.as_deref()).or(login.display_name);
        let display_name = display_name.and_then(|name| {
            Name::parse(&name)
                .inspect_err(|refusal| remarks.push(field_problem("display name is left out", refusal)))
                .ok()
        });
        let roles = parse_roles(&account.roles).map_err(&refused)?;
        let key = usernames.first().map(Username::key).unwrap_or_default();
        let source = source_key(format, account.id, email.as_ref().map_or(key, Email::key).as_str());
        let kept_id = account.id.filter(can_keep_id);
        if kept_id != account.id {
            remarks.push("its number is out of range".to_owned());
        }
        // A clock that was ahead, or in another zone, makes nothing of the future.
        let past = |time: Option<DateTime<Utc>>| time.map(|time| time.min(now));
        let carried_over = CarriedOver {
            id: kept_id,
            customer: account.customer,
            is_disabled: account.is_disabled,
            must_change_password: account.must_change_password,
            failures: account.failed_logins.clamp(0, MAX_FAILURES),
            locked_until: account.locked_until,
            created_at: past(account.created_at),
            last_login_at: past(account.last_login_at),
            password_changed_at: past(account.password_changed_at),
        };
        let password = parse_password(account.password, &mut remarks);
        let must_change_password = account.must_change_password
            || account.default_password.is_some_and(|text| {
                let is_kept = password.matches(text);
                if is_kept {
                    remarks.push("its password is the one that the service came with: it must be changed".to_owned());
                }
                is_kept
            });
        let carried_over = CarriedOver { must_change_password, ..carried_over };
        Ok(Self { row: number, name, source, usernames, email, display_name, password, roles, carried_over, remarks })
    }

    /// What there is to say about it.
    pub fn issue(&self, text: impl Into<String>) -> Issue {
        Issue { row: self.row, name: self.name.clone(), message: text.into() }
    }

    /// Why its owner cannot sign in, if that is so.
    pub fn reason_cannot_sign_in(&self, is_tenant_disabled: bool) -> Option<String> {
        let disabled = self.carried_over.is_disabled.then(|| "it is disabled".to_owned());
        let tenant = is_tenant_disabled.then(|| "its tenant is disabled".to_owned());
        let password_problem = match &self.password {
            CandidatePassword::None(why) => Some(why.clone()),
            CandidatePassword::Hash(_) | CandidatePassword::Plain(_) => None,
        };
        let reasons: Vec<String> = [disabled, tenant, password_problem].into_iter().flatten().collect();
        (!reasons.is_empty()).then(|| reasons.join(", and "))
    }
}

/// Whether a number can be kept, if it is free.
pub(super) fn can_keep_id(number: &i64) -> bool {
    (1..=MAX_ID).contains(number)
}

/// The name of one row of an older service, for the next import.
pub(super) fn source_key(format: &str, number: Option<i64>, key: &str) -> String {
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    hash(&format!("{format}\0{number}\0{key}"))
}

pub(super) fn field_problem(what: &str, refusal: &Refusal) -> String {
    format!("its {what}: {}", refusal.message)
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
    let shown: Vec<&str> = roles.iter().map(Name::as_str).collect();
    if roles.len() > MAX_NAMES || serde_json::json!(shown).to_string().len() > MAX_NAMES_BYTES {
        return Err("its roles are too many for a token".to_owned());
    }
    Ok(roles)
}

/// What can be verified of it. A hash that stands for a password is one all the same: taken for a password, it would
/// let in whoever stole it.
fn parse_password(old: LegacyPassword, remarks: &mut Vec<String>) -> CandidatePassword {
    match old {
        LegacyPassword::None => CandidatePassword::None("it has no password".to_owned()),
        LegacyPassword::Plain(text) if text.expose_secret().len() > MAX_BYTES => {
            CandidatePassword::None("its password is longer than 1,024 bytes".to_owned())
        }
        LegacyPassword::Plain(text) if looks_like_hash(text.expose_secret()) => {
            let hash = strip_wrappers(text.expose_secret());
            match parse_storable_hash(&hash) {
                Ok(stored) => {
                    remarks.push(format!("its password is a hash of {}: it is verified as one", stored.scheme()));
                    CandidatePassword::Hash(SecretText::new(hash))
                }
                Err(why) => {
                    CandidatePassword::None(format!("its password has the form of a hash, and {}", why.explanation()))
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

/// A hash that can be computed and stored: none has control characters, and PostgreSQL takes no text with a NUL.
fn parse_storable_hash(hash: &str) -> Result<StoredHash, UnusableHash> {
    if hash.chars().any(char::is_control) { Err(UnusableHash::Malformed) } else { StoredHash::parse(hash) }
}
