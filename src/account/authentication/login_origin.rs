//! Known origins: the devices and networks that an account was signed in to from. A password attempt from there has a
//! budget that strangers elsewhere cannot spend (promise A8).

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use entity::user;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::tokens;
use crate::account::caller::requester::RequestContext;
use crate::account::user::id::UserId;
use crate::app::App;
use crate::error::Result;
use crate::security::jwt::DeviceClaims;
use crate::store::{TracksChanges, login_origins};

/// How long a network is known without a login.
const NETWORK_LIFETIME: TimeDelta = TimeDelta::days(30);

/// Most devices, and most networks, that are known of one account; the one without a login for longest goes.
pub const MAX_ORIGINS: u64 = 50;

/// By how much the recorded end may be behind: a login every minute costs a write a day.
const RECORD_INTERVAL: TimeDelta = TimeDelta::days(1);

/// The number of no user: an unknown name asks the same question of the database.
const UNKNOWN_USER: i64 = 0;

const DEVICE_PREFIX: &str = "device:";
const NETWORK_PREFIX: &str = "net:";

/// Where a login comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::account) struct LoginOrigin {
    /// The device, if its token is one of the account and of its present password.
    pub device: Option<Uuid>,
    /// The network, if the account was signed in to from there before.
    pub network: Option<String>,
}

/// Where a login to the account of `user` comes from. For a name that belongs to nobody the same work is done.
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
    let asked: Vec<String> = named.map(device_key).into_iter().chain(network.clone()).collect();
    if asked.is_empty() {
        return Ok(LoginOrigin::default());
    }
    let known =
        login_origins::list_known(app.db.reader(), user.map_or(UNKNOWN_USER, |user| user.id), &asked, now).await?;
    let is_listed = |origin: &str| known.iter().any(|row| row.origin == origin);
    let network = network.filter(|network| is_listed(network));
    let (Some(user), Some(claims)) = (user, claims) else {
        // Only a network was asked for, or nobody is meant.
        return Ok(LoginOrigin { device: None, network });
    };
    let is_own = claims.sub == UserId::from(user.uid).to_string() && is_issued_since_password_change(&claims, user);
    // Before devices were listed a token was enough.
    let device = named.filter(|id| is_own && (claims.pwd.is_none() || is_listed(&self::device_key(*id))));
    Ok(LoginOrigin { device, network })
}

/// Whether a device token was issued since the password was last set.
fn is_issued_since_password_change(claims: &DeviceClaims, user: &user::Model) -> bool {
    let set_at = user.password_changed_at.map(|time| time.millis());
    match claims.pwd {
        Some(generation) => generation == set_at.unwrap_or_default(),
        // A token of an earlier version tells its second.
        None => set_at.is_none_or(|millis| claims.iat > millis.div_euclid(1_000)),
    }
}

/// Records the client's network within a transaction that opens a session of the user.
pub(in crate::account) async fn record_network(
    tx: &impl TracksChanges,
    user: &user::Model,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<()> {
    match context.address {
        Some(address) => record(tx, user, (NETWORK_PREFIX, network_key(address)), NETWORK_LIFETIME, now).await,
        None => Ok(()),
    }
}

/// Records a device within a transaction that opens a session of the user.
pub(in crate::account) async fn record_device(
    tx: &impl TracksChanges,
    user: &user::Model,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    record(tx, user, (DEVICE_PREFIX, device_key(id)), tokens::DEVICE_LIFETIME, now).await
}

async fn record(
    tx: &impl TracksChanges,
    user: &user::Model,
    (kind, origin): (&str, String),
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

/// The network of an address: the first 24 bits of IPv4, the first 64 of IPv6.
fn network_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{NETWORK_PREFIX}{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let network = std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
            format!("{NETWORK_PREFIX}{network}/64")
        }
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
            assert!(found.len() <= 64, "it has to fit its column");
        }
    }
}
