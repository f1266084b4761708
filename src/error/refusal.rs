//! Refusals: problems that the user can fix, and their codes.

/// A problem that the user can fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Kind of problem.
    pub code: RefusalCode,
    /// A message for the user.
    pub message: String,
    /// The input field concerned.
    pub field: Option<&'static str>,
    /// Violated rules of the password policy; only with [`RefusalCode::WeakPassword`].
    pub violations: Vec<PasswordViolation>,
    /// Seconds until a retry; only with [`RefusalCode::TooManyAttempts`].
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal without a field.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, violations: Vec::new(), retry_after: None }
    }

    /// The same refusal for the input field `field`.
    pub fn for_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }
}

/// Problems that the user can fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Default, sea_orm::EnumIter))]
pub enum RefusalCode {
    /// Wrong username or password.
    #[cfg_attr(test, default)]
    InvalidCredentials,
    /// Rate limit exceeded: retry later.
    TooManyAttempts,
    /// Only administrators create users.
    RegistrationClosed,
    /// Another user has this e-mail address.
    EmailTaken,
    /// Another user has this username.
    UsernameTaken,
    /// Another role has this name.
    RoleNameTaken,
    /// Not an e-mail address.
    InvalidEmail,
    /// Not a username.
    InvalidUsername,
    /// Empty, or with control characters.
    InvalidName,
    /// Longer than the limit.
    TooLong,
    /// The password violates the policy.
    WeakPassword,
    /// The new password equals the current one.
    SamePassword,
    /// The current password is wrong.
    WrongPassword,
    /// No refresh token was sent.
    RefreshTokenMissing,
    /// Not a refresh token of this server.
    RefreshTokenInvalid,
    /// The session has ended.
    SessionEnded,
    /// A superseded refresh token was used again: the session was ended.
    RefreshTokenReused,
    /// Does not exist, or is not visible to the caller.
    NotFound,
    /// A concurrent change was faster.
    Conflict,
    /// No active administrator would remain.
    LastAdmin,
    /// No role has this name.
    UnknownRole,
    /// Built-in roles are read-only.
    BuiltInRole,
    /// The user has the maximum number of API tokens.
    TooManyApiTokens,
    /// The default tenant can be neither disabled nor deleted.
    DefaultTenant,
    /// A tenant with users cannot be deleted.
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

/// Violated rules of the password policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordViolation {
    /// Fewer characters than `password.min_length`.
    TooShort,
    /// More than 256 characters or 1,024 bytes.
    TooLong,
    /// On the list of common passwords.
    TooCommon,
    /// Equal to a name of the user.
    ContainsIdentity,
    /// Below `password.min_score`.
    Guessable,
}
