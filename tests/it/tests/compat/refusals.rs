//! Which requests are refused, in which order, and with which texts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Api, recorded};

fn error(kind: &str, loc: &[&str], msg: &str, input: &Value) -> Value {
    json!({ "type": kind, "loc": loc, "msg": msg, "input": input })
}

#[tokio::test]
async fn a_wrong_body_is_refused_field_by_field() {
    let api = Api::of(recorded()).await;
    let date = |text: &str| format!("Value error, Invalid date format: {text}. Expected YYYY-MM-DD");

    for (body, detail, errors) in [
        (
            json!({}),
            "body.end_date: Field required".to_owned(),
            vec![error("missing", &["body", "end_date"], "Field required", &json!({}))],
        ),
        (
            json!({ "end_date": null }),
            "body.end_date: Input should be a valid string".to_owned(),
            vec![error("string_type", &["body", "end_date"], "Input should be a valid string", &Value::Null)],
        ),
        (
            json!({ "end_date": "" }),
            format!("body.end_date: {}", date("")),
            vec![error("value_error", &["body", "end_date"], &date(""), &json!(""))],
        ),
        (
            json!({ "end_date": "2025-10-6" }),
            format!("body.end_date: {}", date("2025-10-6")),
            vec![error("value_error", &["body", "end_date"], &date("2025-10-6"), &json!("2025-10-6"))],
        ),
        (
            json!({ "start_date": "10/06/2025", "end_date": "2025-02-30" }),
            format!("body.start_date: {}; body.end_date: {}", date("10/06/2025"), date("2025-02-30")),
            vec![
                error("value_error", &["body", "start_date"], &date("10/06/2025"), &json!("10/06/2025")),
                error("value_error", &["body", "end_date"], &date("2025-02-30"), &json!("2025-02-30")),
            ],
        ),
        (
            json!({ "end_date": "2025-10-06", "models": "idle" }),
            "body.models: Input should be a valid list".to_owned(),
            vec![error("list_type", &["body", "models"], "Input should be a valid list", &json!("idle"))],
        ),
        (
            json!({ "end_date": "2025-10-06", "on_failure": "retry" }),
            "body.on_failure: Input should be 'continue' or 'stop'".to_owned(),
            vec![error(
                "literal_error",
                &["body", "on_failure"],
                "Input should be 'continue' or 'stop'",
                &json!("retry"),
            )],
        ),
        (
            json!({ "end_date": "2025-10-06", "models": ["idle", "gpt-6", "gpt-7"] }),
            "body.models: Value error, Unknown models: gpt-6, gpt-7. Known models: trader, idle, retired"
                .to_owned(),
            vec![error(
                "value_error",
                &["body", "models"],
                "Value error, Unknown models: gpt-6, gpt-7. Known models: trader, idle, retired",
                &json!(["gpt-6", "gpt-7"]),
            )],
        ),
    ] {
        let response = api.post(&body).await;

        assert_eq!(response.refusal(), (422, &*detail), "{body}");
        assert_eq!(response.body["errors"], json!(errors), "{body}");
        assert_eq!(response.headers["content-type"], "application/problem+json");
        assert_eq!(response.body["instance"], "/simulate/trigger");
    }
    let long = "x".repeat(101);
    for (experiment, text) in [
        (json!(""), "String should have at least 1 character"),
        (json!(long), "String should have at most 100 characters"),
        (json!("a b"), "String should match pattern '^[A-Za-z0-9._-]+$'"),
        (json!(5), "Input should be a valid string"),
    ] {
        let response = api.post(&json!({ "end_date": "2025-10-06", "experiment": experiment })).await;

        assert_eq!(response.refusal(), (422, &*format!("body.experiment: {text}")));
    }
    let element = api.post(&json!({ "end_date": "2025-10-06", "models": ["idle", 5] })).await;
    assert_eq!(element.refusal(), (422, "body.models.1: Input should be a valid string"));
    assert_eq!(element.body["errors"][0]["loc"], json!(["body", "models", 1]));
    let no_object = api.post(&json!(["end_date"])).await;
    assert_eq!(
        no_object.refusal(),
        (422, "body: Input should be a valid dictionary or object to extract fields from")
    );
    let no_json = api.post_text("{\"end_date\": ").await;
    assert_eq!(
        (no_json.status, &no_json.body["errors"][0]["type"]),
        (422, &json!("json_invalid")),
        "{}",
        no_json.text
    );
    assert_eq!(api.system.database.count("SELECT count(*) FROM trigger.jobs").await, 0);
}

