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
