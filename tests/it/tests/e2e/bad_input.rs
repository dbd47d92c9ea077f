//! Bad input: a clear response, no job, no message.

use it::{Shape, System};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn bad_requests_get_a_clear_response_and_leave_nothing_behind() {
    let system = System::builder(Shape::OneProcess).start().await;
    let cases: [(Value, StatusCode, &str); 9] = [
        (json!({}), StatusCode::UNPROCESSABLE_ENTITY, "end_date"),
        (json!({ "end_date": 5 }), StatusCode::UNPROCESSABLE_ENTITY, "end_date"),
        (
            json!({ "end_date": "2025-02-30" }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid date format: 2025-02-30",
        ),
        (
            json!({ "end_date": "2025-10-6" }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid date format: 2025-10-6",
        ),
        (json!([]), StatusCode::UNPROCESSABLE_ENTITY, "body"),
        (
            json!({ "start_date": "2025-10-02", "end_date": "2025-10-01" }),
            StatusCode::BAD_REQUEST,
            "start_date (2025-10-02) must be <= end_date (2025-10-01)",
        ),
        (
            json!({ "start_date": "2010-01-04", "end_date": "2025-10-01" }),
            StatusCode::BAD_REQUEST,
            "Date range too large: 5750 days (max: 3660). Reduce range or increase MAX_SIMULATION_DAYS.",
        ),
        (
            json!({ "start_date": "2030-01-01", "end_date": "2030-01-02" }),
            StatusCode::BAD_REQUEST,
            "end_date (2030-01-02) cannot be in the future",
        ),
        (
            json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["gpt-6"] }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "gpt-6",
        ),
    ];

    for (body, expected, text) in cases {
        let (status, response) = system.client.post_trigger(&body).await;
        assert_eq!(status, expected, "{body}: {response}");
        assert!(response["detail"].as_str().expect("a detail").contains(text), "{body}: {response}");
        assert_eq!(response["status"], expected.as_u16());
        assert_eq!(response["instance"], "/simulate/trigger", "{response}");
    }

    assert_eq!(system.database.count("SELECT count(*) FROM trigger.jobs").await, 0);
    assert_eq!(system.database.count("SELECT count(*) FROM trigger.outbox").await, 0);
}

#[tokio::test]
async fn repeated_names_count_once_and_no_names_mean_all_enabled() {
    let system = System::builder(Shape::OneProcess).start().await;
    let range =
        |models: Value| json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": models });

    let (_, twice) = system.client.post_trigger(&range(json!(["gpt-5", "gpt-5"]))).await;
    let (_, all) = system.client.post_trigger(&range(json!([]))).await;

    assert_eq!(twice["total_model_days"], 2, "{twice}");
    assert_eq!(twice["message"], "Simulation job created for 2 dates, 1 models");
    assert_eq!(all["total_model_days"], 12, "{all}");
}
