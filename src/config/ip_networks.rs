//! Lists of IP networks.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A list of IP networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpNetworks(Vec<IpNet>);

impl IpNetworks {
    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the address is in one of the networks; an IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }
}

impl FromStr for IpNetworks {
    type Err = &'static str;

    /// Parses `none`, or comma-separated networks and addresses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::default());
        }
        let network = |text: &str| text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>());
        let networks = text.split(',').map(|entry| network(entry.trim()));
        networks.collect::<Result<_, _>>().map(Self).map_err(|_| "is not a list of networks")
    }
}
