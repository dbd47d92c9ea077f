//! One system for all claims, with jobs of each kind that the pages have to show.

use it::{Shape, System};
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, Fault, ToolCall};

use crate::browser::Browser;

/// The day whose conversation is written out below.
pub(crate) const TALK: &str = "2025-10-01";
/// More model-days than one answer of the API lists.
pub(crate) const MANY_DAYS: usize = 5_150;
/// Jobs that are made at once.
pub(crate) const AT_ONCE: usize = 60;

/// The system with its jobs, and the browser.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) browser: Browser,
    /// Recorded models and benchmarks over a month.
    pub(crate) sample: String,
    /// An agent that thinks, buys, and is refused.
    pub(crate) talk: String,
    /// More model-days than one answer lists, with holidays among them. It still runs when the stage is set.
    pub(crate) long: String,
    /// 22 days that failed for one reason.
    pub(crate) failing: String,
}

impl Stage {
    pub(crate) async fn set(browser: Browser) -> Self {
        let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts");
        play(&endpoint);
        let system = System::builder(Shape::OneProcess)
            .env("MAX_ACTIVE_JOBS", "200")
            .env("DATABASE_CONNECTIONS", "16")
            .env("TRACE_URL_TEMPLATE", "https://traces.example/{trace_id}")
            .models(&models(&endpoint.base_url()))
            .start()
            .await;
        let client = &system.client;
        let job = |models: &[&str], experiment: &str, start: &str, end: &str| json!({ "models": models, "experiment": experiment, "start_date": start, "end_date": end });
        let recorded = [
            "deepseek-chat-v3.1",
            "MiniMax-M2",
            "gpt-5",
            "claude-3.7-sonnet",
            "qwen3-max",
            "gemini-2.5-flash",
            "momentum-20",
        ];
        let sample = client.trigger(&job(&recorded, "default", "2025-10-01", "2025-10-29")).await;
        let talk = client.trigger(&job(&["thinker"], "talk", "2025-10-01", "2025-10-03")).await;
        let failing = client.trigger(&job(&["broken"], "failing", "2025-10-01", "2025-10-30")).await;
        let first =
            client.trigger(&job(&["equal-weight", "hold-qqq"], "stale", "2025-10-01", "2025-10-10")).await;
        for id in [&sample, &talk, &failing, &first] {
            client.ended(id).await;
        }
        let mut again = job(&["equal-weight"], "stale", "2025-10-03", "2025-10-03");
        again["replace_existing"] = json!(true);
        let again = client.trigger(&again).await;
        client.ended(&again).await;
        let long = client.trigger(&job(&["random"], "long", "2025-06-10", "2025-10-30")).await;
        Self { system, browser, sample, talk, long, failing }
    }

    /// An address of the board.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.system.client.status_url)
    }
}

fn models(endpoint: &str) -> String {
    let decisions = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/recorded/ai-trader-2025-10.csv");
    let recorded =
        ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];
    let recorded = recorded.map(|name| {
        format!("[[models]]\nsignature = \"{name}\"\nkind = \"recorded\"\nenabled = true\ndecisions = \"{decisions}\"\n")
    });
    let policies = [
        ("momentum-20", 1, "policy = \"momentum\", lookback = 20, top = 5, rebalance_every = 5"),
        ("equal-weight", 1, "policy = \"equal_weight\""),
        ("hold-qqq", 1, "policy = \"buy_and_hold\", symbol = \"QQQ\""),
        ("random", 50, "policy = \"random\", seed = 1, orders_per_day = 1"),
        ("cash", 1, "policy = \"cash\""),
    ];
    let policies = policies.map(|(name, trials, policy)| {
        format!("[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\ntrials = {trials}\npolicy = {{ {policy} }}\n")
    });
    let agents = ["thinker", "broken"].map(|name| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"llm\"\nbase_url = \"{endpoint}\"\nbasemodel = \"{name}\"\n\
             prices = {{ input = \"1.25\", cached_input = \"0.125\", output = \"10\" }}\n"
        )
    });
    [&recorded[..], &policies[..], &agents[..]].concat().concat()
}

/// What the agents do: `thinker` looks, thinks, buys and is refused; each call of `broken` fails for the same reason.
fn play(endpoint: &ChatEndpoint) {
    let call = |id: &str, name: &str, arguments: Value| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments.to_string() } });
    let says = |thoughts: &str, content: &str, calls: Value| {
        let message = json!({ "role": "assistant", "content": content, "reasoning_content": thoughts, "tool_calls": calls });
        let usage = json!({ "prompt_tokens": 1200, "completion_tokens": 180, "total_tokens": 1380 });
        json!({ "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": message }], "usage": usage }).to_string()
    };
    let look = says(
        "First I have to know what I hold, and what cash there is.",
        "Let me look at my position.",
        json!([call("a1", "get_position", json!({}))]),
    );
    let trade = says(
        "NVDA rose on each of the last days, and demand for accelerators is far above supply. I put a fifth of the cash into it, \
         and try a larger order of MSFT too.",
        "NVDA has momentum: I buy 10 shares.",
        json!([
            call("b1", "buy", json!({ "symbol": "NVDA", "amount": 10 })),
            call("b2", "buy", json!({ "symbol": "MSFT", "amount": 100_000 }))
        ]),
    );
    for text in [look, trade] {
        endpoint.fault("thinker", Fault::Response(200, Vec::new(), text));
    }
    let look = || vec![ToolCall::new("get_position", &json!({}))];
    endpoint.script("thinker", TALK, vec![look(), look()]);
    let buy = ToolCall::new("buy", &json!({ "symbol": "AAPL", "amount": 2 }));
    endpoint.script("thinker", "*", vec![look(), vec![buy]]);
    let error = json!({ "error": { "message": "This model's maximum context length is 8192 tokens", "type": "invalid_request_error" } });
    for _ in 0..60 {
        endpoint.fault("broken", Fault::Response(400, Vec::new(), error.to_string()));
    }
}
