//! Cancelling a job: stored with its command, the same however often, and refused once the job has ended.

use reqwest::StatusCode;
use serde_json::json;

use crate::stage::Stage;

async fn job(stage: &Stage) -> String {
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "models": ["cash"] });
    stage.post(&body).await.job().to_owned()
}

/// The executor's row of a job that has ended.
async fn end(stage: &Stage, job: &str, state: &str) {
    let row = "INSERT INTO execution.jobs (id, kind, body, state, open_lanes, ended_at)";
    stage.database.execute(&format!("{row} VALUES ('{job}', 'k', '{{}}', '{state}', 0, now())")).await;
}

#[tokio::test]
async fn a_cancellation_is_stored_with_its_command_and_repeating_it_gets_the_same_response() {
    let stage = Stage::new().await;
    let job = job(&stage).await;

    let first = stage.post_to(&format!("/jobs/{job}/cancel")).await;
    let second = stage.post_to(&format!("/jobs/{job}/cancel")).await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert_eq!(first.body, json!({ "job_id": job, "status": "cancelled" }));
    assert_eq!((second.status, second.body), (first.status, first.body));
    let commands =
        "SELECT string_agg(exchange, ' ' ORDER BY id) FROM trigger.outbox WHERE kind = 'job.cancel'";
    assert_eq!(stage.database.text(commands).await, "modelday.commands.v2 modelday.control");
    let bodies = "SELECT DISTINCT body::jsonb ->> 'job_id' FROM trigger.outbox WHERE kind = 'job.cancel'";
    assert_eq!(stage.database.text(bodies).await, job);
    end(&stage, &job, "cancelled").await;
    let third = stage.post_to(&format!("/jobs/{job}/cancel")).await;
    assert_eq!(third.body, json!({ "job_id": job, "status": "cancelled" }), "once it is over, too");
}

#[tokio::test]
async fn a_job_that_has_ended_is_not_cancelled_and_the_response_says_how_it_ended() {
    let stage = Stage::new().await;

    for state in ["completed", "partial", "failed"] {
        let job = job(&stage).await;
        end(&stage, &job, state).await;

        let answer = stage.post_to(&format!("/jobs/{job}/cancel")).await;

        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
        assert!(answer.detail().contains(&job) && answer.detail().contains(state), "{}", answer.detail());
    }
    assert_eq!(stage.database.count("SELECT count(*) FROM trigger.cancellations").await, 0);
}

#[tokio::test]
async fn an_unknown_job_cannot_be_cancelled() {
    let stage = Stage::new().await;

    for id in ["01890000-0000-7000-8000-000000000001", "nonsense"] {
        let answer = stage.post_to(&format!("/jobs/{id}/cancel")).await;

        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.detail(), format!("Job {id} not found"));
    }
}
