//! Who is at the other end of a connection.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;

/// The two ends of the connection on which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// The address of the client, or of the proxy before it.
    pub(super) address: IpAddr,
    /// The address that it connected to.
    pub(super) local: IpAddr,
}

impl Peer {
    /// The peer of a request; unspecified addresses for one that came over no connection.
    pub(super) fn of(request: &Request) -> Self {
        let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let of_connection = request.extensions().get::<Self>().copied();
        of_connection.unwrap_or(Self { address: unspecified, local: unspecified })
    }
}
