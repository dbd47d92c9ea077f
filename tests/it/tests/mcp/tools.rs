//! The tools of one day.

use serde_json::json;

use crate::client::{McpClient, priced, program};

#[tokio::test]
async fn the_tools_are_those_of_an_agent_and_two_for_the_clock() {
    let database = priced().await;
    let session = McpClient::on(&database).await;

    let tools = session.client.list_all_tools().await.unwrap();

    let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(
        names,
        [
            "get_price_local",
            "get_price_history",
            "get_position",
            "buy",
            "sell",
            "add",
            "multiply",
            "get_today",
            "next_day"
        ]
    );
    let buy = tools.iter().find(|tool| tool.name == "buy").unwrap();
    let schema = buy.schema_as_json_value();
    assert_eq!(schema["required"], json!(["symbol", "amount"]));
    assert!(buy.description.as_deref().unwrap().contains("at today's open"), "{buy:?}");
    let instructions = session.client.peer_info().unwrap().instructions.clone().unwrap();
    assert!(instructions.contains("next_day"), "{instructions}");
}

#[tokio::test]
async fn todays_open_is_returned_and_later_prices_are_refused() {
    let database = priced().await;
    let session = McpClient::on(&database).await;
    let price =
        async |date: &str| session.call("get_price_local", json!({ "symbol": "AAPL", "date": date })).await;

    let today = price("2025-10-15").await;
    assert_eq!(today.text, r#"{"symbol":"AAPL","date":"2025-10-15","ohlcv":{"open":100}}"#);
    let yesterday = price("2025-10-14").await;
    assert_eq!(yesterday.json()["ohlcv"]["close"], 101.5);
    let tomorrow = price("2025-10-16").await;
    assert!(tomorrow.refused && tomorrow.text.contains("after the open of 2025-10-15"), "{tomorrow:?}");
    let history = session.call("get_price_history", json!({ "symbol": "AAPL", "days": 10 })).await;
    assert_eq!(history.json()["bars"].as_array().unwrap().len(), 1, "{history:?}");
}

#[tokio::test]
async fn orders_fill_at_the_open_or_say_why_not() {
    let database = priced().await;
    let session = McpClient::on(&database).await;

    let bought = session.call("buy", json!({ "symbol": "AAPL", "amount": 5 })).await;
    assert_eq!((bought.refused, bought.text.as_str()), (false, r#"{"CASH":500,"AAPL":5}"#));
    let sold = session.call("sell", json!({ "symbol": "AAPL", "amount": 2 })).await;
    assert_eq!(sold.text, r#"{"CASH":700,"AAPL":3}"#);
    for (name, arguments, why) in [
        ("buy", json!({ "symbol": "AAPL", "amount": 8 }), "Insufficient cash"),
        ("buy", json!({ "symbol": "NVDA", "amount": 1 }), "Symbol NVDA not found on 2025-10-15"),
        ("buy", json!({ "symbol": "AAPL", "amount": 0 }), "must be positive"),
        ("buy", json!({ "symbol": "AAPL" }), "Missing required parameter: amount"),
        ("buy", json!({ "symbol": 7, "amount": 1 }), "symbol must be a string"),
        ("sell", json!({ "symbol": "AAPL", "amount": 4 }), "Insufficient shares"),
        ("get_price_local", json!({ "symbol": "AAPL", "date": "today" }), "YYYY-MM-DD"),
        ("get_price_history", json!({ "symbol": "AAPL", "days": -1 }), "days must be an integer"),
        ("get_information", json!({ "query": "AAPL" }), "Unknown tool"),
        ("rm", json!({}), "Unknown tool"),
    ] {
        let result = session.call(name, arguments.clone()).await;
        assert!(result.refused && result.text.contains(why), "{name} {arguments}: {result:?}");
    }

    let position = session.call("get_position", json!({})).await;
    assert_eq!(position.text, r#"{"CASH":700,"AAPL":3}"#);
    let sum = session.call("add", json!({ "a": 0.1, "b": 0.2 })).await;
    assert_eq!(sum.text, r#"{"result":0.3}"#);
    let fills = database.count("SELECT count(*) FROM execution.fills").await;
    assert_eq!(fills, 0, "nothing is stored");
}

/// Replaces every price after the open of 2025-10-15.
const POISON: &str = "UPDATE market.bars
    SET open = CASE WHEN trading_date > '2025-10-15' THEN 7777 ELSE open END,
        high = 8888, low = 1, close = 6666, volume = 999
    WHERE trading_date >= '2025-10-15'";

#[tokio::test]
async fn another_future_changes_no_result_of_the_day() {
    let (database, poisoned) = (priced().await, priced().await);
    poisoned.execute(POISON).await;

    let (plain, other) = (all_results(&database).await, all_results(&poisoned).await);

    assert_eq!(plain, other);
    assert!(plain.iter().any(|result| result.contains("100")), "{plain:?}");
    let all = plain.concat();
    assert!(!["8888", "6666", "7777"].iter().any(|price| all.contains(price)), "{all}");
}

async fn all_results(database: &test_support::TestDatabase) -> Vec<String> {
    let session = McpClient::on(database).await;
    let mut result = Vec::new();
    for date in ["2025-10-14", "2025-10-15", "2025-10-16", "2025-10-17", "9999-12-31"] {
        result.push(session.call("get_price_local", json!({ "symbol": "AAPL", "date": date })).await.text);
    }
    for (name, arguments) in [
        ("get_price_history", json!({ "symbol": "MSFT", "days": 100 })),
        ("buy", json!({ "symbol": "MSFT", "amount": 2 })),
        ("buy", json!({ "symbol": "AAPL", "amount": 3 })),
        ("sell", json!({ "symbol": "MSFT", "amount": 1 })),
        ("get_position", json!({})),
        ("get_today", json!({})),
    ] {
        result.push(session.call(name, arguments).await.text);
    }
    let prompt = rmcp::model::GetPromptRequestParams::new("trade_today");
    result.push(format!("{:?}", session.client.get_prompt(prompt).await.unwrap().messages));
    result
}

#[tokio::test]
async fn a_search_returns_only_pages_that_are_certainly_from_before_today() {
    let found = json!({ "data": [
        { "title": "yesterday's news", "url": "u", "date": "2025-10-14", "content": "c" },
        { "title": "tomorrow's news", "url": "u", "date": "2025-10-16", "content": "c" },
        { "title": "news of an unknown day", "url": "u", "content": "c" },
    ]});
    let engine = axum::Router::new().fallback(async move || axum::Json(found.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let engine = tokio::spawn(async move { axum::serve(listener, engine).await });
    let database = priced().await;
    let mut program = program(&database, &["--date", "2025-10-15", "--symbols", "AAPL"]);
    program.env("SEARCH_URL", url);
    let session = McpClient::of(program).await;

    let result = session.call("get_information", json!({ "query": "AAPL" })).await;

    assert!(result.text.contains("yesterday's news") && !result.refused, "{result:?}");
    assert!(!result.text.contains("tomorrow") && !result.text.contains("unknown day"), "{result:?}");
    engine.abort();
}
