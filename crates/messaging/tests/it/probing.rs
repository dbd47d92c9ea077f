//! What a probe says of the broker.

use messaging::{BrokerConfig, Probe};
use test_support::TestVhost;

use crate::support::soon;

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_answers_as_long_as_the_broker_has_it_connected() {
    let vhost = TestVhost::new();
    let probe = Probe::new(vhost.settings());

    assert!(soon(probe.answers()).await);
    assert!(soon(probe.answers()).await, "on the same connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_no_usable_broker() {
    let vhost = TestVhost::new();
    let (scheme, address) = vhost.url().split_once("://").unwrap();
    let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
    let config = BrokerConfig::new(&format!("{scheme}://guest:wrong@{address}"), "probing").unwrap();

    assert!(!soon(Probe::new(config).answers()).await);
}
