//! Why an endpoint may not be called, or may not get a key.

use super::address::AddressRefusal;
use super::endpoint_url::EndpointUrlError;
use crate::agent::dialect::Dialect;

/// Why an endpoint may not be called, or may not get a key. Its text is the problem; [`EndpointRefusal::fix`] says what to
/// do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointRefusal {
    /// The address is none of an endpoint.
    #[error(transparent)]
    Url(#[from] EndpointUrlError),
    /// The address is closed.
    #[error(transparent)]
    Address(#[from] AddressRefusal),
    /// The variable belongs to no host.
    #[error("names {variable}, which ENDPOINT_KEYS gives to no host")]
    UnknownKey {
        /// The environment variable.
        variable: String,
        /// The endpoint's host.
        host: String,
    },
    /// The variable belongs to another host.
    #[error("names {variable}, which belongs to {hosts} and is not sent to {host}")]
    KeyElsewhere {
        /// The environment variable.
        variable: String,
        /// The hosts that it belongs to.
        hosts: String,
        /// The endpoint's host.
        host: String,
    },
    /// The key would be sent unencrypted.
    #[error("names {variable}, which would be sent to another machine without encryption")]
    KeyInClear {
        /// The environment variable.
        variable: String,
    },
}

impl EndpointRefusal {
    /// The field of the model's configuration that is wrong.
    pub fn field(&self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::UnknownKey { .. } | Self::KeyElsewhere { .. } | Self::KeyInClear { .. }, _) => {
                "api_key_env"
            }
            (Self::Url(_) | Self::Address(_), Dialect::Agent | Dialect::Mcp) => "url",
            (Self::Url(_) | Self::Address(_), _) => "base_url",
        }
    }

    /// Field, problem and fix as one sentence.
    pub fn sentence(&self, dialect: Dialect) -> String {
        format!("{} {self}; {}", self.field(dialect), self.fix())
    }

    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Url(EndpointUrlError::NotWeb) => "write the endpoint's address, https://...".to_owned(),
            Self::Url(EndpointUrlError::Credentials) => {
                "write the address without them, and name the key's variable in api_key_env".to_owned()
            }
            Self::Address(AddressRefusal::Never { .. }) => "write another address".to_owned(),
            Self::Address(AddressRefusal::Inside { host, .. }) => {
                format!("write another address, or add {host} to ENDPOINT_ALLOW if it is yours")
            }
            Self::UnknownKey { variable, host } | Self::KeyElsewhere { variable, host, .. } => {
                format!("correct the entry, or add {variable}@{host} to ENDPOINT_KEYS")
            }
            Self::KeyInClear { .. } => "use https, or leave api_key_env out".to_owned(),
        }
    }
}
