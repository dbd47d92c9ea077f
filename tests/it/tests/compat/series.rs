//! `GET /results` for a range of dates.

use serde_json::json;

use crate::stage::{Api, assert_has, first_days, recorded};

#[tokio::test]
async fn a_range_is_a_series_for_each_model_trimmed_to_its_days() {
    let api = Api::of(recorded()).await;
    api.run(&first_days()).await;

    // From a Saturday before the first day to a Thursday after the last.
    let all = api.get("/results?start_date=2025-09-27&end_date=2025-10-09&reasoning=full").await;

    assert_eq!((all.status, &all.body["count"]), (200, &json!(2)), "{}", all.text);
    let (idle, trader) = (&all.body["results"][0], &all.body["results"][1]);
    assert_has(idle, &json!({ "model": "idle", "start_date": "2025-10-01", "end_date": "2025-10-06" }));
    assert_has(trader, &json!({ "model": "trader", "start_date": "2025-10-01", "end_date": "2025-10-06" }));
    let series: Vec<_> = trader["daily_portfolio_values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| {
            (
                day["date"].as_str().unwrap(),
                day["portfolio_value"].as_f64().unwrap(),
                day["portfolio_value_close"].as_f64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        series,
        [
            ("2025-10-01", 10_000.0, 10_004.1),
            ("2025-10-02", 10_015.35, 10_009.18),
            ("2025-10-03", 10_001.19, 10_022.57),
            ("2025-10-06", 10_028.69, 10_070.69),
        ]
    );
    // (10028.69 / 10000) ^ (365 / 6) - 1 = 0.1904
    assert_has(
        &trader["period_metrics"],
        &json!({ "starting_portfolio_value": 10000, "ending_portfolio_value": 10028.69, "period_return_pct": 0.29,
            "annualized_return_pct": 19.04, "calendar_days": 6, "trading_days": 4 }),
    );
    assert_has(
        &idle["period_metrics"],
        &json!({ "period_return_pct": 0.0, "annualized_return_pct": 0.0, "calendar_days": 6, "trading_days": 4 }),
    );
    assert!(trader.get("reasoning").is_none(), "a range has none, even when it is requested");
}

#[tokio::test]
async fn a_range_within_the_history_begins_with_the_value_at_its_first_open_or_the_close_before() {
    let api = Api::of(recorded()).await;
    api.run(&first_days()).await;
    let metrics = async |query: &str| {
        let response =
            api.get(&format!("/results?model=trader&start_date=2025-10-02&end_date=2025-10-03{query}")).await;
        let metrics = &response.body["results"][0]["period_metrics"];
        json!([
            metrics["starting_portfolio_value"],
            metrics["ending_portfolio_value"],
            metrics["period_return_pct"]
        ])
    };

    assert_eq!(metrics("").await, json!([10015.35, 10001.19, -0.14]));
    assert_eq!(metrics("&valuation=open").await, json!([10015.35, 10001.19, -0.14]));
    // From the close of the 1st to that of the 3rd.
    assert_eq!(metrics("&valuation=close").await, json!([10004.1, 10022.57, 0.18]));
}

#[tokio::test]
async fn without_dates_the_last_thirty_days_are_shown_or_as_many_as_are_set() {
    let api = Api::of(recorded()).await;
    api.run(&json!({ "start_date": "2025-09-29", "end_date": "2025-10-02", "models": ["idle"] })).await;
    let short = Api::of(recorded().env("DEFAULT_RESULTS_LOOKBACK_DAYS", "3")).await;
    short.run(&json!({ "start_date": "2025-10-24", "end_date": "2025-10-28", "models": ["idle"] })).await;

    let month = api.get("/results").await;
    let days = short.get("/results").await;

    // Today is 2025-10-30.
    assert_eq!(month.body["results"][0]["start_date"], "2025-09-30", "{}", month.text);
    assert_eq!(days.body["results"][0]["start_date"], "2025-10-27", "{}", days.text);
}
