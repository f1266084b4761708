//! Every failure the program tells apart, free of any transport; the codes are the contract.

use sea_orm::{DbErr, SqlErr};

mod outage;

use outage::Outage;
pub(crate) use outage::is_database_busy;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Seconds after which a client asks again when nothing tells how long to wait.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// Why an operation was refused or failed.
///
/// The first group is for client software, [`Error::Refused`] is for the person in front of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operation needs credentials, or the ones that came do not hold.
    #[error("{}", .0.explanation())]
    Unauthenticated(TokenError),
    /// The caller is known and may not do this.
    #[error("you do not have the permission for this")]
    Forbidden,
    /// The caller has to choose a new password before anything else.
    #[error("choose a new password first: updatePassword")]
    PasswordChangeRequired,
    /// An argument that software got wrong: an id, a cursor, a page size.
    #[error("{argument}: {problem}")]
    BadUserInput {
        /// The argument's name.
        argument: &'static str,
        /// What is wrong with it and what to send instead.
        problem: String,
    },
    /// The operation asks for more than one request may.
    #[error("the operation is too complex: {limit} is {most}")]
    OperationTooComplex {
        /// The setting that was passed.
        limit: &'static str,
        /// Its value.
        most: String,
    },
    /// The caller has as many subscriptions open as one may.
    #[error("this account has {most} subscriptions open: end some, or share one among your tabs")]
    TooManySubscriptions {
        /// The setting `graphql.max_subscriptions_per_user`.
        most: usize,
    },
    /// There is more to do than can be done; nothing was begun.
    #[error("the server is busy: try again in {retry_after} s")]
    ServerBusy {
        /// Seconds after which to try again.
        retry_after: u64,
    },
    /// The database does not answer, or cannot store anything; nothing was acknowledged. The cause is logged and never
    /// shown.
    #[error("the storage is not available: try again")]
    StorageUnavailable(#[source] anyhow::Error),
    /// A request verifies one password at most.
    #[error("one request verifies one password at most: send the others by themselves")]
    OneCredentialCheckPerRequest,
    /// Cookies are for pages of ours only, and nothing proves that the request comes from one.
    #[error(
        "cookies need a page of an allowed origin: add yours to the setting cors.origins, or use the transport BODY; if it \
         is the server's own, the proxy in front has to pass Host on as it came"
    )]
    CrossSite,
    /// Cookies that the browser would drop: its page may use them, and is of another site than the server.
    #[error(
        "page and server are of different sites, so the browser would drop the cookies (localhost and 127.0.0.1 are two): \
         reach both by one name, or use the transport BODY"
    )]
    ThirdPartyCookies,
    /// What a person can fix, one entry per finding, never empty.
    #[error("{}", .0.first().map_or("refused", |refusal| &refusal.message))]
    Refused(Vec<Refusal>),
    /// Anything else; the cause is logged and never shown.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// The stable, machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::PasswordChangeRequired => "PASSWORD_CHANGE_REQUIRED",
            Self::BadUserInput { .. } => "BAD_USER_INPUT",
            Self::OperationTooComplex { .. } => "OPERATION_TOO_COMPLEX",
            Self::TooManySubscriptions { .. } => "TOO_MANY_SUBSCRIPTIONS",
            Self::ServerBusy { .. } => "SERVER_BUSY",
            Self::StorageUnavailable(_) => "STORAGE_UNAVAILABLE",
            Self::OneCredentialCheckPerRequest => "ONE_CREDENTIAL_CHECK_PER_REQUEST",
            Self::CrossSite | Self::ThirdPartyCookies => "CSRF_REFUSED",
            Self::Refused(refusals) => refusals.first().map_or("CONFLICT", |first| first.code.name()),
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// Whether it is a refusal with this code.
    pub fn is_refusal(&self, code: RefusalCode) -> bool {
        matches!(self, Self::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == code))
    }

    /// An internal error with the sentence that says what was being done.
    pub fn internal(cause: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static) -> Self {
        Self::Internal(anyhow::Error::msg(cause))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match Outage::from_error(&error) {
            Some(Outage::Busy) => Self::ServerBusy { retry_after: RETRY_AFTER_SECONDS },
            Some(Outage::Unavailable) => Self::StorageUnavailable(error.into()),
            None => Self::Internal(error.into()),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

/// Why a token did not open the door; `SESSION_ENDED` means that refreshing will not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// None was sent.
    Missing,
    /// It does not have the form of a token.
    Malformed,
    /// It has the form, but its signature or a claim does not hold.
    Invalid,
    /// It was good and its time is over: refresh.
    Expired,
    /// It was good and a later one took its place: refresh.
    Replaced,
    /// Its session or its account is over: sign in.
    SessionEnded,
}

impl TokenError {
    /// The value of `extensions.reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed | Self::Invalid => "TOKEN_INVALID",
            // To a client they are one: the session lives, and refreshing helps.
            Self::Expired | Self::Replaced => "TOKEN_EXPIRED",
            Self::SessionEnded => "SESSION_ENDED",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Missing => "sign in first: no access token was sent",
            Self::Malformed => "the access token is not valid: the Authorization header is not `Bearer` and a token",
            Self::Invalid => "the access token is not valid",
            Self::Expired => "the access token has expired: refresh it",
            Self::Replaced => "the access token was replaced: refresh it",
            Self::SessionEnded => "the session has ended: sign in again",
        }
    }
}

