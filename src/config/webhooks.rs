//! Webhook settings: endpoints, their secrets and events, and the networks they may be in.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretSlice;
use tokio_rustls::rustls::pki_types::TrustAnchor;
use url::{Host, Url};

use super::ip_networks::IpNetworks;
use super::problem::{InvalidValue, invalid};
use super::reader::Reader;

mod ca_file;
mod event;

pub use event::WebhookEvent;

/// Webhook settings.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// The endpoints to notify.
    pub endpoints: Vec<WebhookEndpoint>,
    /// Private networks that webhooks may call.
    pub allowed_networks: IpNetworks,
    /// Certificate authorities that are trusted besides Mozilla's list.
    pub trust_anchors: Vec<TrustAnchor<'static>>,
}

/// A webhook endpoint.
#[derive(Clone)]
pub struct WebhookEndpoint {
    /// Name in the settings, the log and the database.
    pub name: String,
    /// Target of the requests.
    pub url: Url,
    /// Signing secrets: one, or the new and the old one during a rotation.
    pub secrets: Vec<SecretSlice<u8>>,
    /// Events that it receives.
    pub events: Vec<WebhookEvent>,
}

/// Omits the URL, which is itself a secret for many services.
impl fmt::Debug for WebhookEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Maximum number of endpoints: each adds a row per event.
const MAX_ENDPOINTS: usize = 16;

/// Maximum characters of an endpoint's name, which is part of every delivery row.
const MAX_NAME_LENGTH: usize = 64;

/// Bytes of a secret (Standard Webhooks 1.0, section "Signature scheme").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

const ENDPOINTS_HINT: &str = "use space-separated pairs like crm=https://crm.example.org/accounts";

const EVENTS_HINT: &str = "use the name of an endpoint with its events, like crm=user.created,user.deleted, \
    separated by spaces; endpoints that are not named receive all events";

const SECRETS_HINT: &str = "use the name of each endpoint with its secret, like crm=whsec_…; make one with: \
    echo whsec_$(head -c 32 /dev/urandom | base64)";

impl Webhooks {
    pub(super) fn read(reader: &mut Reader) -> Option<Webhooks> {
        let allowed_networks = reader.read("webhooks.allowed_networks", parse_networks);
        // Treated as a secret: a URL may hold one.
        let urls = reader.read_secret("webhooks.endpoints", |text| match text {
            "none" => Ok(Vec::new()),
            list => parse_pairs(list, ENDPOINTS_HINT, parse_url),
        });
        let secrets = if reader.is_set("webhooks.secrets") {
            reader.read_secret("webhooks.secrets", |text| parse_pairs(text, SECRETS_HINT, parse_secret))
        } else {
            Some(Vec::new())
        };
        let event_filters = reader.read("webhooks.events", |text| match text {
            "all" => Ok(Vec::new()),
            list => parse_pairs(list, EVENTS_HINT, event::parse_events),
        });
        let trust_anchors = if reader.is_set("webhooks.ca_file") {
            reader.read("webhooks.ca_file", ca_file::read_trust_anchors)
        } else {
            Some(Vec::new())
        };
        let (urls, secrets, allowed_networks) = (urls?, secrets?, allowed_networks?);
        let (event_filters, trust_anchors) = (event_filters?, trust_anchors?);
        match endpoints(urls, &secrets, &event_filters, &allowed_networks) {
            Ok(endpoints) => Some(Webhooks { endpoints, allowed_networks, trust_anchors }),
            Err((setting, InvalidValue { problem, fix })) => {
                reader.reject(setting, problem, fix);
                None
            }
        }
    }
}

/// Values by endpoint name.
type Named<T> = Vec<(String, T)>;

