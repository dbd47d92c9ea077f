//! What an accepted request answers, stores and sends.

use contract::decode_event;
use domain::events::event::Event;
use domain::job::{Job, OnFailure};
use messaging::topology::queues;
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::eventually;
use uuid::Uuid;

use crate::stage::Stage;

/// The job that was stored last.
async fn stored_job(stage: &Stage) -> Job {
    let (kind, body): (String, String) =
        sqlx::query_as("SELECT kind, body FROM trigger.outbox ORDER BY id DESC LIMIT 1")
            .fetch_one(&stage.database.admin)
            .await
            .unwrap();
    match decode_event(&kind, body.as_bytes()).unwrap() {
        Event::JobRequested(job) => job,
        other => panic!("{other:?}"),
    }
}

fn signatures(job: &Job) -> Vec<&str> {
    job.models.iter().map(|model| model.signature.as_str()).collect()
}

#[tokio::test]
async fn an_accepted_job_gets_a_response_and_is_stored_and_sent() {
    let stage = Stage::new().await;
    let body = json!({
        "start_date": "2025-10-01", "end_date": "2025-10-29", "models": ["gpt-5", "equal-weight"],
        "on_failure": "stop", "experiment": "first",
    });

    let answer = stage.post(&body).await;

    let id: Uuid = answer.job().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert_eq!(
        answer.body,
        json!({
            "job_id": id.to_string(), "status": "pending", "total_model_days": 42,
            "message": "Simulation job created for 21 dates, 2 models", "warnings": null,
            "deployment_mode": "PROD", "is_dev_mode": false, "preserve_dev_data": null,
        })
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    let same =
        "SELECT count(*) FROM trigger.jobs j JOIN trigger.outbox o ON o.job_id = j.id AND o.body = j.body";
    assert_eq!((stage.database.count(same).await, stage.stored().await), (1, (1, 1)));
    let job = stored_job(&stage).await;
    assert_eq!((job.id.0, job.experiment.as_str()), (id, "first"));
    assert_eq!(signatures(&job), ["gpt-5", "equal-weight"]);
    assert!(job.models.iter().all(|model| model.config_hash.len() == 32));
    assert_eq!((job.universe.symbols.len() > 90, job.options.on_failure), (true, OnFailure::Stop));
    let delivered = eventually("the downloader gets the message", async || {
        stage.vhost.drain(queues::DOWNLOADER_JOBS).await.pop()
    })
    .await;
    assert_eq!(delivered.routing_key.as_str(), "modelday.job.requested.v1");
    assert_eq!(delivered.properties.correlation_id().as_ref().map(ToString::to_string), Some(id.to_string()));
    stage.stop().await;
}

#[tokio::test]
async fn no_models_means_all_that_are_enabled_and_repeated_names_count_once() {
    let stage = Stage::new().await;
    let enabled =
        ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];

    for models in [json!([]), Value::Null] {
        let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-01", "models": models });
        assert_eq!(stage.post(&body).await.body["total_model_days"], 6, "{models}");
        assert_eq!(signatures(&stored_job(&stage).await), enabled);
    }
    let twice = json!(["cash", "hold-qqq", "cash"]);
    stage.post(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-01", "models": twice })).await;

    assert_eq!(signatures(&stored_job(&stage).await), ["cash", "hold-qqq"]);
    stage.stop().await;
}

#[tokio::test]
async fn a_request_without_a_start_continues_after_each_models_own_last_day() {
    let stage = Stage::new().await;
    for (model, trial, date) in [("cash", 0, "2025-10-27"), ("hold-qqq", 0, "2025-10-29")] {
        let (portfolio, job) = (Uuid::now_v7(), Uuid::now_v7());
        stage
            .database
            .execute(&format!(
                "INSERT INTO execution.portfolios (id, experiment, model, trial)
                     VALUES ('{portfolio}', 'default', '{model}', {trial});
                 INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, revision,
                         cash, holdings, value_at_open)
                     VALUES ('{job}', '{portfolio}', '{date}', 'completed', 1, 1, '{{}}', 1)"
            ))
            .await;
    }
    let models = json!(["cash", "hold-qqq", "equal-weight"]);

    let answer = stage.post(&json!({ "end_date": "2025-10-29", "models": models })).await;

    assert_eq!(answer.body["message"], "Simulation job created for 2 dates, 3 models (resume mode)");
    assert_eq!(answer.body["warnings"], json!(["hold-qqq is up to date; nothing to run"]));
    assert_eq!(answer.body["total_model_days"], 3);
    let job = stored_job(&stage).await;
    let starts: Vec<String> = job.models.iter().map(|model| model.start.to_string()).collect();
    assert_eq!(starts, ["2025-10-28", "2025-10-30", "2025-10-29"]);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_progress_when_the_service_stops_gets_its_response_and_its_message_is_sent() {
    let stage = Stage::new().await;
    stage
        .database
        .execute(
            "CREATE FUNCTION trigger.linger() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
             CREATE TRIGGER linger AFTER INSERT ON trigger.jobs FOR EACH ROW EXECUTE FUNCTION trigger.linger()",
        )
        .await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });
    let stop_meanwhile = async {
        eventually("the job is being stored", async || {
            let at_work = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event = 'PgSleep'";
            (stage.database.count(at_work).await == 1).then_some(())
        })
        .await;
        stage.begin_to_stop();
    };

    let (answer, ()) = tokio::join!(stage.post(&body), stop_meanwhile);
    answer.job();
    let database = stage.stop().await;

    let sent = "SELECT count(*) FROM trigger.outbox WHERE sent_at IS NOT NULL";
    assert_eq!(database.count(sent).await, 1);
}

#[tokio::test]
async fn the_models_are_listed() {
    let stage = Stage::new().await;

    let answer = stage.get("/models").await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["count"], answer.body["models"].as_array().unwrap().len());
    let cash =
        answer.body["models"].as_array().unwrap().iter().find(|model| model["signature"] == "cash").unwrap();
    assert_eq!(
        (&cash["kind"], &cash["enabled"], &cash["trials"]),
        (&json!("policy"), &json!(false), &json!(1))
    );
    stage.stop().await;
}
