//! The address of an endpoint, read as the HTTP client reads it.

use core::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use url::{Host, Url};

/// An http or https address with a host, without a user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    url: Url,
    host: Host,
}

/// Why a text is not the address of an endpoint. The text is not repeated: people put keys into addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointUrlError {
    /// It cannot be read, or is of another scheme.
    #[error("is not an http or https address")]
    NotWeb,
    /// It contains a user or a password.
    #[error("contains a user or a password")]
    Credentials,
}

impl EndpointUrl {
    /// The host: a name in lower case without the final dot, or an address without brackets.
    pub fn host(&self) -> String {
        host_text(&self.host)
    }

    /// The host, with the port unless it is that of the scheme; as it is written in a URL.
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The port that is called.
    pub fn port(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// The address that the URL itself names; `None` for a name that has to be resolved. `localhost` is this machine.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Ipv4(address) => Some((*address).into()),
            Host::Ipv6(address) => Some((*address).into()),
            Host::Domain(name) => is_localhost(name).then_some(Ipv4Addr::LOCALHOST.into()),
        }
    }

    /// Whether the URL itself names this machine.
    pub fn is_loopback(&self) -> bool {
        self.literal_address().is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether calls are encrypted.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

impl FromStr for EndpointUrl {
    type Err = EndpointUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| EndpointUrlError::NotWeb)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointUrlError::NotWeb);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointUrlError::Credentials);
        }
        let host = url.host().ok_or(EndpointUrlError::NotWeb)?.to_owned();
        Ok(Self { url, host })
    }
}

pub(super) fn host_text(host: &Host) -> String {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// Whether a name is this machine's by definition.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}
