//! The addresses of the brokers of one cluster, of which any will do: each attempt to connect takes the next one in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lapin::uri::{AMQPScheme, AMQPUri};

const HEARTBEAT_SECONDS: u16 = 10;
/// How addresses begin.
const SCHEMES: [&str; 2] = ["amqp://", "amqps://"];

/// The addresses in a setting: a comma stands between two of them. A comma that no address follows belongs to a name or
/// a password.
#[must_use]
pub fn addresses(setting: &str) -> Vec<&str> {
    let is_next = |at: usize| {
        let after = setting[at + 1..].trim_start();
        SCHEMES.iter().any(|scheme| after.starts_with(scheme))
    };
    let commas = setting.match_indices(',').map(|(at, _)| at).filter(|at| is_next(*at));
    let mut addresses = Vec::new();
    let mut begin = 0;
    for comma in commas {
        addresses.push(setting[begin..comma].trim());
        begin = comma + 1;
    }
    addresses.push(setting[begin..].trim());
    addresses
}

/// The brokers of a cluster, in the order of the setting. Each clone takes turns of its own: a program that has lost its
/// connection, for whatever reason, tries the other brokers before the same one.
pub(crate) struct Addresses {
    uris: Arc<[AMQPUri]>,
    attempts: AtomicUsize,
}

impl Clone for Addresses {
    fn clone(&self) -> Self {
        let attempts = AtomicUsize::new(self.attempts.load(Ordering::Relaxed));
        Self { uris: self.uris.clone(), attempts }
    }
}

impl Addresses {
    /// Those of a setting; `None` when one of them is malformed.
    pub(crate) fn of(setting: &str) -> Option<Self> {
        let uris = addresses(setting).into_iter().map(uri).collect::<Option<Vec<_>>>()?;
        Some(Self { uris: uris.into(), attempts: AtomicUsize::new(0) })
    }

    /// The same with another part.
    pub(crate) fn map(self, change: impl Fn(&mut AMQPUri)) -> Self {
        let mut uris = self.uris.to_vec();
        uris.iter_mut().for_each(change);
        Self { uris: uris.into(), ..self }
    }

    pub(crate) fn all(&self) -> &[AMQPUri] {
        &self.uris
    }

    /// The address that was tried last, or will be tried first.
    pub(crate) fn current(&self) -> &AMQPUri {
        self.at(self.attempts.load(Ordering::Relaxed).saturating_sub(1))
    }

    /// The next address in turn, which is the current one from here on.
    pub(crate) fn advance(&self) -> &AMQPUri {
        self.at(self.attempts.fetch_add(1, Ordering::Relaxed))
    }

    fn at(&self, attempt: usize) -> &AMQPUri {
        &self.uris[attempt % self.uris.len()]
    }
}

/// One address. In no error it is repeated: it may hold a password.
fn uri(address: &str) -> Option<AMQPUri> {
    let (_, rest) = address.split_once("://")?;
    // An @ after the host belongs to a password, which would count as a virtual host and be shown as one.
    let is_cut_off = rest.split_once(['/', '?', '#']).is_some_and(|(_, after)| after.contains('@'));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if is_cut_off || host.contains(',') {
        return None;
    }
    let mut uri: AMQPUri = address.parse().ok()?;
    uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
    // With a slash and nothing after it, people mean the default virtual host, not one without a name.
    if uri.vhost.is_empty() {
        "/".clone_into(&mut uri.vhost);
    }
    Some(uri)
}

/// Whether the password and the messages would cross a network without encryption.
pub(crate) fn is_exposed(uri: &AMQPUri) -> bool {
    let host = uri.authority.host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    matches!(uri.scheme, AMQPScheme::AMQP) && !is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_before_a_scheme_separates_addresses_and_another_one_belongs_to_a_password() {
        let two = "amqp://joe:a,b@one/v, amqps://joe@two:1/v";

        assert_eq!(addresses(two), ["amqp://joe:a,b@one/v", "amqps://joe@two:1/v"]);
        assert_eq!(addresses("amqp://one"), ["amqp://one"]);
    }

    #[test]
    fn an_address_that_is_not_whole_is_refused() {
        for wrong in [
            "amqp://joe@one,two/v",
            "amqp://joe@one/v,",
            "amqp://joe@one/v,two/v",
            "amqp://joe@one/v,amqp://joe:12/s3cret@two/v",
            ",amqp://joe@one/v",
        ] {
            assert!(Addresses::of(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn after_a_connection_was_lost_the_other_addresses_come_first() {
        let addresses = Addresses::of("amqp://one,amqp://two,amqp://three").unwrap();
        let host = |uri: &AMQPUri| uri.authority.host.clone();
        assert_eq!(host(addresses.current()), "one");

        let turns: Vec<String> = (0..4).map(|_| host(addresses.advance())).collect();

        assert_eq!(turns, ["one", "two", "three", "one"]);
        assert_eq!(host(addresses.current()), "one");
        let clone = addresses.clone();
        assert_eq!([host(clone.advance()), host(addresses.advance())], ["two", "two"]);
    }

    #[test]
    fn only_a_remote_broker_without_tls_is_exposed() {
        let is_exposed = |url: &str| Addresses::of(url).unwrap().all().iter().any(is_exposed);

        assert!(is_exposed("amqp://joe@broker.example/v"));
        assert!(is_exposed("amqp://joe@127.0.0.1/v,amqp://joe@broker.example/v"), "one of two");
        assert!(!is_exposed("amqps://joe@broker.example/v"));
        for local in ["amqp://joe@localhost", "amqp://joe@127.0.0.1:5672/v", "amqp://[::1]:5672/v"] {
            assert!(!is_exposed(local), "{local}");
        }
    }
}
