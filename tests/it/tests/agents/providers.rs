//! The recorded month at the endpoints of many providers, each as strict as the real one.

use it::{Shape, System, portfolios_of_each_are_the_recorded_ones};
use serde_json::json;
use standin::chat::{ChatEndpoint, Provider};

use crate::bundle::replays_as_recorded;
use crate::stage::endpoint;

const MODELS: [&str; 6] =
    ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];

/// The six recorded models at this provider, with its dialect.
fn models(endpoint: &ChatEndpoint, provider: Provider) -> String {
    let (dialect, sampling) = match provider {
        Provider::Anthropic => {
            ("messages", "{ extra = { thinking = { type = \"enabled\", budget_tokens = 2000 } } }")
        }
        Provider::Responses => ("responses", "{ max_completion_tokens = 4000 }"),
        _ => ("chat_completions", "{}"),
    };
    let (name, url) = (provider.name(), endpoint.base_url_of(provider));
    let entry = |model: &&str| {
        format!(
            "[[models]]\nsignature = \"{name}/{model}\"\nkind = \"llm\"\nenabled = true\ndialect = \"{dialect}\"\n\
             base_url = \"{url}\"\nbasemodel = \"{model}\"\nconcurrency = 6\napi_key_env = \"TEST_AGENT_KEY\"\n\
             sampling = {sampling}\nprices = {{ input = \"3\", cached_input = \"0.3\", cache_write = \"3.75\", \
             output = \"15\" }}\n"
        )
    };
    MODELS.iter().map(entry).collect()
}

#[tokio::test]
async fn the_recorded_month_is_the_same_at_every_provider_and_replays_byte_for_byte() {
    let endpoint = endpoint().await;
    endpoint.play_decisions(include_str!("../../../../configs/recorded/ai-trader-2025-10.csv"));
    endpoint.require_key("sk-a-very-secret-key");
    let entries: String = Provider::ALL.into_iter().map(|provider| models(&endpoint, provider)).collect();
    let system = System::builder(Shape::OneProcess)
        .models(&entries)
        .env("TEST_AGENT_KEY", "sk-a-very-secret-key")
        .start()
        .await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 21 * 6 * Provider::ALL.len());
    assert_eq!(status["warnings"], json!(null), "no day ended oddly");
    let names: Vec<&str> = Provider::ALL.into_iter().map(Provider::name).collect();
    portfolios_of_each_are_the_recorded_ones(&system.client, &names).await;
    let read = system.client.model_day(&job, "anthropic%2Fgpt-5", "2025-10-02").await;
    let roles: Vec<&str> = read["transcript"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(&roles[..4], ["system", "user", "assistant", "tool"], "{read}");
    assert!(read["usage"]["cached_tokens"].as_u64() > Some(0), "{read}");
    let leaks = "SELECT count(*) FROM execution.journal WHERE response LIKE '%very-secret%'";
    assert_eq!(system.database.count(leaks).await, 0, "the key is in the database");
    let calls = endpoint.calls().len();
    replays_as_recorded(&system, &job).await;
    assert_eq!(endpoint.calls().len(), calls, "a replay calls no endpoint");
}
