//! Results of one day and of a range.

use std::collections::BTreeMap;

use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::accounting::refusal::RefusedOrder;
use domain::simulation::model_day::{CompletedDay, Trade};
use serde_json::json;

use crate::world::{World, completed, day, decimal, instant, job, job_id};

/// A first day on which two shares are bought, and a second on which the day before is replaced later.
async fn two_days() -> World {
    let world = World::new().await;
    for number in 1..=2 {
        world.accept(&job(number, &["m"], "2025-10-01", "2025-10-02")).await;
    }
    let held = Portfolio::new(decimal("9487.0333"), BTreeMap::from([("AAPL".parse().unwrap(), 2)])).unwrap();
    let bought = Trade {
        sequence: 0,
        side: Side::Buy,
        symbol: "AAPL".parse().unwrap(),
        quantity: 2,
        price: decimal("256.4833"),
        fee: decimal("0.0001"),
        cash_after: decimal("9487.0333"),
    };
    let refused = RefusedOrder {
        sequence: 1,
        side: Side::Sell,
        symbol: "MSFT".to_owned(),
        quantity: "0".to_owned(),
        code: "quantity_not_positive".to_owned(),
    };
    let first = CompletedDay {
        trades: vec![bought],
        refused: vec![refused],
        ending_position: held.clone(),
        value_at_open: decimal("9999.9999"),
        value_at_close: decimal("10000.1"),
        ..day(1, "m", "2025-10-01", None, "10000")
    };
    let second = CompletedDay {
        starting_value: decimal("10001.10"),
        profit: decimal("1.1001"),
        return_pct: decimal("0.011001000110"),
        days_since_last_trading: 1,
        ending_position: held,
        value_at_open: decimal("10001.10"),
        value_at_close: decimal("10100"),
        ..day(1, "m", "2025-10-02", Some("2025-10-01"), "10000")
    };
    world.project(&[completed(first), completed(second)]).await;
    world
}

#[tokio::test]
async fn a_day_is_shown_in_full_with_exact_numbers() {
    let world = two_days().await;

    let first = world.get("/results?start_date=2025-10-01&reasoning=summary").await;
    let second = world.get("/results?end_date=2025-10-02").await;

    let result = &first.json["results"][0];
    assert_eq!(
        (&first.json["count"], &result["date"], &result["model"]),
        (&json!(1), &json!("2025-10-01"), &json!("m"))
    );
    assert_eq!(result["job_id"], job_id(1).to_string());
    assert_eq!(result["starting_position"]["holdings"], json!([]));
    assert_eq!(result["trades"][0]["action_type"], "buy");
    assert_eq!(result["trades"][0]["created_at"], "2025-10-30T15:00:07.250000Z");
    assert_eq!(result["refused_orders"][0]["code"], "quantity_not_positive");
    assert_eq!(result["metadata"]["total_actions"], 1);
    assert_eq!(result["metadata"]["session_duration_seconds"], 2.0);
    assert_eq!(result["reasoning"], "1 orders filled, 1 refused.");
    for exact in [
        r#""starting_position":{"holdings":[],"cash":10000,"portfolio_value":10000,"portfolio_value_close":10000}"#,
        r#""price":256.4833,"fee":0.0001,"#,
        r#""final_position":{"holdings":[{"symbol":"AAPL","quantity":2}],"cash":9487.0333,"portfolio_value":9999.9999,"portfolio_value_close":10000.1}"#,
    ] {
        assert!(first.text.contains(exact), "{exact} is not in {}", first.text);
    }

    let result = &second.json["results"][0];
    assert_eq!((&result["reasoning"], &result["stale"]), (&json!(null), &json!(false)));
    for exact in [
        r#""daily_metrics":{"profit":1.1001,"return_pct":0.01100100011,"days_since_last_trading":1}"#,
        r#""starting_position":{"holdings":[{"symbol":"AAPL","quantity":2}],"cash":9487.0333,"portfolio_value":10001.1,"portfolio_value_close":10000.1}"#,
    ] {
        assert!(second.text.contains(exact), "{exact} is not in {}", second.text);
    }
}

