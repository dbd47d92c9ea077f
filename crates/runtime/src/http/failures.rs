//! Failed authentication: counted, logged, and slowed down for each address that fails often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures of one address that are answered and logged at once; one more each second.
const AT_ONCE: f64 = 10.0;
/// Wait before each further one is answered.
const DELAY: Duration = Duration::from_secs(1);
/// How many addresses are remembered.
const MAX_ADDRESSES: usize = 10_000;

/// Why authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The request has no token.
    Missing,
    /// No such token is configured.
    Unknown,
    /// The token is not valid any more.
    Expired,
}

/// The addresses that have failed lately.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Recent>>);

/// The failures of one address.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Recent {
    /// Goes up by one with each failure, and down by one each second.
    level: f64,
    at: Instant,
    /// Failures that no line of the log is about.
    unlogged: u64,
}

impl Failures {
    /// Records that a request of `client` failed, and waits when that address has failed too often. Never names the token.
    pub(super) async fn record(&self, client: IpAddr, route: &str, reason: Reason) {
        metrics::counter!("modelday_failed_authentications_total", "reason" => reason.as_str()).increment(1);
        match self.count(network(client), Instant::now()) {
            Some(unlogged) => tracing::warn!(
                client.address = %client,
                http.route = route,
                reason = reason.as_str(),
                unlogged,
                "authentication failed at {route}: token {}",
                reason.as_str()
            ),
            // Without a token nothing is guessed.
            None if reason == Reason::Missing => {}
            None => tokio::time::sleep(DELAY).await,
        }
    }

    /// Counts a failure. Returns how many were not logged before it, or `None` when it is one too many.
    fn count(&self, client: IpAddr, now: Instant) -> Option<u64> {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MAX_ADDRESSES {
            addresses.retain(|_, recent| recent.level_at(now) > 0.0);
        }
        if addresses.len() >= MAX_ADDRESSES {
            addresses.clear();
        }
        let recent = addresses.entry(client).or_insert(Recent { level: 0.0, at: now, unlogged: 0 });
        let level = recent.level_at(now) + 1.0;
        (recent.level, recent.at) = (level.min(AT_ONCE), now);
        if level <= AT_ONCE {
            return Some(std::mem::take(&mut recent.unlogged));
        }
        recent.unlogged += 1;
        None
    }
}

impl Recent {
    fn level_at(&self, now: Instant) -> f64 {
        (self.level - now.duration_since(self.at).as_secs_f64()).max(0.0)
    }
}

impl Reason {
    pub(super) const ALL: [Self; 3] = [Self::Missing, Self::Unknown, Self::Expired];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
        }
    }
}

/// What one subscriber has: an address of IPv4, or a network of 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 2));

    #[test]
    fn after_ten_failures_an_address_is_slowed_down_and_others_are_not() {
        let (failures, now) = (Failures::default(), Instant::now());
        let counted: Vec<Option<u64>> = (0..11).map(|_| failures.count(ONE, now)).collect();

        assert!(counted[..10].iter().all(|counted| *counted == Some(0)), "{counted:?}");
        assert_eq!(counted[10], None);
        assert_eq!(failures.count(OTHER, now), Some(0));
    }

    #[test]
    fn once_a_second_a_line_says_how_many_failures_had_none() {
        let (failures, now) = (Failures::default(), Instant::now());
        for _ in 0..13 {
            failures.count(ONE, now);
        }

        assert_eq!(failures.count(ONE, now + Duration::from_secs(1)), Some(3));
        assert_eq!(failures.count(ONE, now + Duration::from_secs(1)), None);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let [one, same, other] = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"]
            .map(|address| network(address.parse().unwrap()));

        assert_eq!(one, same);
        assert_ne!(one, other);
    }
}
