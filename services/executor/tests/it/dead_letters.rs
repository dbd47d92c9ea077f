//! Messages that nobody can handle are put away with their reason; the next good one is handled.

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
    let unknown = crate::stage::turn(good.id, domain::ids::LaneId(uuid::Uuid::now_v7()), 3);
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
