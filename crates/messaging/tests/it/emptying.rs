//! A deployment that begins from nothing.

use messaging::empty_queues;
use messaging::topology::queues;
use test_support::TestVhost;

#[tokio::test]
async fn emptying_removes_every_message_and_keeps_the_queues() {
    let vhost = TestVhost::new();
    empty_queues(&vhost.settings()).await.unwrap();
    vhost.publish_event("modelday.job.requested.v1", b"{}").await;
    assert_eq!(vhost.drain(queues::DOWNLOADER_JOBS).await.len(), 1, "it arrives");
    vhost.publish_event("modelday.job.requested.v1", b"{}").await;

    empty_queues(&vhost.settings()).await.unwrap();

    for queue in [queues::DOWNLOADER_JOBS, queues::STATUS_PROJECTION] {
        assert!(vhost.drain(queue).await.is_empty(), "{queue} is not empty");
    }
    vhost.publish_event("modelday.job.requested.v1", b"{}").await;
    assert_eq!(vhost.drain(queues::DOWNLOADER_JOBS).await.len(), 1, "the queues are still there");
}

#[tokio::test]
async fn a_virtual_host_that_is_missing_is_told_with_how_to_make_it() {
    let vhost = TestVhost::new();

    let error = empty_queues(&vhost.settings().in_development()).await.unwrap_err().to_string();

    assert!(error.contains("rabbitmqctl add_vhost test-") && error.contains("_dev"), "{error}");
}
