//! How many jobs may be active, and what makes room for another.

use chrono::Utc;
use domain::events::event::{Event, JobEnded};
use domain::job::{JobOutcome, Tally};
use domain::values::ids::JobId;
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use storage::{Owner, outbox};
use test_support::eventually;
use uuid::Uuid;

use crate::stage::Stage;

fn request() -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] })
}

fn ended(job: JobId, outcome: JobOutcome) -> Event {
    let (error, warnings) = (None, Vec::new());
    Event::JobEnded(JobEnded {
        job,
        outcome,
        tally: Tally::default(),
        error,
        warnings,
        ended_at: Utc::now(),
        outline: None,
    })
}

/// Posts until there is room; returns the job.
async fn accepted_at_last(stage: &Stage) -> JobId {
    eventually("there is room", async || {
        let answer = stage.post(&request()).await;
        (answer.status == StatusCode::OK).then(|| answer.job().parse().unwrap())
    })
    .await
}

async fn publish(stage: &Stage, event: &Event) {
    stage
        .vhost
        .publish_event(contract::kind::of(event), contract::encode_event(event).unwrap().as_bytes())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_requests_at_once_exactly_as_many_are_accepted_as_may_be_active() {
    let stage = Stage::with(&[("MAX_ACTIVE_JOBS", "5")]).await;
    // Between counting and committing there is time for others to count.
    stage
        .database
        .execute(
            "CREATE FUNCTION trigger.linger() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END';
             CREATE TRIGGER linger AFTER INSERT ON trigger.jobs FOR EACH ROW EXECUTE FUNCTION trigger.linger()",
        )
        .await;

    let request = request();
    let answers = join_all((0..40).map(|_| stage.post(&request))).await;

    let (accepted, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!((accepted.len(), refused.len()), (5, 35));
    for answer in refused {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(
            answer.detail(),
            "Another simulation job is already running or pending. Please wait for it to complete."
        );
        assert_eq!(answer.headers["retry-after"], "5");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(stage.stored().await, (5, 5));
    stage.stop().await;
}

#[tokio::test]
async fn every_end_of_a_job_makes_room_for_another_and_for_one_only() {
    let stage = Stage::with(&[("MAX_ACTIVE_JOBS", "1")]).await;
    let mut job = accepted_at_last(&stage).await;

    for outcome in [JobOutcome::Completed, JobOutcome::Partial, JobOutcome::Failed, JobOutcome::Cancelled] {
        assert_eq!(stage.post(&request()).await.status, StatusCode::BAD_REQUEST);
        publish(&stage, &ended(job, outcome)).await;
        publish(&stage, &ended(job, outcome)).await;
        job = accepted_at_last(&stage).await;
    }

    assert_eq!(stage.post(&request()).await.status, StatusCode::BAD_REQUEST);
    stage.stop().await;
}

#[tokio::test]
async fn an_end_that_only_the_executors_outbox_has_makes_room_too() {
    let stage = Stage::with(&[("MAX_ACTIVE_JOBS", "1")]).await;
    let job = accepted_at_last(&stage).await;
    let executor = stage.database.pool(Owner::Executor).await;
    let message = runtime::outgoing::event(&ended(job, JobOutcome::Failed)).unwrap();

    outbox::write(&mut executor.acquire().await.unwrap(), &[message]).await.unwrap();
    let next = accepted_at_last(&stage).await;

    assert_ne!(next, job);
    stage.stop().await;
}

#[tokio::test]
async fn a_message_that_ends_no_known_job_is_rejected_and_the_next_end_is_recorded() {
    let stage = Stage::with(&[("MAX_ACTIVE_JOBS", "1")]).await;
    let job = accepted_at_last(&stage).await;
    let stranger = JobId(Uuid::now_v7());

    publish(&stage, &ended(stranger, JobOutcome::Completed)).await;
    stage.vhost.publish_event("modelday.job.completed.v1", b"{\"job_id\": []}").await;
    stage.vhost.publish_bytes("modelday.events", "modelday.job.failed.v1", b"\x00").await;
    publish(&stage, &ended(job, JobOutcome::Completed)).await;
    accepted_at_last(&stage).await;

    let mut reasons = Vec::new();
    eventually("three dead letters", async || {
        reasons.extend(stage.vhost.dead_letter_reasons().await);
        (reasons.len() >= 3).then_some(())
    })
    .await;
    assert!(reasons.contains(&format!("job {stranger} is not known")), "{reasons:?}");
    stage.stop().await;
}
