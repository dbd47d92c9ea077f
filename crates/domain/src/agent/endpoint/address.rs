//! Which addresses may be called.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Host;

use super::endpoint_url::{host_text, is_localhost};

const fn v4(address: [u8; 4], prefix: u8) -> IpNet {
    let [a, b, c, d] = address;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(address: [u16; 8], prefix: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = address;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix))
}

/// Link-local networks, and addresses at which clouds hand out credentials to whoever calls.
const NEVER: [IpNet; 9] = [
    v4([169, 254, 0, 0], 16),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    // AWS, Google, Oracle and Scaleway over IPv6.
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128),
    // Alibaba, Oracle, Azure.
    v4([100, 100, 100, 200], 32),
    v4([192, 0, 0, 192], 32),
    v4([168, 63, 129, 16], 32),
];

/// This machine.
const LOOPBACK: [IpNet; 2] = [v4([127, 0, 0, 0], 8), v6([0, 0, 0, 0, 0, 0, 0, 1], 128)];

/// Networks that are not the public Internet, by the registries of special-purpose addresses.
const INSIDE: [IpNet; 24] = [
    LOOPBACK[0],
    LOOPBACK[1],
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

/// Which addresses may be called: those of the public Internet, and inside ones that are listed. Link-local and metadata
/// addresses never.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressRules {
    allowed: Vec<AddressEntry>,
}

/// Inside addresses that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressEntry {
    /// Those of a network.
    Network(IpNet),
    /// Those that a host's name resolves to; `localhost` is all of this machine.
    Host(String),
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a network, an address nor the name of a host")]
pub struct AddressEntryError(String);

/// Why an address may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// It is link-local, or that of a cloud's metadata.
    #[error("leads to {address}, a link-local or metadata address, which is never called")]
    Never {
        /// The address.
        address: IpAddr,
    },
    /// It is not on the public Internet, and not listed.
    #[error("leads to {address}, an inside address that ENDPOINT_ALLOW does not list")]
    Inside {
        /// The host that leads to it.
        host: String,
        /// The address.
        address: IpAddr,
    },
}

impl AddressRules {
    /// Public addresses, and inside ones of these entries.
    pub fn new(allowed: Vec<AddressEntry>) -> Self {
        Self { allowed }
    }

    /// Public addresses, and those of this machine.
    pub fn with_loopback() -> Self {
        Self::new(LOOPBACK.map(AddressEntry::Network).to_vec())
    }

    /// All but link-local and metadata addresses: for a host that the operator's own settings name.
    pub fn of_operator() -> Self {
        Self::new(vec![
            AddressEntry::Network(v4([0, 0, 0, 0], 0)),
            AddressEntry::Network(v6([0, 0, 0, 0, 0, 0, 0, 0], 0)),
        ])
    }

    /// The inside addresses that are open.
    pub fn entries(&self) -> &[AddressEntry] {
        &self.allowed
    }

    /// Judges an address that `host` leads to.
    ///
    /// # Errors
    /// Why it may not be called.
    pub fn check(&self, host: String, address: IpAddr) -> Result<(), AddressRefusal> {
        let target = embedded(address).unwrap_or(address);
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&target));
        if is_in(&NEVER) {
            Err(AddressRefusal::Never { address })
        } else if is_in(&INSIDE) && !self.allowed.iter().any(|entry| entry.allows(&host, target)) {
            Err(AddressRefusal::Inside { host, address })
        } else {
            Ok(())
        }
    }
}

impl AddressEntry {
    fn allows(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(&address),
            Self::Host(name) if is_localhost(name) => address.is_loopback(),
            Self::Host(name) => name == host,
        }
    }
}

impl fmt::Display for AddressEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(name) => name.fmt(f),
        }
    }
}

impl FromStr for AddressEntry {
    type Err = AddressEntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddressEntryError(text.to_owned());
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        match Host::parse(text).map_err(|_| error())? {
            host @ Host::Domain(_) => Ok(Self::Host(host_text(&host))),
            // `0x7f.1` is an address too, but nobody means it.
            Host::Ipv4(_) | Host::Ipv6(_) => Err(error()),
        }
    }
}

/// The IPv4 address that packets to `address` arrive at, when it is one in the form of IPv6: mapped, compatible,
/// translated (NAT64) or tunnelled (6to4).
fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let [high, low] = match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => [g, h],
        [0, 0, 0, 0, 0, 0] if g != 0 => [g, h],
        [0x2002, ..] => [b, c],
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d).into())
}
