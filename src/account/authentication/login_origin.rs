//! Known login origins: devices and networks of earlier logins. Password attempts from them have counters of their own,
//! which attempts from elsewhere cannot use up (promise A8).

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use entity::user;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::account::caller::request_context::RequestContext;
use crate::account::names::id::UserId;
use crate::account::tokens;
use crate::app::App;
use crate::error::Result;
use crate::limits::key::client_network;
use crate::security::jwt::DeviceClaims;
use crate::store::{TracksChanges, login_origins};

/// How long a network stays known without a login.
const NETWORK_LIFETIME: TimeDelta = TimeDelta::days(30);

/// Maximum known devices, and maximum known networks, per user; the one with the oldest login is removed first.
pub const MAX_ORIGINS: u64 = 50;

/// Maximum lag of the recorded expiry: frequent logins cost one write per day.
const RECORD_INTERVAL: TimeDelta = TimeDelta::days(1);

/// Row id of no user: unknown names run the same query.
const UNKNOWN_USER: i64 = 0;

const DEVICE_PREFIX: &str = "device:";
const NETWORK_PREFIX: &str = "net:";

/// The origin of a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::account) struct LoginOrigin {
    /// The device, if its token belongs to the user and to the current password.
    pub device: Option<Uuid>,
    /// The network, if the user logged in from it before.
    pub network: Option<String>,
}

/// The known origin of a login attempt. Unknown names cost the same work.
pub(in crate::account) async fn recognize(
    app: &App,
    context: &RequestContext,
    user: Option<&user::Model>,
    device_token: Option<&SecretString>,
    now: DateTime<Utc>,
) -> Result<LoginOrigin> {
    let claims = device_token.and_then(|token| tokens::verify_device(app, token.expose_secret(), now).ok());
    let network = context.address.map(network_key);
    let named = claims.as_ref().and_then(|claims| claims.dev.parse::<Uuid>().ok());
    let candidates: Vec<String> = named.map(device_key).into_iter().chain(network.clone()).collect();
    if candidates.is_empty() {
        return Ok(LoginOrigin::default());
    }
    let known =
        login_origins::list_known(app.db.reader(), user.map_or(UNKNOWN_USER, |user| user.id), &candidates, now).await?;
    let is_listed = |origin: &str| known.iter().any(|row| row.origin == origin);
    let network = network.filter(|network| is_listed(network));
    let (Some(user), Some(claims)) = (user, claims) else {
        // Only a network was looked up, or no user exists.
        return Ok(LoginOrigin { device: None, network });
    };
    let is_own = claims.sub == UserId::from(user.uid).to_string() && is_issued_since_password_change(&claims, user);
    // Device tokens from before devices were recorded suffice by themselves.
    let device = named.filter(|id| is_own && (claims.pwd.is_none() || is_listed(&device_key(*id))));
    Ok(LoginOrigin { device, network })
}

/// Whether the device token was issued since the last password change.
fn is_issued_since_password_change(claims: &DeviceClaims, user: &user::Model) -> bool {
    let set_at = user.password_changed_at.map(|time| time.millis());
    match claims.pwd {
        Some(generation) => generation == set_at.unwrap_or_default(),
        // Tokens of earlier versions have seconds only.
        None => set_at.is_none_or(|millis| claims.iat > millis.div_euclid(1_000)),
    }
}

/// Records the client's network, within the transaction that opens a session.
pub(in crate::account) async fn record_network(
    tx: &impl TracksChanges,
    user: &user::Model,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<()> {
    match context.address {
        Some(address) => record(tx, user, NETWORK_PREFIX, network_key(address), NETWORK_LIFETIME, now).await,
        None => Ok(()),
    }
}

/// Records a device, within the transaction that opens a session.
pub(in crate::account) async fn record_device(
    tx: &impl TracksChanges,
    user: &user::Model,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    record(tx, user, DEVICE_PREFIX, device_key(id), tokens::DEVICE_LIFETIME, now).await
}

async fn record(
    tx: &impl TracksChanges,
    user: &user::Model,
    kind: &str,
    origin: String,
    lifetime: TimeDelta,
    now: DateTime<Utc>,
) -> Result<()> {
    let origins = std::slice::from_ref(&origin);
    if login_origins::list_known(tx, user.id, origins, now + lifetime - RECORD_INTERVAL).await?.is_empty() {
        login_origins::upsert(tx, user.id, &origin, now + lifetime).await?;
        login_origins::delete_excess(tx, user.id, kind, MAX_ORIGINS).await?;
    }
    Ok(())
}

fn device_key(id: Uuid) -> String {
    format!("{DEVICE_PREFIX}{id}")
}

/// The network of an address: /24 for IPv4, /64 for IPv6.
fn network_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{NETWORK_PREFIX}{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => format!("{NETWORK_PREFIX}{}/64", client_network(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_24_bits_of_ipv4_and_64_of_ipv6() {
        for (address, expected) in [
            ("192.0.2.7", "net:192.0.2.0/24"),
            ("::ffff:192.0.2.9", "net:192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "net:2001:db8:1:2::/64"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "net:ffff:ffff:ffff:ffff::/64"),
        ] {
            let found = network_key(address.parse().unwrap());
            assert_eq!(found, expected);
            assert!(found.len() <= 64, "must fit the column");
        }
    }
}
