//! The budget of a job.

use rust_decimal::Decimal;
use serde_json::json;
use standin::chat::ToolCall;

use crate::bundle::replays_as_recorded;
use crate::stage::{endpoint, small};

#[tokio::test]
async fn a_job_never_spends_more_than_its_budget_and_ends_cleanly() {
    let endpoint = endpoint().await;
    endpoint.script("a", "*", vec![vec![ToolCall::new("get_position", &json!({}))]; 3]);
    let system = small(&endpoint, "sampling = { max_completion_tokens = 200 }").start().await;

    let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-29", "budget": "0.05" });
    let job = system.client.trigger(&request).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    let completed = status["progress"]["completed"].as_u64().unwrap();
    assert!((1..20).contains(&completed), "{status}");
    let reasons = "SELECT count(*) FROM execution.model_days WHERE detail = 'budget exhausted'";
    assert!(system.database.count(reasons).await > 0, "{status}");
    let spent = system.database.text("SELECT spent::text FROM execution.budgets").await;
    let reserved = system.database.text("SELECT reserved::text FROM execution.budgets").await;
    let spent: Decimal = spent.parse().unwrap();
    assert!(spent > Decimal::ZERO && spent <= "0.05".parse().unwrap(), "{spent}");
    assert_eq!(reserved.parse::<Decimal>().unwrap(), Decimal::ZERO, "nothing is reserved after the end");
    let reported = "SELECT sum((body::jsonb #>> '{agent,usage,cost}')::numeric)::text FROM execution.outbox";
    assert_eq!(system.database.text(reported).await.parse::<Decimal>().unwrap(), spent);
    replays_as_recorded(&system, &job).await;
}