/// One thing that a person can fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of thing it is.
    pub code: RefusalCode,
    /// A sentence that may be shown to the person.
    pub message: String,
    /// The input field to blame, if one is.
    pub field: Option<&'static str>,
    /// What a password lacks; only with [`RefusalCode::WeakPassword`].
    pub violations: Vec<PasswordViolation>,
    /// Seconds to wait; only with [`RefusalCode::TooManyAttempts`].
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal that blames no field.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, violations: Vec::new(), retry_after: None }
    }

    /// The same refusal, blaming the input field `field`.
    pub fn for_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }
}

/// The kinds of things that a person can fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// The name and the password do not belong together.
    InvalidCredentials,
    /// It was tried too often; come again later.
    TooManyAttempts,
    /// Accounts are made by an administrator here.
    RegistrationClosed,
    /// Another account has this e-mail address.
    EmailTaken,
    /// Another account has this username.
    UsernameTaken,
    /// Another role has this name.
    RoleNameTaken,
    /// Not an e-mail address.
    InvalidEmail,
    /// Not a username.
    InvalidUsername,
    /// Not a name: empty or with control characters.
    InvalidName,
    /// Longer than allowed.
    TooLong,
    /// The password does not meet the policy.
    WeakPassword,
    /// The new password is the old one.
    SamePassword,
    /// The current password is wrong.
    WrongPassword,
    /// No refresh token was sent.
    RefreshTokenMissing,
    /// Not a refresh token of this server.
    RefreshTokenInvalid,
    /// The session is over.
    SessionEnded,
    /// A superseded refresh token came back: its session was ended.
    RefreshTokenReused,
    /// There is no such thing, or none that the caller may see.
    NotFound,
    /// Somebody else changed it at the same time.
    Conflict,
    /// It would leave the installation without an active administrator.
    LastAdmin,
    /// No role has this name.
    UnknownRole,
    /// Built-in roles do not change.
    BuiltInRole,
    /// The account has as many API tokens as it may.
    TooManyApiTokens,
    /// The first tenant is the installation's own: it is neither disabled nor deleted.
    DefaultTenant,
    /// A tenant with users is not deleted.
    TenantHasUsers,
}

impl RefusalCode {
    /// The code as clients see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "INVALID_CREDENTIALS",
            Self::TooManyAttempts => "TOO_MANY_ATTEMPTS",
            Self::RegistrationClosed => "REGISTRATION_CLOSED",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::UsernameTaken => "USERNAME_TAKEN",
            Self::RoleNameTaken => "ROLE_NAME_TAKEN",
            Self::InvalidEmail => "INVALID_EMAIL",
            Self::InvalidUsername => "INVALID_USERNAME",
            Self::InvalidName => "INVALID_NAME",
            Self::TooLong => "TOO_LONG",
            Self::WeakPassword => "WEAK_PASSWORD",
            Self::SamePassword => "SAME_PASSWORD",
            Self::WrongPassword => "WRONG_PASSWORD",
            Self::RefreshTokenMissing => "REFRESH_TOKEN_MISSING",
            Self::RefreshTokenInvalid => "REFRESH_TOKEN_INVALID",
            Self::SessionEnded => "SESSION_ENDED",
            Self::RefreshTokenReused => "REFRESH_TOKEN_REUSED",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::LastAdmin => "LAST_ADMIN",
            Self::UnknownRole => "UNKNOWN_ROLE",
            Self::BuiltInRole => "BUILT_IN_ROLE",
            Self::TooManyApiTokens => "TOO_MANY_API_TOKENS",
            Self::DefaultTenant => "DEFAULT_TENANT",
            Self::TenantHasUsers => "TENANT_HAS_USERS",
        }
    }
}

/// What a password lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordViolation {
    /// Fewer characters than the policy asks for.
    TooShort,
    /// More than 256 characters or 1,024 bytes.
    TooLong,
    /// On the list of common passwords.
    TooCommon,
    /// It is a name of the account itself.
    ContainsIdentity,
    /// A guesser gets there too soon.
    Guessable,
}

/// What a violated unique index means; every other database error stays internal.
///
/// `meanings` pairs a column with its error. All three databases end their message with the column or the index
/// that carries the column's name, while what stands before it may hold the caller's own text.
pub fn map_unique_violation(error: DbErr, meanings: &[(&str, Refusal)]) -> Error {
    if let Some(SqlErr::UniqueConstraintViolation(message)) = error.sql_err()
        && let Some(place) = message.split_whitespace().last()
        && let Some((_, refusal)) = meanings.iter().find(|(column, _)| place.contains(column))
    {
        return refusal.clone().into();
    }
    error.into()
}
