//! Concurrent jobs.

use it::{Shape, System};
use serde_json::json;

#[tokio::test]
async fn two_jobs_that_share_models_and_symbols_run_every_day_once_and_fetch_every_symbol_once() {
    let system = System::builder(Shape::FourProcesses).start().await;
    let first =
        json!({ "start_date": "2025-10-01", "end_date": "2025-10-17", "models": ["gpt-5", "qwen3-max"] });
    let second =
        json!({ "start_date": "2025-10-06", "end_date": "2025-10-29", "models": ["qwen3-max", "gpt-5"] });

    let (first, second) = tokio::join!(system.client.trigger(&first), system.client.trigger(&second));
    let (first, second) = tokio::join!(system.client.ended(&first), system.client.ended(&second));

    for status in [&first, &second] {
        assert_eq!(status["status"], "completed", "{status}");
    }
    let completed = "SELECT count(*) FROM execution.model_days WHERE state = 'completed'";
    let distinct = "SELECT count(DISTINCT (portfolio_id, trading_date)) FROM execution.model_days WHERE state = 'completed'";
    assert_eq!(system.database.count(completed).await, system.database.count(distinct).await);
    let mut symbols: Vec<String> = system.prices.calls().into_iter().map(|call| call.symbol).collect();
    let calls = symbols.len();
    symbols.sort();
    symbols.dedup();
    assert_eq!(symbols.len(), calls, "a symbol was fetched twice");
}
