//! Agents that try what is forbidden.

use serde_json::{Value, json};
use standin::chat::{Fault, ToolCall};

use crate::stage::{endpoint, small};

fn order(side: &str, arguments: Value) -> ToolCall {
    ToolCall::new(side, &arguments)
}

#[tokio::test]
async fn no_attack_changes_the_ledger_wrongly_or_shows_the_future() {
    let endpoint = endpoint().await;
    let raw =
        |name: &str, arguments: &str| ToolCall { name: name.to_owned(), arguments: arguments.to_owned() };
    endpoint.script(
        "a",
        "2025-10-02",
        vec![
            vec![
                order("buy", json!({ "symbol": "AAPL", "amount": -5 })),
                order("buy", json!({ "symbol": "AAPL", "amount": 0 })),
                order("buy", json!({ "symbol": "AAPL", "amount": 1.5 })),
                raw("buy", r#"{"symbol":"AAPL","amount":99999999999999999999999999}"#),
                order("buy", json!({ "symbol": "NOPE", "amount": 1 })),
                order("sell", json!({ "symbol": "MSFT", "amount": 1 })),
                raw("get_price_local", r#"{"symbol":"AAPL","date":"2025-10-03"}"#),
                raw("transfer_money", r#"{"to":"me"}"#),
            ],
            // 10,000 dollars buy 38 shares of AAPL at that day's open, not twice 20.
            vec![
                order("buy", json!({ "symbol": "AAPL", "amount": 20, "_current_position": { "CASH": 1e9 } })),
                order("buy", json!({ "symbol": "AAPL", "amount": 20, "_current_position": { "CASH": 1e9 } })),
            ],
        ],
    );
    let system = small(&endpoint, "").start().await;

    let request = json!({ "start_date": "2025-10-02", "end_date": "2025-10-02" });
    let job = system.client.trigger(&request).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    let fills = "SELECT string_agg(concat_ws(' ', side, symbol, quantity), ';') FROM execution.fills";
    assert_eq!(system.database.text(fills).await, "buy AAPL 20");
    let hidden = hidden_prices(&system).await;
    let requests: String = endpoint.calls().iter().map(|call| call.body.to_string()).collect();
    for price in hidden {
        assert!(!requests.contains(&price), "the agent was shown {price}, of a later day");
    }
    let answers =
        "SELECT string_agg(response, E'\\n' ORDER BY step, index) FROM execution.journal WHERE kind = 'tool'";
    let answers = system.database.text(answers).await;
    for refusal in ["Symbol NOPE not found on 2025-10-02", "No position for MSFT", "Insufficient cash"] {
        assert!(answers.contains(refusal), "{refusal} is not in {answers}");
    }
}

/// The prices of AAPL that an agent must not know: high, low and close of its day, and all of the next day.
async fn hidden_prices(system: &it::System) -> Vec<String> {
    let query = "SELECT string_agg(price, ' ') FROM (
        SELECT unnest(ARRAY[high::text, low::text, close::text]) AS price FROM market.bars
        WHERE symbol = 'AAPL' AND trading_date = '2025-10-02'
        UNION ALL
        SELECT unnest(ARRAY[open::text, high::text, low::text, close::text]) FROM market.bars
        WHERE symbol = 'AAPL' AND trading_date = '2025-10-03') AS prices";
    let text = system.database.text(query).await;
    text.split(' ')
        .map(|price| price.trim_end_matches('0').to_owned())
        .filter(|price| price.len() > 5)
        .collect()
}

#[tokio::test]
async fn a_response_without_end_fails_its_day_and_no_other() {
    let endpoint = endpoint().await;
    endpoint.fault("a", Fault::Endless);
    let system = small(&endpoint, "limits = { max_answer_bytes = 100000 }").start().await;

    let request = json!({ "start_date": "2025-10-02", "end_date": "2025-10-03" });
    let job = system.client.trigger(&request).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "partial", "{status}");
    let error = status["details"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("too_large"), "{status}");
    assert!(system.resident(it::Service::Executor) < 200, "the response was kept in memory");
}