/// The endpoints at `urls` with their secrets and events.
///
/// # Errors
/// The setting that does not match the others.
fn endpoints(
    urls: Named<Url>,
    secrets: &Named<SecretSlice<u8>>,
    event_filters: &Named<Vec<WebhookEvent>>,
    allowed_networks: &IpNetworks,
) -> Result<Vec<WebhookEndpoint>, (&'static str, InvalidValue)> {
    let wrong_secrets = |problem: &str| ("webhooks.secrets", invalid(problem, SECRETS_HINT));
    let wrong_urls = |problem: &str, fix: &str| ("webhooks.endpoints", invalid(problem, fix));
    let needs_https = allowed_networks.is_empty();
    if let Some((name, _)) = urls.iter().find(|(_, url)| needs_https && url.scheme() != "https") {
        let fix = "use an https:// URL, or add its network to webhooks.allowed_networks";
        return Err(wrong_urls(&format!("would notify {name} without encryption"), fix));
    }
    let is_endpoint = |name: &str| urls.iter().any(|(endpoint, _)| endpoint == name);
    if secrets.iter().any(|(name, _)| !is_endpoint(name)) {
        // Not by its name: if name and secret are swapped, the name is the secret.
        return Err(wrong_secrets("has a secret for an unknown endpoint"));
    }
    let is_once = |name: &str| event_filters.iter().filter(|(endpoint, _)| endpoint == name).count() == 1;
    if let Some((name, _)) = event_filters.iter().find(|(name, _)| !is_endpoint(name) || !is_once(name)) {
        let problem = format!("names {name}, which is not an endpoint, or names it twice");
        return Err(("webhooks.events", invalid(&problem, EVENTS_HINT)));
    }
    let mut endpoints = Vec::new();
    for (name, url) in urls {
        let own = secrets.iter().filter(|(endpoint, _)| *endpoint == name);
        let secrets: Vec<_> = own.map(|(_, secret)| secret.clone()).collect();
        if !(1..=2).contains(&secrets.len()) {
            let count = secrets.len();
            let problem = format!("has {count} secrets for {name}, but needs one, or a new and an old one");
            return Err(wrong_secrets(&problem));
        }
        let events = event_filters.iter().find(|(endpoint, _)| *endpoint == name);
        let events = events.map_or_else(|| WebhookEvent::ALL.to_vec(), |(_, events)| events.clone());
        endpoints.push(WebhookEndpoint { name, url, secrets, events });
    }
    let names: BTreeSet<_> = endpoints.iter().map(|endpoint| &endpoint.name).collect();
    if names.len() < endpoints.len() || endpoints.len() > MAX_ENDPOINTS {
        let fix = format!("use up to {MAX_ENDPOINTS} unique names");
        return Err(wrong_urls("has a duplicate name, or too many endpoints", &fix));
    }
    Ok(endpoints)
}

/// Parses `name=value` pairs separated by whitespace, which no URL contains.
fn parse_pairs<T>(
    text: &str,
    fix: &str,
    value: impl Fn(&str) -> Result<T, InvalidValue>,
) -> Result<Named<T>, InvalidValue> {
    text.split_whitespace()
        .map(|pair| {
            let is_plain = |name: &str| {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.bytes().all(is_plain)
            };
            let (name, rest) = pair.split_once('=').filter(|(name, _)| is_plain(name)).ok_or_else(|| {
                invalid("has an entry without a name of letters, digits and -_. before its first =", fix)
            })?;
            Ok((name.to_owned(), value(rest)?))
        })
        .collect()
}

fn parse_url(text: &str) -> Result<Url, InvalidValue> {
    let problem = match Url::parse(text) {
        Err(_) => "has an invalid URL",
        Ok(url) if !matches!(url.scheme(), "https" | "http") => "has a URL that is neither https:// nor http://",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => "has a URL with a user or a password",
        Ok(url) if url.fragment().is_some() => "has a URL with a #, which is never sent",
        Ok(url) if !matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_))) => {
            "has a URL without a host"
        }
        Ok(url) => return Ok(url),
    };
    Err(invalid(problem, "use a pair like crm=https://crm.example.org/accounts"))
}

fn parse_secret(text: &str) -> Result<SecretSlice<u8>, InvalidValue> {
    let bytes = text.strip_prefix("whsec_").and_then(|secret| STANDARD.decode(secret).ok());
    match bytes {
        Some(bytes) if SECRET_BYTES.contains(&bytes.len()) => Ok(bytes.into()),
        _ => Err(invalid("has a secret that is not whsec_ and 24 to 64 bytes in base64", SECRETS_HINT)),
    }
}

fn parse_networks(text: &str) -> Result<IpNetworks, InvalidValue> {
    let fix = "use comma-separated networks and addresses, like 10.1.0.0/16,fd00::/8; or none";
    text.parse().map_err(|problem| invalid(problem, fix))
}
