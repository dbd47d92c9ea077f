//! `GET /simulate/status/{job_id}`.

use serde_json::{Value, json};

use crate::stage::{Api, assert_has, assert_instant, fields, recorded};

#[tokio::test]
async fn a_job_that_has_ended_is_shown_with_the_fields_of_the_original() {
    let api = Api::of(recorded()).await;
    let body = json!({ "start_date": "2025-10-03", "end_date": "2025-10-06", "models": ["trader", "idle"] });
    let job = api.post(&body).await.job();
    api.system.client.ended(&job).await;

    let status = api.get(&format!("/simulate/status/{job}")).await.body;

    assert_has(
        &status,
        &json!({
            "job_id": job,
            "status": "completed",
            "date_range": ["2025-10-03", "2025-10-06"],
            "models": ["trader", "idle"],
            "error": null,
            "warnings": null,
            "deployment_mode": "PROD",
            "is_dev_mode": false,
            "preserve_dev_data": null,
            "experiment": "default",
        }),
    );
    let progress = json!({ "total_model_days": 4, "completed": 4, "failed": 0, "pending": 0, "running": 0, "skipped": 0 });
    assert_eq!(status["progress"], progress);
    for instant in ["created_at", "started_at", "completed_at"] {
        assert_instant(&status[instant]);
    }
    assert!(status["total_duration_seconds"].as_f64().unwrap() > 0.0, "{status}");
    let details = status["details"].as_array().unwrap();
    let places: Vec<_> =
        details.iter().map(|day| (day["date"].as_str().unwrap(), day["model"].as_str().unwrap())).collect();
    assert_eq!(
        places,
        [("2025-10-03", "idle"), ("2025-10-03", "trader"), ("2025-10-06", "idle"), ("2025-10-06", "trader")]
    );
    for day in details {
        assert_has(day, &json!({ "status": "completed", "error": null }));
        assert_instant(&day["started_at"]);
        assert_instant(&day["completed_at"]);
        assert!(day["duration_seconds"].is_number(), "{day}");
        for field in ["date", "model", "status", "error", "started_at", "completed_at", "duration_seconds"] {
            assert!(fields(day).contains(&field), "{field} is missing in {day}");
        }
    }
}

#[tokio::test]
async fn weekdays_without_a_session_are_skipped_with_a_reason_and_the_numbers_add_up() {
    let api = Api::of(recorded()).await;
    let status =
        api.run(&json!({ "start_date": "2025-09-01", "end_date": "2025-09-02", "models": ["idle"] })).await;

    assert_has(
        &status["progress"],
        &json!({ "total_model_days": 2, "completed": 1, "failed": 0, "pending": 0, "skipped": 1 }),
    );
    assert_eq!(status["date_range"], json!(["2025-09-01", "2025-09-02"]));
    assert_has(
        &status["details"][0],
        &json!({ "date": "2025-09-01", "status": "skipped", "error": "Market closed" }),
    );
    assert_eq!(status["warnings"], json!(["Market closed on 2025-09-01 (Labor Day)"]));
    assert_eq!(status["status"], "completed", "skipped days are not failures");
}

#[tokio::test]
async fn a_job_is_known_as_soon_as_it_is_accepted_and_is_pending() {
    let api = Api::of(recorded()).await;
    api.system.prices.set_delay(std::time::Duration::from_secs(60));

    let job = api.post(&json!({ "start_date": "2025-10-03", "end_date": "2025-10-06" })).await.job();
    let status = api.get(&format!("/simulate/status/{job}")).await;

    assert_eq!(status.status, 200, "{}", status.text);
    let state = status.body["status"].as_str().unwrap();
    assert!(["pending", "downloading_data"].contains(&state), "{}", status.text);
    assert_has(
        &status.body,
        &json!({ "completed_at": null, "total_duration_seconds": null, "error": null, "warnings": null }),
    );
    assert_has(
        &status.body["progress"],
        &json!({ "total_model_days": 4, "completed": 0, "failed": 0, "pending": 4 }),
    );
    assert_instant(&status.body["created_at"]);
    let days = status.body["details"].as_array().unwrap();
    assert_eq!(days.len(), 4);
    for day in days {
        assert_has(
            day,
            &json!({ "status": "pending", "error": null, "started_at": null, "completed_at": null, "duration_seconds": null }),
        );
    }
}

#[tokio::test]
async fn a_job_without_prices_fails_with_its_reason_and_keeps_its_warnings() {
    let models =
        "[[models]]\nsignature = \"equal\"\nkind = \"policy\"\npolicy = { policy = \"equal_weight\" }\n";
    let api = Api::of(recorded().models(models).prices(|prices| prices.rate_limit_after(1))).await;

    let status =
        api.run(&json!({ "start_date": "2025-10-03", "end_date": "2025-10-03", "models": ["equal"] })).await;

    assert_eq!(status["status"], "failed", "{status}");
    assert_eq!(status["error"], "No trading dates available after price data preparation");
    let warnings: Vec<&str> =
        status["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(warnings.contains(&"Rate limit reached - downloaded 1/3 symbols"), "{warnings:?}");
    assert!(
        warnings.contains(&"Skipped 1 dates due to incomplete price data: ['2025-10-03']"),
        "{warnings:?}"
    );
    assert_has(
        &status["progress"],
        &json!({ "total_model_days": 1, "completed": 0, "pending": 0, "skipped": 1 }),
    );
}

#[tokio::test]
async fn an_unknown_job_is_not_found_whatever_its_id_looks_like() {
    let api = Api::of(recorded()).await;

    for id in ["018f3b1e-7b7a-7000-8000-0123456789ab", "nonsense", "1"] {
        let response = api.get(&format!("/simulate/status/{id}")).await;

        assert_eq!(response.refusal(), (404, &*format!("Job {id} not found")));
        assert_eq!(response.body.get("status"), None, "clients of the original would read it as the job's");
    }
    assert_eq!(
        api.get("/simulate/status/a?details=maybe").await.body["errors"][0]["loc"],
        json!(["query", "details"])
    );
    let _: Value = api.get("/jobs").await.body;
}
