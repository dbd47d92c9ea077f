//! The names under which the API may be called.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::uri::Authority;

/// Names of `ALLOWED_HOSTS`, besides those that every API has: `localhost`, the loopback addresses, and the address that
/// the client connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Authority>);

/// A name that is no host, or one with more than a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} is not a host name or address, with a port or without")]
pub struct InvalidHost(usize);

impl AllowedHosts {
    /// Whether a request to this authority, such as `modelday.example:8443`, is meant for this API. `local` is the address
    /// that the client connected to.
    pub fn has(&self, authority: &Authority, local: IpAddr) -> bool {
        let host = bare(authority.host());
        let is_own =
            host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || ip == local);
        is_own || self.0.iter().any(|name| is_same_host(name, authority) && has_port(name, authority))
    }

    /// Whether the pages of this authority may call the API though they come from another one. An entry without a port
    /// stands for the default port alone, because other ports may belong to somebody else.
    pub fn has_origin(&self, origin: &Authority) -> bool {
        self.0.iter().any(|name| is_same_host(name, origin) && name.port_u16() == origin.port_u16())
    }
}

impl FromStr for AllowedHosts {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = text.split([',', ' ']).filter(|name| !name.is_empty()).zip(1..);
        let names = names.map(|(name, place)| {
            let authority = name.parse::<Authority>().map_err(|_| InvalidHost(place))?;
            if authority.as_str().contains('@') { Err(InvalidHost(place)) } else { Ok(authority) }
        });
        names.collect::<Result<_, _>>().map(Self)
    }
}

fn is_same_host(name: &Authority, other: &Authority) -> bool {
    name.host().eq_ignore_ascii_case(other.host())
}

fn has_port(name: &Authority, authority: &Authority) -> bool {
    name.port_u16().is_none_or(|port| authority.port_u16() == Some(port))
}

/// An address of IPv6 without its brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 5));

    fn allowed(names: &str, authority: &str) -> bool {
        names.parse::<AllowedHosts>().unwrap().has(&authority.parse().unwrap(), LOCAL)
    }

    #[test]
    fn loopback_and_the_address_that_was_connected_to_are_always_own() {
        for own in ["localhost:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "10.0.0.5:8080"] {
            assert!(allowed("", own), "{own}");
        }
        for foreign in ["evil.example:8080", "127.0.0.1.evil.example", "10.0.0.6:8080", "localhost.evil"] {
            assert!(!allowed("", foreign), "{foreign}");
        }
    }

    #[test]
    fn an_entry_without_a_port_allows_every_port_of_its_host_alone() {
        assert!(allowed("other.example, Modelday.Example", "modelday.example:8443"));
        assert!(allowed("modelday.example:8443", "modelday.example:8443"));
        assert!(!allowed("modelday.example:8443", "modelday.example"));
        assert!(!allowed("modelday.example", "sub.modelday.example"));
    }

    #[test]
    fn a_page_of_an_allowed_host_comes_from_its_default_port_unless_the_entry_has_another() {
        let hosts: AllowedHosts = "a.example b.example:8443".parse().unwrap();
        let has = |origin: &str| hosts.has_origin(&origin.parse().unwrap());

        assert!(has("a.example") && has("b.example:8443"));
        assert!(!has("a.example:3000") && !has("b.example"));
    }

    #[test]
    fn a_name_that_is_no_host_is_named_by_its_place() {
        assert_eq!("a.example user:secret@b".parse::<AllowedHosts>(), Err(InvalidHost(2)));
        assert_eq!("https://a.example".parse::<AllowedHosts>(), Err(InvalidHost(1)));
    }
}
