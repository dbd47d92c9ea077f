//! Several brokers, of which any will do.

use messaging::{BrokerConfig, Publisher, topology::queues};
use test_support::{Proxy, TestVhost, eventually};

use crate::support::{job_requested, publish, soon};

fn publisher(vhost: &TestVhost, urls: &[String]) -> Publisher {
    let config = BrokerConfig::new(&urls.join(","), "test").unwrap();
    Publisher::new(config.with_authentication(vhost.settings().authentication().clone()), "publish")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_address_is_used_when_nothing_answers_at_the_first() {
    let vhost = TestVhost::declared().await;
    let nowhere = "amqp://none:n0thing@127.0.0.1:1/nothing".to_owned();

    publish(&publisher(&vhost, &[nowhere, vhost.url().to_owned()]), &[job_requested()]).await;

    assert_eq!(vhost.drain(queues::DOWNLOADER_JOBS).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_broker_goes_away_another_one_is_used() {
    let vhost = TestVhost::declared().await;
    let (first, second) = (Proxy::before(vhost.url()).await, Proxy::before(vhost.url()).await);
    let publisher = publisher(&vhost, &[first.instead_of(vhost.url()), second.instead_of(vhost.url())]);
    publish(&publisher, &[job_requested()]).await;

    drop(first);
    // What is in hand when a broker goes away may fail once.
    soon(eventually("a message is published", async || {
        publisher.publish_in_order(&[job_requested()]).await.failure.is_none().then_some(())
    }))
    .await;

    assert_eq!(vhost.drain(queues::DOWNLOADER_JOBS).await.len(), 2);
}
