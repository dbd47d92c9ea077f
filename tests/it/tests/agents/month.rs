//! The recorded month, run by language models that send the recorded orders.

use it::{Shape, System, portfolios_are_the_recorded_ones};
use serde_json::json;

use crate::bundle::replays_as_recorded;
use crate::stage::{endpoint, models};

const MODELS: [&str; 6] =
    ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];
const PUBLISHED: [(&str, &str); 6] = [
    ("deepseek-chat-v3.1", "+16.46"),
    ("MiniMax-M2", "+12.03"),
    ("gpt-5", "+9.98"),
    ("claude-3.7-sonnet", "+9.80"),
    ("qwen3-max", "+7.96"),
    ("gemini-2.5-flash", "+0.48"),
];

#[tokio::test]
async fn six_language_models_trade_the_recorded_month_to_the_cent_and_every_token_is_accounted() {
    let endpoint = endpoint().await;
    endpoint.play_decisions(include_str!("../../../../configs/recorded/ai-trader-2025-10.csv"));
    endpoint.require_key("sk-a-very-secret-key");
    let extra = "api_key_env = \"TEST_AGENT_KEY\"\nconcurrency = 6";
    let system = System::builder(Shape::FourProcesses)
        .models(&models(&endpoint.base_url(), &MODELS, extra))
        .env("TEST_AGENT_KEY", "sk-a-very-secret-key")
        .start()
        .await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 126);
    let returns = system.client.returns("start_date=2025-10-01&end_date=2025-10-29").await;
    for (model, published) in PUBLISHED {
        assert_eq!(returns.get(model).map(String::as_str), Some(published), "{model} of {returns:?}");
    }
    portfolios_are_the_recorded_ones(&system.client).await;
    let fills = system.database.count("SELECT count(*) FROM execution.fills").await;
    assert_eq!(fills, 306);
    let refused =
        "SELECT count(*) FROM execution.journal WHERE kind = 'tool' AND response LIKE '%must be positive%'";
    assert_eq!(system.database.count(refused).await, 5, "orders of nothing are refused to the agent");
    let day = system.client.model_day(&job, "gpt-5", "2025-10-02").await;
    assert_eq!((&day["status"], &day["end_reason"]), (&json!("completed"), &json!("finished")), "{day}");
    let messages = day["transcript"].as_array().unwrap();
    assert!(messages.iter().any(|message| message["name"] == "buy"), "{day}");
    let results = "/results?model=gpt-5&start_date=2025-10-02&reasoning=full";
    let results = system.client.get_ok(results).await;
    let reasoning = results["results"][0]["reasoning"].as_array().unwrap();
    assert_eq!(reasoning.len(), messages.len(), "{results}");
    every_token_is_accounted(&system, endpoint.calls().len()).await;
    let logs = system.logs();
    assert!(!logs.contains("sk-a-very-secret-key"), "the key is in a log");
    let leaks = "SELECT (SELECT count(*) FROM execution.journal WHERE response LIKE '%very-secret%')
        + (SELECT count(*) FROM execution.outbox WHERE body LIKE '%very-secret%')
        + (SELECT count(*) FROM trigger.outbox WHERE body LIKE '%very-secret%')";
    assert_eq!(system.database.count(leaks).await, 0, "the key is in the database");
    let calls = endpoint.calls().len();
    replays_as_recorded(&system, &job).await;
    assert_eq!(endpoint.calls().len(), calls, "a replay calls no endpoint");
}

/// The stand-in counts a quarter of the request's bytes as tokens, half of them cached, so the sums can be recomputed.
async fn every_token_is_accounted(system: &System, calls: usize) {
    let reported = "SELECT sum((body::jsonb #>> '{agent,usage,calls}')::bigint)::bigint FROM execution.outbox
        WHERE kind = 'modelday.model_day.completed.v1'";
    assert_eq!(system.database.count(reported).await, i64::try_from(calls).unwrap());
    let cost = "SELECT count(*) FROM (
            SELECT sum((body::jsonb #>> '{agent,usage,cost}')::numeric) AS reported,
                sum((((body::jsonb #>> '{agent,usage,prompt_tokens}')::numeric
                        - (body::jsonb #>> '{agent,usage,cached_tokens}')::numeric) * 1.25
                    + (body::jsonb #>> '{agent,usage,cached_tokens}')::numeric * 0.125
                    + (body::jsonb #>> '{agent,usage,completion_tokens}')::numeric * 10) / 1000000) AS due
            FROM execution.outbox WHERE kind = 'modelday.model_day.completed.v1') AS sums
        WHERE reported = due AND reported > 0";
    assert_eq!(system.database.count(cost).await, 1, "the reported cost is the tokens' price");
    let journalled = "SELECT count(*) FROM (
            SELECT (SELECT sum(cost) FROM execution.journal) AS journalled,
                (SELECT sum((body::jsonb #>> '{agent,usage,cost}')::numeric) FROM execution.outbox
                 WHERE kind = 'modelday.model_day.completed.v1') AS reported) AS sums
        WHERE journalled = reported";
    assert_eq!(system.database.count(journalled).await, 1, "journal and events have the same cost");
}
