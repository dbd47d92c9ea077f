//! Days that are run again, failed ones by a retry and completed ones by a replacement, and the days after them.

use it::System;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, Fault, Script, ToolCall};
use test_support::eventually;

use crate::stage::{endpoint, small};

const DATES: [&str; 3] = ["2025-10-01", "2025-10-02", "2025-10-03"];

fn request(more: Value) -> Value {
    let mut request = json!({ "start_date": DATES[0], "end_date": DATES[2] });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

fn buys(symbol: &str, amount: u32) -> Script {
    vec![vec![ToolCall::new("buy", &json!({ "symbol": symbol, "amount": amount }))]]
}

async fn scripted() -> ChatEndpoint {
    let endpoint = endpoint().await;
    for (date, symbol) in DATES.iter().zip(["AAPL", "MSFT", "AAPL"]) {
        endpoint.script("a", date, buys(symbol, 2));
    }
    endpoint
}

/// Where the winning result of a day begins and ends, and its job.
async fn day(system: &System, date: &str) -> (Value, Value, String) {
    let answer = system.client.get_ok(&format!("/results?model=a&start_date={date}&end_date={date}")).await;
    let result = &answer["results"][0];
    let place = |name: &str| json!([result[name]["cash"], result[name]["holdings"]]);
    let job = result["job_id"].as_str().unwrap().to_owned();
    (place("starting_position"), place("final_position"), job)
}

/// Whether each day begins where the one before it ended.
async fn continuous(system: &System) -> Vec<bool> {
    let mut days = Vec::new();
    for date in DATES {
        days.push(day(system, date).await);
    }
    days.windows(2).map(|pair| pair[0].1 == pair[1].0).collect()
}

fn codes(status: &Value) -> Vec<&str> {
    let details = status["warning_details"].as_array().into_iter().flatten();
    details.filter_map(|warning| warning["code"].as_str()).collect()
}

/// A job whose second day failed.
async fn with_a_failed_day(endpoint: &ChatEndpoint, system: &System) -> String {
    endpoint.hold_from(1);
    let job = system.client.trigger(&request(json!({}))).await;
    eventually("the first day is about to end", async || (endpoint.calls().len() == 2).then_some(())).await;
    let body = json!({ "error": { "message": "gone", "type": "invalid", "code": "model_not_found" } });
    endpoint.fault("a", Fault::Response(404, Vec::new(), body.to_string()));
    endpoint.hold_from(usize::MAX);
    let status = system.client.ended(&job).await;
    assert_eq!(status["status"], "partial", "{status}");
    assert_eq!(status["details"][1]["status"], "failed", "{status}");
    job
}

#[tokio::test]
async fn a_retry_runs_just_the_failed_days_and_the_days_after_them_are_stale_until_they_are_run_again() {
    let endpoint = scripted().await;
    let system = small(&endpoint, "").start().await;
    let failed = with_a_failed_day(&endpoint, &system).await;
    let (before, calls) = (system.client.job(&failed).await, endpoint.calls().len());

    let (status, answer) = system.client.post(&format!("/jobs/{failed}/retry")).await;

    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!((&answer["retry_of"], &answer["total_model_days"]), (&json!(failed), &json!(1)));
    let retry = answer["job_id"].as_str().unwrap();
    let status = system.client.ended(retry).await;
    assert_eq!((&status["status"], &status["retry_of"]), (&json!("completed"), &json!(failed)), "{status}");
    assert_eq!(status["date_range"], json!([DATES[1]]));
    assert_eq!(status["details"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(codes(&status), ["STALE_DAYS"]);
    assert!(endpoint.calls()[calls..].iter().all(|call| call.date == DATES[1]), "other days were run again");
    let jobs = system.client.get_ok("/jobs?limit=1").await;
    assert_eq!(jobs["jobs"][0]["retry_of"], json!(failed));
    assert_eq!(
        system.client.job(&failed).await["details"],
        before["details"],
        "the first job keeps its days"
    );
    assert_eq!(day(&system, DATES[1]).await.2, retry);
    assert_eq!(continuous(&system).await, [true, false], "the third day began without the second");

    let again = system.client.trigger(&request(json!({ "reprocess_stale": true }))).await;
    let status = system.client.ended(&again).await;

    assert_eq!(status["progress"]["completed"], 1, "{status}");
    assert_eq!((status["stale_days"].clone(), continuous(&system).await), (json!(0), vec![true, true]));
    let (status, answer) = system.client.post(&format!("/jobs/{retry}/retry")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        answer["detail"].as_str().is_some_and(|detail| detail.contains("no failed model-day")),
        "{answer}"
    );
}

#[tokio::test]
async fn a_replaced_day_begins_where_its_predecessor_ended_and_later_ones_are_stale_until_they_are_run_again()
{
    let endpoint = scripted().await;
    let system = small(&endpoint, "").start().await;
    system.client.ended(&system.client.trigger(&request(json!({}))).await).await;
    assert_eq!(continuous(&system).await, [true, true]);
    endpoint.script("a", DATES[1], buys("MSFT", 5));

    let replace = json!({ "start_date": DATES[1], "end_date": DATES[1], "replace_existing": true });
    let replaced = system.client.ended(&system.client.trigger(&replace).await).await;

    assert_eq!(codes(&replaced), ["STALE_DAYS"]);
    assert_eq!(replaced["warning_details"][0]["dates"], json!([DATES[2]]));
    assert_eq!(continuous(&system).await, [true, false]);
    let again = system.client.trigger(&request(json!({ "reprocess_stale": true }))).await;
    let status = system.client.ended(&again).await;
    assert_eq!(status["progress"]["completed"], 1, "just the stale day: {status}");
    assert_eq!((status["stale_days"].clone(), continuous(&system).await), (json!(0), vec![true, true]));
    let revisions =
        "SELECT string_agg(revision::text, ' ' ORDER BY trading_date, revision) FROM execution.model_days
        WHERE state = 'completed'";
    assert_eq!(system.database.text(revisions).await, "1 1 2 1 2");
}

#[tokio::test]
async fn a_job_that_runs_is_not_retried_and_the_same_key_makes_one_retry() {
    let endpoint = scripted().await;
    let system = small(&endpoint, "").start().await;
    let failed = with_a_failed_day(&endpoint, &system).await;
    endpoint.hold_from(0);
    let http = it::http();
    let retry = async || {
        let url = format!("{}/jobs/{failed}/retry", system.client.trigger_url);
        let response = http.post(url).header("Idempotency-Key", "once").send().await.unwrap();
        response.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned()
    };

    let (first, second) = (retry().await, retry().await);

    assert_eq!(first, second);
    let (status, answer) = system.client.post(&format!("/jobs/{first}/retry")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains("has not ended")), "{answer}");
    endpoint.hold_from(usize::MAX);
    assert_eq!(system.client.ended(&first).await["status"], "completed");
}
