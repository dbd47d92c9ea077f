//! Alerts fire in faults of a real system, and clear after them. `promtool` rehearses those that take long.

use it::Prometheus;

use crate::stage::{publish_noise, run, system};

#[tokio::test]
async fn alerts_of_faults_that_can_be_caused_at_once_fire_and_clear() {
    let (system, _endpoints) = system().await;
    let prometheus = Prometheus::start(&system).await;
    assert!(prometheus.firing().await.is_empty(), "{:?}", prometheus.firing().await);

    // Both calls of the day are used for the first job, and all of one model's calls are refused.
    run(&system, "first").await;
    prometheus.until("ModeldayQuotaExhausted", true).await;
    prometheus.scraped().await;
    run(&system, "second").await;
    prometheus.until("ModeldayEndpointFails", true).await;
    system.database.execute("DELETE FROM market.call_quotas").await;
    prometheus.until("ModeldayQuotaExhausted", false).await;

    publish_noise(&system).await;
    prometheus.until("ModeldayDeadLetter", true).await;

    // No relay takes the message before tomorrow.
    system
        .database
        .execute(
            "INSERT INTO trigger.outbox (event_id, kind, exchange, routing_key, job_id, body, created_at, relay_from)
             VALUES (gen_random_uuid(), 'k', 'e', 'k', gen_random_uuid(), '{}', now() - interval '90 s', now() + interval '1 day')",
        )
        .await;
    prometheus.until("ModeldayOutboxStuck", true).await;
    system.database.execute("UPDATE trigger.outbox SET sent_at = now() WHERE kind = 'k'").await;
    prometheus.until("ModeldayOutboxStuck", false).await;
}
