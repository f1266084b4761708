//! Issuer, audience and lifetimes of tokens.

use chrono::TimeDelta;

use super::problem::invalid;
use super::reader::Reader;

/// Token claims and lifetimes.
#[derive(Clone, Debug)]
pub struct Token {
    /// `iss` of every token (RFC 7519 section 4.1.1).
    pub issuer: String,
    /// `aud` of every token (RFC 7519 section 4.1.3).
    pub audience: String,
    /// Lifetime of an access token, up to one day.
    pub access_lifetime: TimeDelta,
    /// Lifetime of a session without a refresh; at least `access_lifetime`.
    pub refresh_idle: TimeDelta,
    /// Absolute lifetime of a session, up to 365 days; at least `refresh_idle`.
    pub refresh_absolute: TimeDelta,
    /// Refresh grace period (`token.refresh_grace_seconds`): how long after a rotation the previous refresh token is
    /// replayed at least.
    pub refresh_grace: TimeDelta,
}

/// Maximum bytes of issuer and audience, which are part of every token; a token has at most 4,096 bytes.
const MAX_NAME_BYTES: usize = 255;
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

impl Token {
    pub(super) fn read(reader: &mut Reader) -> Option<Token> {
        let issuer = read_name(reader, "token.issuer");
        let audience = read_name(reader, "token.audience");
        let access: Option<u32> = reader.integer("token.access_lifetime_seconds", 1..=DAY);
        let idle: Option<u32> = reader.integer("token.refresh_idle_seconds", 1..=YEAR);
        let absolute: Option<u32> = reader.integer("token.refresh_absolute_seconds", 1..=YEAR);
        // The refresh grace period; the setting's older name is public.
        let replay: Option<u32> = reader.integer("token.refresh_grace_seconds", 0..=300);
        if let (Some(access), Some(idle)) = (access, idle)
            && idle < access
        {
            reader.reject(
                "token.refresh_idle_seconds",
                format!("{idle} is shorter than token.access_lifetime_seconds = {access}"),
                format!("use {access} or more, or shorten the access token's lifetime"),
            );
        }
        if let (Some(idle), Some(absolute)) = (idle, absolute)
            && absolute < idle
        {
            reader.reject(
                "token.refresh_absolute_seconds",
                format!("{absolute} is shorter than token.refresh_idle_seconds = {idle}"),
                format!("use {idle} or more, or shorten the idle lifetime"),
            );
        }
        Some(Token {
            issuer: issuer?,
            audience: audience?,
            access_lifetime: TimeDelta::seconds(access?.into()),
            refresh_idle: TimeDelta::seconds(idle?.into()),
            refresh_absolute: TimeDelta::seconds(absolute?.into()),
            refresh_grace: TimeDelta::seconds(replay?.into()),
        })
    }
}

fn read_name(reader: &mut Reader, name: &'static str) -> Option<String> {
    reader.read(name, |text| {
        if text.len() > MAX_NAME_BYTES || text.chars().any(char::is_control) {
            let fix = format!("use up to {MAX_NAME_BYTES} bytes without control characters");
            return Err(invalid("is too long, or has a control character", &fix));
        }
        Ok(text.to_owned())
    })
}
