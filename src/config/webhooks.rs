//! Who is told by webhook of what happens to accounts, and where such a message may go.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use secrecy::SecretSlice;
use tokio_rustls::rustls::pki_types::TrustAnchor;
use url::{Host, Url};

use super::reader::Reader;
use super::{InvalidValue, invalid};

mod ca_file;
mod event;

pub use event::WebhookEvent;

/// The webhooks.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// Who is told.
    pub endpoints: Vec<WebhookEndpoint>,
    /// Networks that may be called although they are not public.
    pub allowed_networks: IpNetworks,
    /// Whose certificates are believed beside those of the authorities that everybody knows.
    pub trust_anchors: Vec<TrustAnchor<'static>>,
}

/// Somebody who is told.
#[derive(Clone)]
pub struct WebhookEndpoint {
    /// What operators call it.
    pub name: String,
    /// Where messages go.
    pub url: Url,
    /// What they are signed with: one secret, or the new and the old one while they are exchanged.
    pub secrets: Vec<SecretSlice<u8>>,
    /// What it is told of.
    pub events: Vec<WebhookEvent>,
}

/// Many services hand out addresses that are secrets themselves.
impl fmt::Debug for WebhookEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A list of networks.
#[derive(Clone, Debug, Default)]
pub struct IpNetworks(Vec<IpNet>);

impl IpNetworks {
    /// Whether the address is in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Most endpoints: each is one more row for everything that happens.
const MAX_ENDPOINTS: usize = 16;

/// Most characters of an endpoint's name, which stands in every row for it.
const MAX_NAME_LENGTH: usize = 64;

/// Bytes of a secret (Standard Webhooks 1.0, section "Signature scheme").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

const ENDPOINTS_HINT: &str = "write pairs like crm=https://crm.example.org/accounts with blanks between them";

const EVENTS_HINT: &str = "write the name of an endpoint with what it is told of, like crm=user.created,user.deleted, \
    with blanks between endpoints; those that are not named are told everything";

const SECRETS_HINT: &str = "write the name of each endpoint with its secret, like crm=whsec_…; make one with: \
    echo whsec_$(head -c 32 /dev/urandom | base64)";

impl Webhooks {
    pub(super) fn read(reader: &mut Reader) -> Option<Webhooks> {
        let allowed_networks = reader.read("webhooks.allowed_networks", parse_networks);
        // As secret as a secret: an address may hold one.
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
        let authorities = if reader.is_set("webhooks.ca_file") {
            reader.read("webhooks.ca_file", ca_file::read_trust_anchors)
        } else {
            Some(Vec::new())
        };
        let (places, secrets, allowed_networks) = (urls?, secrets?, allowed_networks?);
        let (wanted, authorities) = (event_filters?, authorities?);
        let is_closed = allowed_networks.0.is_empty();
        if let Some((name, _)) = places.iter().find(|(_, url)| is_closed && url.scheme() != "https") {
            let problem = format!("would tell {name} of accounts without encryption");
            let fix = "begin its address with https://, or name its network in webhooks.allowed_networks";
            reader.reject("webhooks.endpoints", problem, fix.to_owned());
            return None;
        }
        let unknown = secrets.iter().find(|(name, _)| !places.iter().any(|(known, _)| known == name));
        if unknown.is_some() {
            // Not by its name: whoever mixed them up has written the secret there.
            let problem = "has a secret for a name that is no endpoint".to_owned();
            reader.reject("webhooks.secrets", problem, SECRETS_HINT.to_owned());
            return None;
        }
        let is_place = |name: &str| places.iter().any(|(known, _)| known == name);
        let is_once = |name: &str| wanted.iter().filter(|(whose, _)| whose == name).count() == 1;
        if let Some((name, _)) = wanted.iter().find(|(name, _)| !is_place(name) || !is_once(name)) {
            let problem = format!("names {name}, which is no endpoint, or stands there twice");
            reader.reject("webhooks.events", problem, EVENTS_HINT.to_owned());
            return None;
        }
        let mut endpoints = Vec::new();
        for (name, url) in places {
            let own = secrets.iter().filter(|(whose, _)| *whose == name);
            let secrets: Vec<_> = own.map(|(_, secret)| secret.clone()).collect();
            if !(1..=2).contains(&secrets.len()) {
                let problem =
                    format!("has {} secrets for {name}, and needs one, or a new and an old one", secrets.len());
                reader.reject("webhooks.secrets", problem, SECRETS_HINT.to_owned());
                return None;
            }
            let events = wanted.iter().find(|(whose, _)| *whose == name);
            let events = events.map_or_else(|| WebhookEvent::ALL.to_vec(), |(_, events)| events.clone());
            endpoints.push(WebhookEndpoint { name, url, secrets, events });
        }
        let names: BTreeSet<_> = endpoints.iter().map(|endpoint| &endpoint.name).collect();
        if names.len() < endpoints.len() || endpoints.len() > MAX_ENDPOINTS {
            let problem = "has a name twice, or too many of them".to_owned();
            reader.reject("webhooks.endpoints", problem, format!("name up to {MAX_ENDPOINTS}, each once"));
            return None;
        }
        Some(Webhooks { endpoints, allowed_networks, trust_anchors: authorities })
    }
}

/// What stands behind each name: `name=value`, with blanks or newlines between them, which no address holds.
fn parse_pairs<T>(
    text: &str,
    fix: &str,
    value: impl Fn(&str) -> Result<T, InvalidValue>,
) -> Result<Vec<(String, T)>, InvalidValue> {
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
        Err(_) => "has something that is no address",
        Ok(url) if !matches!(url.scheme(), "https" | "http") => "has an address that is neither https:// nor http://",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => "has an address with a user or a password",
        Ok(url) if url.fragment().is_some() => "has an address with a #, which is never sent",
        Ok(url) if !matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_))) => {
            "has an address without a host"
        }
        Ok(url) => return Ok(url),
    };
    Err(invalid(problem, "write it like crm=https://crm.example.org/accounts"))
}

fn parse_secret(text: &str) -> Result<SecretSlice<u8>, InvalidValue> {
    let bytes = text.strip_prefix("whsec_").and_then(|secret| STANDARD.decode(secret).ok());
    match bytes {
        Some(bytes) if SECRET_BYTES.contains(&bytes.len()) => Ok(bytes.into()),
        _ => Err(invalid("has a secret that is not whsec_ and 24 to 64 bytes in base64", SECRETS_HINT)),
    }
}

fn parse_networks(text: &str) -> Result<IpNetworks, InvalidValue> {
    if text == "none" {
        return Ok(IpNetworks::default());
    }
    let network = |text: &str| text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>());
    let networks = text.split(',').map(|entry| network(entry.trim()));
    networks.collect::<Result<_, _>>().map(IpNetworks).map_err(|_| {
        let fix = "write networks and addresses with commas between them, like 10.1.0.0/16,fd00::/8; or none";
        invalid("is no list of networks", fix)
    })
}
