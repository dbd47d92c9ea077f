//! Frameworks that own their loop, and real MCP clients, from Python's package index.

use std::path::Path;
use std::process::Command;

use it::{PythonAgent, Shape, System, python_programs};
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, ToolCall};

use crate::bundle::replays_as_recorded;
use crate::stage::endpoint;

/// What the language model of the frameworks does: it looks, tries too much, buys, and ends its day.
fn script(chat: &ChatEndpoint) {
    let order = |amount: u64| ToolCall::new("buy", &json!({ "symbol": "AAPL", "amount": amount }));
    let look = ToolCall::new("get_position", &json!({}));
    chat.script("scripted", "*", vec![vec![look], vec![order(1_000_000)], vec![order(2), order(1)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_of_frameworks_that_own_their_loop_trade_through_the_bridge() {
    let Some(programs) = python_programs("frameworks") else { return };
    let chat = endpoint().await;
    script(&chat);
    let environment = [
        ("MODEL_URL", chat.base_url()),
        ("MODEL_NAME", "scripted".to_owned()),
        ("OPENAI_API_KEY", "none".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let start = |file: &str| PythonAgent::start(&programs.join("python"), file, &environment);
    let agents = [start("docs/examples/langgraph_agent.py"), start("docs/examples/pydantic_ai_agent.py")];
    let entry = |(name, agent): (&str, &PythonAgent)| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"http\"\nenabled = true\nurl = \"{}\"\n",
            agent.url
        )
    };
    let names = ["langgraph", "pydantic-ai"];
    let models: String = names.into_iter().zip(&agents).map(entry).collect();
    let system =
        System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).models(&models).start().await;

    let days = json!({ "start_date": "2025-10-06", "end_date": "2025-10-07" });
    let job = system.client.trigger(&days).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    for name in names {
        let results = system.client.get_ok(&format!("/results?model={name}&start_date=2025-10-07")).await;
        let held = &results["results"][0]["final_position"]["holdings"];
        assert_eq!(held[0]["quantity"], 6, "three shares a day: {name}: {results}");
        let day = system.client.model_day(&job, name, "2025-10-06").await;
        assert_eq!(day["end_reason"], "finished", "{name}: {day}");
        assert_eq!(day["usage"]["tool_calls"], 4, "{name}: {day}");
        assert!(day["usage"]["prompt_tokens"].as_u64().unwrap() > 100, "{name}: {day}");
        assert!(day["transcript"].to_string().contains("Insufficient cash"), "{name}: {day}");
    }
    replays_as_recorded(&system, &job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn real_mcp_clients_trade_a_kept_portfolio_in_one_session_and_in_a_session_for_each_call() {
    let Some(programs) = python_programs("frameworks") else { return };
    let models = "[[models]]\nsignature = \"mine\"\nkind = \"mcp\"\nenabled = true\n";
    let system =
        System::builder(Shape::FourProcesses).universe(&["AAPL", "MSFT"], None).models(models).start().await;
    let days = json!({ "start_date": "2025-10-06", "end_date": "2025-10-07", "experiment": "two-clients" });
    let job = system.client.trigger(&days).await;
    system.client.until(&job, "run", |status| status["status"] == "running").await;

    let url = format!("{}/mcp/two-clients/mine", system.client.executor_url);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/mcp_clients.py");
    let mut command = Command::new(programs.join("python"));
    let output = command.arg(script).arg(&url).env("NO_PROXY", "127.0.0.1").output().unwrap();

    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let got: Value = serde_json::from_str(&printed).unwrap();
    let sdk = &got["sdk"];
    assert!(sdk["instructions"].as_str().unwrap().contains("two-clients"), "{got}");
    assert!(sdk["tools"].as_array().unwrap().contains(&json!("next_day")), "{got}");
    assert_eq!((&sdk["bought"]["AAPL"], &sdk["bought"]["refused"]), (&json!(3), &json!(false)));
    assert_eq!(
        (&sdk["refused"]["error"], &sdk["refused"]["refused"]),
        (&json!("Insufficient cash"), &json!(true))
    );
    assert!(sdk["prompt"].as_str().unwrap().contains("2025-10-06"), "{got}");
    assert_eq!(sdk["closed"]["closed"]["orders"], 1, "{got}");
    let langchain = &got["langchain"];
    assert_eq!((&langchain["today"]["date"], &langchain["sold"]["AAPL"]), (&json!("2025-10-07"), &json!(2)));
    assert!(langchain["closed"]["note"].as_str().unwrap().contains("the job has ended"), "{got}");
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    replays_as_recorded(&system, &job).await;
}