#[tokio::test]
async fn a_range_is_a_series_for_each_model_at_open_or_close() {
    let world = two_days().await;

    let open = world.get("/results").await;
    let close = world.get("/results?start_date=2025-10-02&end_date=2025-10-30&valuation=close").await;

    let series = &open.json["results"][0];
    assert_eq!((&series["start_date"], &series["end_date"]), (&json!("2025-10-01"), &json!("2025-10-02")));
    assert_eq!(series["period_metrics"]["trading_days"], 2);
    assert_eq!(series["period_metrics"]["calendar_days"], 2);
    assert_eq!(series["period_metrics"]["period_return_pct"], 0.01);
    assert!(open.text.contains(
        r#""daily_portfolio_values":[{"date":"2025-10-01","portfolio_value":9999.9999,"portfolio_value_close":10000.1},{"date":"2025-10-02","portfolio_value":10001.1,"portfolio_value_close":10100}]"#
    ));
    assert!(open.text.contains(r#""starting_portfolio_value":10000,"ending_portfolio_value":10001.1"#));
    assert!(close.text.contains(r#""starting_portfolio_value":10000.1,"ending_portfolio_value":10100"#));
}

#[tokio::test]
async fn of_several_jobs_the_last_revision_is_the_result_and_later_days_are_stale() {
    let world = two_days().await;
    let again =
        CompletedDay { revision: 2, started_at: instant(20), ..day(2, "m", "2025-10-01", None, "9000") };
    world.project(&[completed(again)]).await;

    let winner = world.get("/results?start_date=2025-10-01").await.json;
    let own = world.get(&format!("/results?start_date=2025-10-01&job_id={}", job_id(1))).await.json;
    let range = world.get("/results").await.json;
    let next = world.get("/results?start_date=2025-10-02").await.json;

    assert_eq!(
        (&winner["count"], &winner["results"][0]["job_id"]),
        (&json!(1), &json!(job_id(2).to_string()))
    );
    assert_eq!((&own["count"], &own["results"][0]["job_id"]), (&json!(1), &json!(job_id(1).to_string())));
    assert_eq!((&range["count"], &range["results"][0]["stale_days"]), (&json!(1), &json!(1)));
    assert_eq!(next["results"][0]["stale"], true);
}

#[tokio::test]
async fn invalid_requests_are_refused_with_the_words_of_the_original_api() {
    let world = two_days().await;
    let nothing = "No trading data found for the specified filters";
    let cases = [
        (
            "?date=2025-10-01",
            422,
            "Parameter 'date' has been removed. Use 'start_date' and/or 'end_date' instead.",
        ),
        (
            "?date=&start_date=x",
            422,
            "Parameter 'date' has been removed. Use 'start_date' and/or 'end_date' instead.",
        ),
        ("?reasoning=all&date=x", 422, "query.reasoning: Input should be 'none', 'summary' or 'full'"),
        ("?start_date=2025-10-1", 400, "Invalid date format. Expected YYYY-MM-DD"),
        ("?start_date=", 400, "Invalid date format. Expected YYYY-MM-DD"),
        ("?start_date=2025-10-02&end_date=2025-10-01", 400, "start_date must be <= end_date"),
        ("?end_date=2025-10-31", 400, "Cannot query future dates"),
        ("?start_date=2025-10-06", 404, nothing),
        ("?model=x", 404, nothing),
        ("?job_id=x", 404, nothing),
        ("?experiment=x", 404, nothing),
        ("?trial=1", 404, nothing),
    ];

    for (query, status, detail) in cases {
        let answer = world.get(&format!("/results{query}")).await;

        assert_eq!(
            (answer.status.as_u16(), answer.json["detail"].as_str().unwrap()),
            (status, detail),
            "{query}"
        );
    }
}
