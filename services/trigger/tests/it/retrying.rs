//! Retrying a job: a new one of what failed, under the configuration of then.

use contract::{decode_event, kind};
use domain::events::event::Event;
use reqwest::StatusCode;
use serde_json::json;

use crate::stage::Stage;

/// A job of two models that has ended, of which these model-days failed.
async fn ended(stage: &Stage, failed: &[(&str, i32, &str)]) -> String {
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-10", "models": ["cash", "random-1"],
        "experiment": "once", "on_failure": "stop" });
    let job = stage.post(&body).await.job().to_owned();
    let row = "INSERT INTO execution.jobs (id, kind, body, state, open_lanes, ended_at)";
    stage.database.execute(&format!("{row} VALUES ('{job}', 'k', '{{}}', 'partial', 0, now())")).await;
    for (model, trial, date) in failed {
        stage
            .database
            .execute(&format!(
                "WITH portfolio AS (
                     INSERT INTO execution.portfolios (id, experiment, model, trial)
                     VALUES (gen_random_uuid(), 'once', '{model}', {trial})
                     ON CONFLICT (experiment, model, trial) DO UPDATE SET trial = excluded.trial
                     RETURNING id
                 )
                 INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, detail)
                 SELECT '{job}', id, '{date}', 'failed', 'why it failed' FROM portfolio"
            ))
            .await;
    }
    job
}

#[tokio::test]
async fn the_new_job_has_just_the_failed_days_and_the_configuration_of_the_first() {
    let stage = Stage::new().await;
    let of = ended(&stage, &[("random-1", 0, "2025-10-03"), ("random-1", 0, "2025-10-07")]).await;

    let answer = stage.post_to(&format!("/jobs/{of}/retry")).await;

    let new = answer.job().to_owned();
    assert_ne!(new, of);
    assert_eq!(answer.body["retry_of"], json!(of));
    assert_eq!(answer.body["total_model_days"], 2);
    assert_eq!(
        answer.body["message"],
        format!("Simulation job created for 2 dates, 1 models (retry of {of})")
    );
    let job = async |id: &str| {
        let body =
            stage.database.text(&format!("SELECT body FROM trigger.outbox WHERE job_id = '{id}'")).await;
        match decode_event(kind::JOB_REQUESTED, body.as_bytes()).unwrap() {
            Event::JobRequested(job) => job,
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (job(&of).await, job(&new).await);
    assert_eq!(second.retry_of, Some(first.id));
    assert_eq!((second.experiment, second.options), (first.experiment, first.options));
    assert_eq!(second.models[0].config_hash, first.models[1].config_hash);
    let dates: Vec<String> = second.models[0].dates(0, second.end).iter().map(ToString::to_string).collect();
    assert_eq!(dates, ["2025-10-03", "2025-10-07"]);
}

#[tokio::test]
async fn a_job_without_failed_days_or_that_has_not_ended_is_not_retried() {
    let stage = Stage::new().await;
    let good = ended(&stage, &[]).await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-10", "models": ["cash"] });
    let active = stage.post(&body).await.job().to_owned();
    let stored = stage.stored().await;

    let of_good = stage.post_to(&format!("/jobs/{good}/retry")).await;
    let of_active = stage.post_to(&format!("/jobs/{active}/retry")).await;
    let of_none = stage.post_to("/jobs/nonsense/retry").await;

    assert_eq!((of_good.status, of_active.status), (StatusCode::CONFLICT, StatusCode::CONFLICT));
    assert!(of_good.detail().contains("has no failed model-day"), "{}", of_good.detail());
    assert!(of_active.detail().contains("has not ended"), "{}", of_active.detail());
    assert_eq!((of_none.status, of_none.detail()), (StatusCode::NOT_FOUND, "Job nonsense not found"));
    assert_eq!(stage.stored().await, stored);
}

#[tokio::test]
async fn the_same_key_makes_one_retry_and_is_not_for_other_requests() {
    let stage = Stage::new().await;
    let (of, other) = (
        ended(&stage, &[("cash", 0, "2025-10-03")]).await,
        ended(&stage, &[("cash", 0, "2025-10-06")]).await,
    );

    let first = stage.post_to_with_key(&format!("/jobs/{of}/retry"), "k").await;
    let again = stage.post_to_with_key(&format!("/jobs/{of}/retry"), "k").await;
    let for_other = stage.post_to_with_key(&format!("/jobs/{other}/retry"), "k").await;
    let for_trigger = stage.post_with_key(&json!({ "end_date": "2025-10-10" }), "k").await;

    assert_eq!(first.job(), again.job());
    assert_eq!(again.headers["Idempotency-Replayed"], "true");
    assert_eq!(for_other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(for_trigger.status, StatusCode::UNPROCESSABLE_ENTITY);
}
