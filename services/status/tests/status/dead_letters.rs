//! What becomes of dead letters.

use axum::http::StatusCode;
use domain::events::event::{Event, JobStarted};
use messaging::topology::{self, queues};
use serde_json::{Value, json};
use test_support::eventually;

use crate::consuming::Running;
use crate::world::{World, job, job_id};

const KIND: &str = "modelday.job.started.v1";

fn started() -> String {
    let event = Event::JobStarted(JobStarted { job: job_id(1), lanes: 1, model_days: 1, outline: None });
    contract::encode_event(&event).unwrap()
}

/// The one letter there is.
async fn the_letter(world: &World) -> Value {
    eventually("a dead letter", async || {
        let letters = world.get("/dead-letters").await.json;
        letters["dead_letters"].get(0).cloned()
    })
    .await
}

async fn declared(running: &Running) {
    eventually("the queues are there", async || running.vhost.publisher().connect().await.ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_replayed_once_and_unchanged_to_the_queue_that_rejected_it() {
    let world = World::new().await;
    let running = Running::start(&world).await;
    declared(&running).await;
    // Its job is not accepted yet.
    running.vhost.publish_event(KIND, started().as_bytes()).await;
    let letter = the_letter(&world).await;
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;
    let path = format!("/dead-letters/{}", letter["id"]);
    assert_eq!((&letter["state"], &letter["replayed_at"]), (&json!("open"), &Value::Null));

    let replayed = running.post(&format!("{path}/replay")).await;

    assert_eq!(replayed.0, StatusCode::OK, "{}", replayed.1);
    assert_eq!(replayed.1["state"], "replayed");
    let event = eventually("the event is known", async || {
        let events = world.get(&format!("/jobs/{}/events", job_id(1))).await;
        events.json["events"].get(0).cloned()
    })
    .await;
    assert_eq!(event["id"], letter["message_id"]);
    assert_eq!(event["source"], "/modelday/executor", "not status, which only sends it again");
    let written = letter["headers"]["cloudEvents_time"].as_str().unwrap();
    assert_eq!(event["time"].as_str().unwrap()[..26], written[..26], "when it was written first");

    assert_eq!(running.post(&format!("{path}/replay")).await, replayed, "it was replayed already");
    let (status, problem) = running.post(&format!("{path}/discard")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let at = replayed.1["replayed_at"].as_str().unwrap();
    assert_eq!(problem["detail"], format!("Dead letter {} was replayed at {at}", letter["id"]));
    assert_eq!(world.get(&path).await.json, replayed.1);
    assert_eq!(world.database.count("SELECT count(*) FROM status.outbox").await, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_fails_again_is_a_new_letter() {
    let world = World::new().await;
    let running = Running::start(&world).await;
    declared(&running).await;
    running.vhost.publish_event(KIND, started().as_bytes()).await;
    let letter = the_letter(&world).await;

    running.post(&format!("/dead-letters/{}/replay", letter["id"])).await;

    let again = eventually("a second letter", async || {
        let open = world.get("/dead-letters?state=open").await.json;
        open["dead_letters"].get(0).cloned()
    })
    .await;
    assert_eq!((&again["queue"], &again["message_id"]), (&letter["queue"], &letter["message_id"]));
    assert_ne!(again["id"], letter["id"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_letter_is_not_replayed_and_can_be_discarded() {
    let world = World::new().await;
    let running = Running::start(&world).await;
    declared(&running).await;
    running.vhost.publish_bytes(topology::EVENTS, KIND, b"\0garbage\xff").await;
    let letter = the_letter(&world).await;
    let path = format!("/dead-letters/{}", letter["id"]);
    assert_eq!(letter["queue"], queues::STATUS_PROJECTION);

    let (status, problem) = running.post(&format!("{path}/replay")).await;
    let discarded = running.post(&format!("{path}/discard")).await;

    assert_eq!(status, StatusCode::CONFLICT);
    let detail = problem["detail"].as_str().unwrap();
    assert_eq!(detail, format!("Dead letter {} cannot be sent again: its body is no text", letter["id"]));
    assert_eq!((discarded.0, &discarded.1["state"]), (StatusCode::OK, &json!("discarded")));
    assert_eq!(running.post(&format!("{path}/discard")).await, discarded);
    assert_eq!(running.post(&format!("{path}/replay")).await.0, StatusCode::CONFLICT);
    for unknown in ["/dead-letters/99", "/dead-letters/x"] {
        assert_eq!(world.get(unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
        assert_eq!(world.post(&format!("{unknown}/replay")).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_letters_of_a_mebibyte_a_quarter_is_kept_and_none_is_sent_again() {
    let world = World::new().await;
    let running = Running::start(&world).await;
    declared(&running).await;

    for number in 0..40 {
        running.vhost.publish_bytes(topology::EVENTS, KIND, &vec![b'a' + number; 1 << 20]).await;
    }
    let kept = "SELECT count(*) FROM status.dead_letters WHERE octet_length(body) = 262144";
    eventually("forty letters", async || (world.database.count(kept).await == 40).then_some(())).await;

    let letters = "SELECT count(*) FROM status.dead_letters WHERE body_bytes = 1048576";
    assert_eq!(world.database.count(letters).await, 40);
    let list = world.get("/dead-letters?limit=100").await;
    assert_eq!(list.json["count"], 40);
    assert!(list.text.len() < 1 << 20, "{} bytes for a list", list.text.len());
    let (status, problem) =
        running.post(&format!("/dead-letters/{}/replay", list.json["dead_letters"][0]["id"])).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    running.stop().await;
}
