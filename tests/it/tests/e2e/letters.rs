//! Replaying dead letters.

use it::{Shape, System, http};
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_letter_is_handled_only_by_the_consumer_that_rejected_it() {
    let system = System::builder(Shape::FourProcesses).start().await;
    let job = system.client.trigger(&json!({ "end_date": "2025-10-01", "models": ["cash"] })).await;
    system.client.ended(&job).await;
    // The same request with a job id that trigger has never assigned.
    let body = system.database.text("SELECT body FROM trigger.jobs").await;
    let stranger = uuid::Uuid::now_v7().to_string();
    let body = body.replace(&job, &stranger);
    let vhost = system.vhost.as_ref().unwrap();
    vhost.publish_event("modelday.job.requested.v1", body.as_bytes()).await;
    let letters = eventually("downloader and status have rejected it", async || {
        let letters = system.client.get_ok("/dead-letters").await;
        (letters["count"] == 2).then(|| letters["dead_letters"].as_array().unwrap().clone())
    })
    .await;
    let of = |queue: &str| letters.iter().find(|letter| letter["queue"] == queue).unwrap()["id"].clone();
    let accept = format!(
        "INSERT INTO trigger.jobs (id, body, accepted_at)
         SELECT '{stranger}', replace(body, '{job}', '{stranger}'), now() FROM trigger.jobs"
    );
    system.database.execute(&accept).await;

    let url = format!("{}/dead-letters/{}/replay", system.client.status_url, of("downloader.jobs.v1"));
    let replayed = http().post(url).send().await.unwrap();

    assert_eq!(replayed.status(), StatusCode::OK);
    assert_eq!(system.client.ended(&stranger).await["status"], "completed");
    let kinds = "SELECT string_agg(kind, ' ' ORDER BY seq) FROM status.events WHERE job_id = '";
    let kinds = system.database.text(&format!("{kinds}{stranger}'")).await;
    assert!(kinds.contains("data.ready") && !kinds.contains("job.requested"), "{kinds}");
    let other: Value = system.client.get_ok(&format!("/dead-letters/{}", of("status.projection.v1"))).await;
    assert_eq!(other["state"], "open");
}
