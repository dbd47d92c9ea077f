//! Who makes a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::access::ANONYMOUS;

/// Who makes a request: the owner of a token, or anybody at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    token: Option<Arc<str>>,
    address: IpAddr,
}

impl Caller {
    /// The owner of a token at an address.
    pub(super) fn of_token(name: Arc<str>, address: IpAddr) -> Self {
        Self { token: Some(name), address }
    }

    /// A caller who needs no token.
    pub(super) fn anonymous(address: IpAddr) -> Self {
        Self { token: None, address }
    }

    /// The name of the token; `None` where no token is needed.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The name of the token, or `anonymous`: how records name the caller.
    pub fn name(&self) -> &str {
        self.token().unwrap_or(ANONYMOUS)
    }

    /// Where the request came from.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// What limits count by: the token, or the address of a caller without one.
    pub(super) fn counted_as(&self) -> String {
        self.token().map_or_else(|| self.address.to_string(), str::to_owned)
    }
}

/// Of a request that no access control has seen, as in a test of a route alone, the caller is anonymous.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get().cloned();
        Ok(caller.unwrap_or(Self::anonymous(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}
