//! A client over MCP trades a kept portfolio day by day, and is recorded as a model's days are.

use futures::future::join_all;
use it::{Service, Shape, System, http};
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::eventually;

use crate::bundle::replays_as_recorded;

const MODELS: &str = "[[models]]\nsignature = \"mine\"\nkind = \"mcp\"\nenabled = true\n";

async fn system() -> System {
    System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], Some("QQQ")).models(MODELS).start().await
}

/// A message of JSON-RPC, in a session of its own as far as the client is concerned.
async fn message(system: &System, model: &str, message: &Value) -> (StatusCode, Value) {
    let url = format!("{}/mcp/default/{model}", system.client.executor_url);
    let request = http().post(url).header("accept", "application/json, text/event-stream").json(message);
    let response = request.send().await.unwrap();
    let (status, body) = (response.status(), response.text().await.unwrap());
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

/// Calls a tool: its text, and whether it was refused.
async fn call(system: &System, name: &str, arguments: Value) -> (String, bool) {
    let params = json!({ "name": name, "arguments": arguments });
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let (status, body) = message(system, "mine", &request).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let result = &body["result"];
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {body}")).to_owned();
    (text, result["isError"] == true)
}

/// The result of a tool that was not refused.
async fn done(system: &System, name: &str, arguments: Value) -> Value {
    let (text, refused) = call(system, name, arguments).await;
    assert!(!refused, "{name}: {text}");
    serde_json::from_str(&text).unwrap()
}

async fn job(system: &System, end: &str) -> String {
    let job = system.client.trigger(&json!({ "start_date": "2025-10-06", "end_date": end })).await;
    system.client.until(&job, "run", |status| status["status"] == "running").await;
    job
}

#[tokio::test]
async fn a_client_trades_day_by_day_and_its_portfolio_is_kept_recorded_and_ranked() {
    let mut system = system().await;
    let (nothing, refused) = call(&system, "get_today", json!({})).await;
    assert!(refused && nothing.contains("modelday run --models mine --experiment default"), "{nothing}");
    let job = job(&system, "2025-10-08").await;

    let today = done(&system, "get_today", json!({})).await;
    assert_eq!((&today["date"], &today["starting_value"]), (&json!("2025-10-06"), &json!(10_000)));
    assert!(today["observation"]["opens"]["AAPL"].is_number(), "{today}");
    assert_eq!(done(&system, "buy", json!({ "symbol": "AAPL", "amount": 5 })).await["AAPL"], 5);
    let tomorrow = call(&system, "get_price_local", json!({ "symbol": "AAPL", "date": "2025-10-07" })).await;
    assert!(tomorrow.1 && tomorrow.0.contains("after the open of 2025-10-06 are not known"), "{tomorrow:?}");
    let too_many = call(&system, "buy", json!({ "symbol": "AAPL", "amount": 5_000 })).await;
    assert!(too_many.1 && too_many.0.contains("Insufficient cash"), "{too_many:?}");
    for _ in 0..4 {
        let wrong = call(&system, "buy", json!({ "symbol": "AAPL" })).await;
        assert!(
            wrong.1 && wrong.0.contains("Missing required parameter: amount"),
            "the day goes on: {wrong:?}"
        );
    }
    system.kill(Service::Modelday);
    system.restart(Service::Modelday).await;
    assert_eq!(done(&system, "get_position", json!({})).await["AAPL"], 5, "it outlives the process");

    let next = done(&system, "next_day", json!({ "date": "2025-10-06", "reasoning": "I like it." })).await;
    assert_eq!((&next["closed"]["date"], &next["closed"]["orders"]), (&json!("2025-10-06"), &json!(1)));
    assert_eq!((&next["date"], &next["observation"]["holdings"]["AAPL"]), (&json!("2025-10-07"), &json!(5)));
    let again = done(&system, "next_day", json!({ "date": "2025-10-06" })).await;
    assert_eq!(
        (&again["date"], &again["closed"]),
        (&json!("2025-10-07"), &Value::Null),
        "it closes no second day"
    );
    assert!(again["note"].as_str().unwrap().contains("2025-10-06 is closed already"), "{again}");
    let later = call(&system, "next_day", json!({ "date": "2025-10-08" })).await;
    assert!(later.1 && later.0.contains("today is 2025-10-07"), "{later:?}");
    assert!(call(&system, "next_day", json!({})).await.1, "it has to say which day");
    done(&system, "sell", json!({ "symbol": "AAPL", "amount": 5 })).await;
    done(&system, "next_day", json!({ "date": "2025-10-07" })).await;
    let last = done(&system, "next_day", json!({ "date": "2025-10-08" })).await;
    assert!(last["note"].as_str().unwrap().contains("the job has ended"), "{last}");

    let status = system.client.ended(&job).await;
    assert_eq!((&status["status"], &status["progress"]["completed"]), (&json!("completed"), &json!(3)));
    let results = system.client.get_ok("/results?model=mine&start_date=2025-10-06").await;
    assert_eq!(results["results"][0]["trades"][0]["quantity"], 5, "{results}");
    let returns = system.client.returns("start_date=2025-10-06&end_date=2025-10-08").await;
    assert!(returns.contains_key("mine"), "{returns:?}");
    let day = system.client.model_day(&job, "mine", "2025-10-06").await;
    assert_eq!(day["end_reason"], "finished", "{day}");
    let transcript = day["transcript"].to_string();
    assert!(transcript.contains("I like it.") && transcript.contains("\"buy\""), "{transcript}");
    replays_as_recorded(&system, &job).await;
    let (ended, refused) = call(&system, "buy", json!({ "symbol": "AAPL", "amount": 1 })).await;
    assert!(refused && ended.contains("no job of model mine"), "{ended}");
}

#[tokio::test]
async fn many_sessions_at_once_trade_one_portfolio_and_each_call_takes_effect_once() {
    let system = system().await;
    let job = job(&system, "2025-10-06").await;

    let calls = (0..12).map(|_| call(&system, "buy", json!({ "symbol": "AAPL", "amount": 1 })));
    let bought = join_all(calls).await;

    assert!(bought.iter().all(|(_, refused)| !refused), "{bought:?}");
    let position = done(&system, "get_position", json!({})).await;
    assert_eq!(position["AAPL"], 12, "{position}");
    let closes = (0..4).map(|_| call(&system, "next_day", json!({ "date": "2025-10-06" })));
    join_all(closes).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    let fills = "SELECT count(*) FROM execution.fills";
    assert_eq!(system.database.count(fills).await, 12);
    let days = "SELECT count(*) FROM execution.outbox WHERE kind = 'modelday.model_day.completed.v1'";
    assert_eq!(system.database.count(days).await, 1);
}

#[tokio::test]
async fn the_protocol_is_spoken_without_a_session_and_a_cancelled_job_takes_no_call() {
    let system = system().await;
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "hand", "version": "1" } } });
    let (status, hello) = message(&system, "mine", &hello).await;
    assert_eq!(status, StatusCode::OK, "{hello}");
    let instructions = hello["result"]["instructions"].as_str().unwrap();
    assert!(instructions.contains("The portfolio is kept"), "{instructions}");
    let job = job(&system, "2025-10-07").await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let (_, tools) = message(&system, "mine", &list).await;
    let names: Vec<&str> = tools["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(names.ends_with(&["get_today", "next_day"]) && names.contains(&"buy"), "{names:?}");
    let prompt =
        json!({ "jsonrpc": "2.0", "id": 3, "method": "prompts/get", "params": { "name": "trade_today" } });
    let (_, prompt) = message(&system, "mine", &prompt).await;
    assert!(prompt.to_string().contains("update today's (2025-10-06) positions"), "{prompt}");
    done(&system, "buy", json!({ "symbol": "AAPL", "amount": 1 })).await;

    system.client.cancel(&job).await;

    eventually("the lane lets go", async || {
        let (text, refused) = call(&system, "get_today", json!({})).await;
        (refused && text.contains("no job of model mine")).then_some(())
    })
    .await;
    let fills = system.database.count("SELECT count(*) FROM execution.fills").await;
    assert_eq!(fills, 0, "a day that was not closed leaves no trace");
}
