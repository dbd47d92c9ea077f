//! A session over several days.

use serde_json::json;

use crate::client::{McpClient, priced};

#[tokio::test]
async fn the_next_day_values_the_position_at_its_open_and_yesterday_becomes_known() {
    let database = priced().await;
    let session = McpClient::on(&database).await;
    session.call("buy", json!({ "symbol": "AAPL", "amount": 5 })).await;

    let next = session.call("next_day", json!({})).await.json();

    assert_eq!(
        next["closed"],
        json!({
            "date": "2025-10-15", "orders": 1, "value_at_open": 1000, "value_at_close": 1054.5
        })
    );
    assert_eq!((&next["date"], &next["starting_value"]), (&json!("2025-10-16"), &json!(1100)));
    assert_eq!(next["observation"]["opens"]["AAPL"], 120);
    assert_eq!(next["observation"]["previous_closes"]["AAPL"], 110.9);
    let today = session.call("get_today", json!({})).await.json();
    assert_eq!((&today["date"], &today["observation"]), (&next["date"], &next["observation"]));
    let yesterday = json!({ "symbol": "AAPL", "date": "2025-10-15" });
    assert_eq!(session.call("get_price_local", yesterday).await.json()["ohlcv"]["close"], 110.9);
    let sold = session.call("sell", json!({ "symbol": "AAPL", "amount": 5 })).await;
    assert_eq!(sold.text, r#"{"CASH":1100}"#);
}

#[tokio::test]
async fn a_held_symbol_without_a_price_is_kept_at_its_last_close_and_cannot_be_traded() {
    let database = priced().await;
    let session = McpClient::on(&database).await;
    session.call("buy", json!({ "symbol": "MSFT", "amount": 1 })).await;
    session.call("next_day", json!({})).await;

    let next = session.call("next_day", json!({})).await.json();

    assert_eq!((&next["date"], &next["starting_value"]), (&json!("2025-10-17"), &json!(1009.325)));
    let sold = session.call("sell", json!({ "symbol": "MSFT", "amount": 1 })).await;
    assert!(sold.refused, "{sold:?}");
}

#[tokio::test]
async fn a_day_without_stored_prices_is_refused_and_the_session_stays_where_it_is() {
    let database = priced().await;
    let session = McpClient::on(&database).await;
    session.call("next_day", json!({})).await;
    session.call("next_day", json!({})).await;

    let refused = session.call("next_day", json!({})).await;

    assert!(refused.refused && refused.text.contains("no prices of 2025-10-20 are stored"), "{refused:?}");
    assert_eq!(session.call("get_today", json!({})).await.json()["date"], "2025-10-17");
}

#[tokio::test]
async fn a_split_and_a_dividend_reach_the_position_and_the_prices_before_them() {
    let database = priced().await;
    database
        .execute(
            "INSERT INTO market.corporate_actions (trading_date, symbol, kind, version, from_shares, to_shares, per_share)
            VALUES ('2025-10-16', 'AAPL', 'split', 1, 1, 2, NULL), ('2025-10-16', 'MSFT', 'dividend', 1, NULL, NULL, 0.5)",
        )
        .await;
    let session = McpClient::on(&database).await;
    session.call("buy", json!({ "symbol": "AAPL", "amount": 5 })).await;
    session.call("buy", json!({ "symbol": "MSFT", "amount": 1 })).await;
    let before =
        session.call("get_price_local", json!({ "symbol": "AAPL", "date": "2025-10-14" })).await.json();

    let next = session.call("next_day", json!({})).await.json();

    assert_eq!(before["ohlcv"]["close"], 101.5, "nothing shows the future");
    assert_eq!(next["observation"]["holdings"], json!({ "AAPL": 10, "MSFT": 1 }));
    assert_eq!(next["observation"]["previous_closes"]["AAPL"], 55.45);
    let cash = next["observation"]["cash"].as_f64().unwrap();
    assert!((cash - (1000.0 - 500.0 - 256.575 + 0.5)).abs() < 1e-9, "{next}");
    assert_eq!(next["observation"]["corporate_actions"].as_array().unwrap().len(), 2, "{next}");
    let history = session.call("get_price_history", json!({ "symbol": "AAPL", "days": 2 })).await.json();
    assert_eq!(history["bars"][0]["close"], 50.75, "{history}");
}
