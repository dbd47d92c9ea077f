//! Requests that are refused: the documented answer, and nothing stored.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Reply, Stage};

/// The way to the first thing that is wrong, and its type.
fn first_error(answer: &Reply) -> (Value, Value) {
    let error = &answer.body["errors"][0];
    (error["loc"].clone(), error["type"].clone())
}

#[tokio::test]
async fn bodies_that_are_not_json_are_unprocessable() {
    let stage = Stage::new().await;
    let deep = "[".repeat(100_000);

    for body in ["", "{", "{\"end_date\": \"2025-10-01\",}", "not json", "\u{0}", &deep] {
        let answer = stage.post_bytes(body.as_bytes().to_vec()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body:.30}");
        assert_eq!(first_error(&answer).1, "json_invalid", "{body:.30}");
        assert!(answer.detail().contains("JSON decode error"), "{}", answer.detail());
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(stage.post_bytes(b"\xff\xfe{}".to_vec()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stage.stored().await, (0, 0));
    stage.stop().await;
}

#[tokio::test]
async fn invalid_values_are_reported_with_their_place() {
    let stage = Stage::new().await;
    let dates = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" });
    let with = |field: &str, value: Value| {
        let mut body = dates.clone();
        body[field] = value;
        body
    };

    for (body, place, kind) in [
        (json!([]), json!(["body"]), "model_attributes_type"),
        (json!({ "start_date": "2025-10-01" }), json!(["body", "end_date"]), "missing"),
        (with("end_date", Value::Null), json!(["body", "end_date"]), "string_type"),
        (with("end_date", json!("")), json!(["body", "end_date"]), "value_error"),
        (with("end_date", json!(20251001)), json!(["body", "end_date"]), "string_type"),
        (with("end_date", json!("2025-02-30")), json!(["body", "end_date"]), "value_error"),
        (with("start_date", json!("2025-10-1")), json!(["body", "start_date"]), "value_error"),
        (with("start_date", json!("1900-01-01")), json!(["body", "start_date"]), "value_error"),
        (with("models", json!("gpt-5")), json!(["body", "models"]), "list_type"),
        (with("models", json!(["gpt-5", 7])), json!(["body", "models", 1]), "string_type"),
        (with("replace_existing", json!("perhaps")), json!(["body", "replace_existing"]), "bool_parsing"),
        (with("on_failure", json!("explode")), json!(["body", "on_failure"]), "literal_error"),
        (with("experiment", json!("a b")), json!(["body", "experiment"]), "string_pattern_mismatch"),
    ] {
        let answer = stage.post(&body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(first_error(&answer), (place, json!(kind)), "{body}");
        assert!(!answer.detail().is_empty(), "{body}");
    }
    let unknown = stage.post(&with("models", json!(["gpt-5", "gpt-6"]))).await;

    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unknown.detail().contains("Unknown models: gpt-6. Known models: deepseek"),
        "{}",
        unknown.detail()
    );
    assert_eq!(stage.stored().await, (0, 0));
    stage.stop().await;
}

#[tokio::test]
async fn a_misspelt_field_is_refused_and_another_unknown_one_is_a_warning() {
    let stage = Stage::new().await;
    let body =
        |field: &str| json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", field: ["hold-qqq"] });

    let misspelt = stage.post(&body("model")).await;
    let unknown = stage.post_bytes(format!("\u{feff}{}", body("comment")).into_bytes()).await;

    assert_eq!(misspelt.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(misspelt.detail(), "body.model: There is no such field; use models");
    assert_eq!(unknown.status, StatusCode::OK, "{}", unknown.body);
    assert_eq!(
        unknown.body["warnings"],
        json!(["The request's field comment means nothing and was ignored"])
    );
    stage.stop().await;
}

#[tokio::test]
async fn ranges_that_cannot_be_run_are_bad_requests() {
    let stage = Stage::with(&[("MAX_SIMULATION_DAYS", "30")]).await;

    for (start, end, detail) in [
        ("2025-10-02", "2025-10-01", "start_date (2025-10-02) must be <= end_date (2025-10-01)"),
        (
            "2025-09-01",
            "2025-10-01",
            "Date range too large: 31 days (max: 30). Reduce range or increase MAX_SIMULATION_DAYS.",
        ),
        ("2025-10-30", "2025-10-31", "end_date (2025-10-31) cannot be in the future"),
        ("9999-12-01", "9999-12-02", "end_date (9999-12-02) cannot be in the future"),
    ] {
        let answer = stage.post(&json!({ "start_date": start, "end_date": end, "models": ["cash"] })).await;
        assert_eq!((answer.status, answer.detail()), (StatusCode::BAD_REQUEST, detail));
        assert_eq!(answer.body["status"], 400);
    }

    assert_eq!(stage.stored().await, (0, 0));
    let today = json!({ "start_date": "2025-10-30", "end_date": "2025-10-30", "models": ["cash"] });
    stage.post(&today).await.job();
    stage.stop().await;
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_too_large() {
    let stage = Stage::new().await;
    let padded = |length: usize| {
        let mut body = br#"{"start_date":"2025-10-01","end_date":"2025-10-02","models":["cash"]}"#.to_vec();
        body.resize(length, b' ');
        body
    };

    let too_large = stage.post_bytes(padded(1024 * 1024 + 1)).await;
    assert_eq!(too_large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(too_large.detail(), "Request body is larger than 1 MiB; send a smaller one");
    assert_eq!(stage.stored().await, (0, 0));

    stage.post_bytes(padded(1024 * 1024)).await.job();
    stage.stop().await;
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let stage = Stage::new().await;

    let nowhere = stage.get("/nowhere").await;
    let wrong_method = stage.get("/simulate/trigger").await;

    assert_eq!((nowhere.status, nowhere.detail()), (StatusCode::NOT_FOUND, "Not Found"));
    assert_eq!(
        (wrong_method.status, wrong_method.detail()),
        (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    );
    assert_eq!(nowhere.headers["content-type"], "application/problem+json");
    stage.stop().await;
}
