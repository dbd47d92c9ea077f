//! `VARIABLE@host`: the host that a key belongs to.

use std::str::FromStr;

use url::Host;

use super::endpoint_url::{EndpointUrl, host_text};

/// An environment variable that holds a key, and the host that the key may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHost {
    variable: String,
    host: String,
    /// `None` for every port.
    port: Option<u16>,
}

/// Why a text is no key with its host. The text is not repeated: it may be the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has an entry that is not VARIABLE@host or VARIABLE@host:port")]
pub struct KeyHostError;

impl KeyHost {
    pub(super) fn common(variable: &str, host: &str) -> Self {
        Self { variable: variable.to_owned(), host: host.to_owned(), port: None }
    }

    /// The environment variable.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// Whether the key belongs to the host of `url`.
    pub fn is_for(&self, url: &EndpointUrl) -> bool {
        self.host == url.host() && self.port.is_none_or(|port| Some(port) == url.port())
    }

    /// The host, with the port if the key belongs to one only.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    }
}

impl FromStr for KeyHost {
    type Err = KeyHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (variable, authority) = text.split_once('@').ok_or(KeyHostError)?;
        let is_variable = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of `[::1]` are part of the host.
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| KeyHostError)?))
            }
            _ => (authority, None),
        };
        let host = Host::parse(host).map_err(|_| KeyHostError)?;
        if !is_variable {
            return Err(KeyHostError);
        }
        Ok(Self { variable: variable.to_owned(), host: host_text(&host), port })
    }
}