#[tokio::test]
async fn of_several_refusals_the_first_in_the_originals_order_is_given() {
    let api = Api::of(recorded().env("MAX_SIMULATION_DAYS", "30")).await;
    let range = |start: &str, end: &str| json!({ "start_date": start, "end_date": end });

    for (body, expected) in [
        // Backwards, and in the future.
        (
            range("2025-11-05", "2025-11-03"),
            (400, "start_date (2025-11-05) must be <= end_date (2025-11-03)"),
        ),
        // Too long, and in the future.
        (range("2025-10-05", "2025-11-03"), (400, "end_date (2025-11-03) cannot be in the future")),
        (
            range("2025-10-04", "2025-11-03"),
            (400, "Date range too large: 31 days (max: 30). Reduce range or increase MAX_SIMULATION_DAYS."),
        ),
        (range("2025-10-31", "2025-10-31"), (400, "end_date (2025-10-31) cannot be in the future")),
        (json!({ "end_date": "2025-10-31" }), (400, "end_date (2025-10-31) cannot be in the future")),
        // An unknown model comes before all of these.
        (
            json!({ "start_date": "2025-11-05", "end_date": "2025-11-03", "models": ["gpt-6"] }),
            (422, "body.models: Value error, Unknown models: gpt-6. Known models: trader, idle, retired"),
        ),
    ] {
        let response = api.post(&body).await;

        assert_eq!(response.refusal(), expected, "{body}");
    }
    let longest = api.post(&range("2025-10-01", "2025-10-30")).await;
    assert_eq!(longest.status, 200, "thirty days are allowed, and today is not the future: {}", longest.text);
}

#[tokio::test]
async fn without_an_enabled_model_one_must_be_named() {
    let models = "[[models]]\nsignature = \"retired\"\nkind = \"policy\"\npolicy = { policy = \"cash\" }\n";
    let api = Api::of(recorded().models(models)).await;

    // Backwards too, which comes later in the order.
    let none = api.post(&json!({ "start_date": "2025-10-07", "end_date": "2025-10-06", "models": [] })).await;
    let named = api.post(&json!({ "end_date": "2025-10-06", "models": ["retired"] })).await;

    let text =
        "No enabled models found in config. Either enable models in config or specify them in request.";
    assert_eq!(none.refusal(), (400, text));
    assert_eq!(named.status, 200, "{}", named.text);
}

#[tokio::test]
async fn a_job_that_downloads_counts_as_active_and_the_next_response_says_when_to_come_back() {
    let api = Api::of(recorded().env("MAX_ACTIVE_JOBS", "1")).await;
    api.system.prices.set_delay(Duration::from_secs(60));
    let first = api.post(&json!({ "end_date": "2025-10-06" })).await.job();
    api.system.client.until(&first, "download", |status| status["status"] == "downloading_data").await;

    let second = api.post(&json!({ "end_date": "2025-10-07" })).await;
    let wrong = api.post(&json!({ "end_date": "2025-11-07" })).await;

    let text = "Another simulation job is already running or pending. Please wait for it to complete.";
    assert_eq!(second.refusal(), (400, text));
    assert!(second.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(
        wrong.refusal(),
        (400, "end_date (2025-11-07) cannot be in the future"),
        "a wrong request is refused first"
    );
}
