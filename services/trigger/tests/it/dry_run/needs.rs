//! Which prices a dry run counts as needed.

use serde_json::json;

use super::{Files, planned, request, store_bars};

#[tokio::test]
async fn a_model_that_trades_nothing_needs_no_prices_and_refused_symbols_are_not_asked_for() {
    let files = Files::new();
    let stage = files.stage().await;
    store_bars(&stage, &["AAPL", "QQQ"], &["2025-09-02", "2025-09-03"]).await;
    let source = "WITH first AS (INSERT INTO market.source (name) VALUES ('alpha_vantage'))
        INSERT INTO market.sources (position, name, quota_key, windows, max_wait_seconds, shape)
        VALUES (0, 'alpha_vantage', 'key', '[]', 120, 'by_symbol')";
    stage.database.execute(source).await;

    let cash = planned(&stage, &request(&["cash"])).await;
    let missing = planned(&stage, &request(&["equal"])).await;
    let refusal =
        "INSERT INTO market.refusals (source, symbol, reason) VALUES ('key', 'MSFT', 'it is unknown')";
    stage.database.execute(refusal).await;
    let refused = planned(&stage, &request(&["equal"])).await;

    assert_eq!(cash["prices"]["requests"], 0, "{cash}");
    assert_eq!((&missing["prices"]["requests"], &refused["prices"]["requests"]), (&json!(1), &json!(0)));
    assert_eq!(refused["model_days"]["to_run"], 4, "{refused}");
    stage.stop().await;
}
