//! Messages that cannot be handled become dead letters with their reason; the next good one is handled.

use messaging::topology::{COMMANDS, EVENTS, commands};
use test_support::eventually;

use crate::scene::{job, ready};
use crate::stage::{Running, Stage, message};

/// Why messages were put away, once there are so many.
async fn reasons(stage: &Stage, count: usize) -> Vec<String> {
    let mut reasons = Vec::new();
    eventually("the dead letters are there", async || {
        reasons.extend(stage.vhost.dead_letter_reasons().await);
        (reasons.len() >= count).then_some(())
    })
    .await;
    reasons
}

#[tokio::test]
async fn garbage_is_put_away_with_its_reason_and_the_next_message_is_handled() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let good = job(&["equal"], "2025-10-01", "2025-10-03");
    let mut twice = good.clone();
    twice.models.push(twice.models[0].clone());
    let mut unreadable = message(&ready(&good));
    unreadable.body = "{\"job\": 7}".into();

    stage.announce(&ready(&job(&["cash"], "2025-10-01", "2025-10-01"))).await;
    stage.vhost.publish_bytes(EVENTS, "modelday.data.ready.v1", b"\xff\xfe no message").await;
    stage.vhost.publish(&[unreadable, message(&ready(&twice))]).await;
    let mut found = reasons(&stage, 3).await;
    stage.announce(&ready(&good)).await;
    stage.end_of(good.id).await;
    executor.stop().await;

    found.sort();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().any(|reason| reason.contains("is listed twice")), "{found:?}");
    assert!(found.iter().any(|reason| reason.contains("does not parse")), "{found:?}");
    assert!(found.iter().any(|reason| reason.contains("header")), "{found:?}");
}

#[tokio::test]
async fn a_turn_that_is_none_is_put_away_with_its_reason_and_the_next_one_is_handled() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let good = job(&["equal"], "2025-10-01", "2025-10-03");
    let unknown = crate::stage::turn(good.id, domain::values::ids::LaneId(uuid::Uuid::now_v7()), 3);
    let mut unreadable = unknown.clone();
    unreadable.body = "[]".into();

    stage.announce(&ready(&job(&["cash"], "2025-10-01", "2025-10-01"))).await;
    stage.vhost.publish_bytes(COMMANDS, commands::LANE_CONTINUE, &[0; 1024 * 1024]).await;
    stage.vhost.publish(&[unreadable, unknown]).await;
    let found = reasons(&stage, 2).await;
    stage.announce(&ready(&good)).await;
    stage.end_of(good.id).await;
    executor.stop().await;

    assert_eq!(found.len(), 2, "a turn of a lane that is not there is over: {found:?}");
    assert!(stage.vhost.dead_letter_reasons().await.is_empty());
}

#[tokio::test]
async fn one_job_of_the_outbox_that_cannot_be_planned_does_not_hold_up_the_others() {
    let stage = Stage::new().await;
    let (mut bad, good) =
        (job(&["equal"], "2025-10-01", "2025-10-03"), job(&["cash"], "2025-10-01", "2025-10-03"));
    bad.models.push(bad.models[0].clone());
    stage.announce_to_a_forgetful_broker(&ready(&bad)).await;
    stage.announce_to_a_forgetful_broker(&ready(&good)).await;

    let executor = Running::start(stage.config()).await;
    stage.end_of(good.id).await;
    executor.stop().await;

    assert!(stage.events(bad.id).await.is_empty());
}

#[tokio::test]
async fn jobs_of_the_outbox_that_cannot_be_planned_are_reported_once_and_hold_up_none() {
    let stage = Stage::new().await;
    let good = ["2025-10-01", "2025-10-02", "2025-10-03"].map(|day| job(&["cash"], day, day));
    stage
        .database
        .execute(
            "INSERT INTO market.outbox (event_id, kind, exchange, routing_key, job_id, body, sent_at)
             SELECT gen_random_uuid(), 'modelday.data.ready.v1', 'modelday.events', 'modelday.data.ready.v1',
                 gen_random_uuid(), '{}', now()
             FROM generate_series(1, 1000)",
        )
        .await;

    let (executor, _, lines) = Running::watched(stage.config()).await;
    // Each is found when the outbox is looked through another time.
    for job in &good {
        stage.announce_to_a_forgetful_broker(&ready(job)).await;
        stage.end_of(job.id).await;
    }
    executor.stop().await;

    assert_eq!(lines.with("a forgotten job cannot be planned").len(), 1_000);
}

#[tokio::test]
async fn what_became_a_dead_letter_is_not_reported_again_from_the_outbox() {
    let stage = Stage::new().await;
    let (executor, _, lines) = Running::watched(stage.config()).await;
    let [good, next] = ["2025-10-01", "2025-10-02"].map(|day| job(&["cash"], day, day));
    let mut bad = job(&["equal"], "2025-10-01", "2025-10-01");
    bad.models.push(bad.models[0].clone());
    stage.announce(&ready(&good)).await;
    stage.end_of(good.id).await;

    let bad = message(&ready(&bad));
    stage.vhost.publish(std::slice::from_ref(&bad)).await;
    reasons(&stage, 1).await;
    stage.note_as_sent(&bad).await;
    stage.announce_to_a_forgetful_broker(&ready(&next)).await;
    stage.end_of(next.id).await;
    executor.stop().await;

    assert_eq!(lines.with("a message goes to the dead letters").len(), 1);
    assert_eq!(lines.with("a forgotten job cannot be planned"), [""; 0]);
}
