//! The cost estimate of a dry run, from limits and from past days.

use serde_json::{Value, json};
use standin::chat::ToolCall;

use crate::stage::{endpoint, small};

#[tokio::test]
async fn past_days_give_the_estimate_for_the_next_ones() {
    let endpoint = endpoint().await;
    endpoint.script("a", "*", vec![vec![ToolCall::new("get_position", &json!({}))]; 2]);
    let system = small(&endpoint, "limits = { max_cost = \"0.50\" }").start().await;
    let request = |start: &str, end: &str, budget: &str| json!({ "start_date": start, "end_date": end, "budget": budget });

    let first = request("2025-10-01", "2025-10-06", "10");
    let before = system.client.plan(&first).await;
    let job = system.client.trigger(&first).await;
    let status = system.client.ended(&job).await;
    let after = system.client.plan(&request("2025-10-07", "2025-10-08", "10")).await;

    assert_eq!(status["progress"]["completed"], 4, "{status}");
    let cost = |plan: &Value| plan["models"][0]["estimate"]["cost"].clone();
    assert_eq!(cost(&before), json!({ "basis": "limits", "past_days": 0, "per_day": 0.5, "total": 2 }));
    assert_eq!(before["cost"]["budget_suffices"], true);
    let (after, spent) = (cost(&after), status["usage"]["cost"].as_f64().expect("a cost"));
    assert_eq!((&after["basis"], &after["past_days"]), (&json!("history"), &json!(4)));
    let per_day = after["per_day"].as_f64().expect("a mean");
    assert!(spent > 0.0 && (per_day * 4.0 - spent).abs() < 1e-9, "{after}: {status}");
    let board = system.client.get_ok("/leaderboard?models=a").await;
    let row = board["rows"].as_array().unwrap().iter().find(|row| row["model"] == "a").expect("a row");
    assert_eq!(row["usage"], status["usage"], "one job is all there is");
    assert!(row["usage"]["prompt_tokens"].as_u64().unwrap() > 0, "{row}");
}
