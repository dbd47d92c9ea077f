//! Messages that cannot be read.

use it::{Shape, System};
use serde_json::json;

#[tokio::test]
async fn noise_is_dead_lettered_with_its_reason_and_the_next_good_message_is_processed() {
    let system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL"], None)
        .models("[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n")
        .start()
        .await;
    let vhost = system.vhost.as_ref().expect("a virtual host");
    let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" });
    let first = system.client.trigger(&request).await;
    system.client.ended(&first).await;

    vhost.publish_bytes("modelday.events", "modelday.job.requested.v1", b"garbage").await;
    vhost.publish_bytes("modelday.events", "modelday.job.requested.v2", b"{}").await;
    vhost.publish_bytes(messaging::topology::COMMANDS, "lane.continue", &vec![0xff; 1024 * 1024]).await;
    let unknown = system
        .database
        .text("SELECT replace(body, (job_id)::text, gen_random_uuid()::text) FROM trigger.outbox LIMIT 1")
        .await;
    vhost.publish_event("modelday.job.requested.v1", unknown.as_bytes()).await;

    let letters = test_support::eventually("each queue's dead letters with their reasons", async || {
        let letters = system.client.get_ok("/dead-letters").await;
        let list = letters["dead_letters"].as_array().cloned().unwrap_or_default();
        (list.len() >= 6).then_some(list)
    })
    .await;
    for letter in &letters {
        assert!(letter["reason"].as_str().is_some_and(|reason| reason.len() > 5), "{letter}");
    }
    assert!(
        letters.iter().any(|letter| letter["reason"].as_str().unwrap_or_default().contains("not known")),
        "{letters:?}"
    );
    let second = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "experiment": "after" });
    let second = system.client.trigger(&second).await;
    assert_eq!(system.client.ended(&second).await["status"], "completed");
}
