//! `GET /results` for one day, and its refusals.

use serde_json::{Value, json};

use crate::stage::{Api, Response, assert_has, assert_instant, first_days, recorded};

/// The one result of a day.
fn only(response: &Response) -> &Value {
    assert_eq!((response.status, &response.body["count"]), (200, &json!(1)), "{}", response.text);
    &response.body["results"][0]
}

#[tokio::test]
async fn a_day_has_its_first_position_its_trades_and_its_final_position() {
    let api = Api::of(recorded()).await;
    let status = api.run(&first_days()).await;
    assert_eq!(status["status"], "completed", "{status}");

    let first = api.get("/results?start_date=2025-10-01&end_date=2025-10-01&model=trader").await;
    let second = api.get("/results?start_date=2025-10-02&model=trader").await;
    let monday = api.get("/results?end_date=2025-10-06&model=trader").await;

    let day = only(&first);
    assert_has(
        day,
        &json!({ "date": "2025-10-01", "model": "trader", "job_id": status["job_id"], "reasoning": null }),
    );
    assert_has(
        &day["starting_position"],
        &json!({ "holdings": [], "cash": 10000, "portfolio_value": 10000 }),
    );
    assert_eq!(day["daily_metrics"], json!({ "profit": 0, "return_pct": 0, "days_since_last_trading": 0 }));
    assert_has(
        &day["final_position"],
        &json!({ "holdings": [{ "symbol": "AAPL", "quantity": 10 }], "cash": 7449.6, "portfolio_value": 10000, "portfolio_value_close": 10004.1 }),
    );

    let day = only(&second);
    assert_has(
        &day["starting_position"],
        &json!({ "holdings": [{ "symbol": "AAPL", "quantity": 10 }], "cash": 7449.6, "portfolio_value": 10015.35, "portfolio_value_close": 10004.1 }),
    );
    assert_eq!(
        day["daily_metrics"],
        json!({ "profit": 15.35, "return_pct": 0.1535, "days_since_last_trading": 1 })
    );
    assert_has(
        &day["final_position"],
        &json!({ "holdings": [{ "symbol": "AAPL", "quantity": 6 }, { "symbol": "MSFT", "quantity": 5 }], "cash": 5887.7, "portfolio_value": 10015.35, "portfolio_value_close": 10009.18 }),
    );
    let trades = day["trades"].as_array().unwrap();
    assert_eq!(trades.len(), 2);
    assert_has(
        &trades[0],
        &json!({ "action_type": "buy", "symbol": "MSFT", "quantity": 5, "price": 517.64 }),
    );
    assert_has(
        &trades[1],
        &json!({ "action_type": "sell", "symbol": "AAPL", "quantity": 4, "price": 256.575 }),
    );
    assert_instant(&trades[0]["created_at"]);
    assert_eq!(day["metadata"]["total_actions"], 2);
    assert!(day["metadata"]["session_duration_seconds"].is_number(), "{day}");
    assert_instant(&day["metadata"]["completed_at"]);

    let day = only(&monday);
    assert_has(&day["daily_metrics"], &json!({ "profit": 27.5, "days_since_last_trading": 3 }));
    assert_eq!(
        (&day["trades"], &day["metadata"]["total_actions"]),
        (&json!([]), &json!(0)),
        "a refused order is no trade"
    );
    assert_has(
        &day["refused_orders"][0],
        &json!({ "action_type": "buy", "symbol": "MSFT", "code": "insufficient_cash" }),
    );
    for response in [&first, &second, &monday] {
        assert!(
            !response.text.contains("99999") && !response.text.contains("00000001"),
            "a binary float: {}",
            response.text
        );
        for field in ["deployment_mode", "is_dev_mode", "preserve_dev_data"] {
            assert!(response.body.get(field).is_none(), "results carry no trailer");
        }
    }
}

#[tokio::test]
async fn a_day_of_all_models_is_ordered_by_model_and_filters_narrow_it() {
    let api = Api::of(recorded()).await;
    let status = api.run(&first_days()).await;
    let job = status["job_id"].as_str().unwrap();

    let all = api.get("/results?start_date=2025-10-03").await;
    let of_job = api.get(&format!("/results?start_date=2025-10-03&job_id={job}&model=idle")).await;

    let models: Vec<_> = all.body["results"].as_array().unwrap().iter().map(|day| &day["model"]).collect();
    assert_eq!((&all.body["count"], models), (&json!(2), vec![&json!("idle"), &json!("trader")]));
    assert_eq!(only(&of_job)["model"], "idle");
}

#[tokio::test]
async fn a_day_that_two_jobs_ran_is_shown_once() {
    let api = Api::of(recorded()).await;
    api.run(&first_days()).await;
    let replace = json!({ "start_date": "2025-10-06", "end_date": "2025-10-06", "models": ["trader"], "replace_existing": true });
    let second = api.run(&replace).await;

    let day = api.get("/results?start_date=2025-10-06&model=trader").await;
    let range = api.get("/results?start_date=2025-10-01&end_date=2025-10-06&model=trader").await;

    assert_eq!(only(&day)["job_id"], second["job_id"], "the later result wins");
    assert_eq!(range.body["results"][0]["period_metrics"]["trading_days"], 4);
}

#[tokio::test]
async fn the_results_of_a_job_without_dates_are_those_of_its_dates() {
    let api = Api::of(recorded()).await;
    let job = api.run(&first_days()).await["job_id"].as_str().unwrap().to_owned();

    let range = api.get(&format!("/results?job_id={job}&model=trader")).await;

    let series = only(&range);
    assert_eq!((&series["start_date"], &series["end_date"]), (&json!("2025-10-01"), &json!("2025-10-06")));
    let unknown = api.get("/results?job_id=01a22926-cadd-77d6-a23f-77851c18e30d").await;
    assert_eq!(unknown.refusal(), (404, "No trading data found for the specified filters"));
}

#[tokio::test]
async fn reasoning_comes_in_three_sizes() {
    let api = Api::of(recorded()).await;
    api.run(&first_days()).await;
    let reasoning = async |query: &str| {
        let response = api.get(&format!("/results?start_date=2025-10-02&model=trader{query}")).await;
        only(&response)["reasoning"].clone()
    };

    assert_eq!(reasoning("").await, Value::Null);
    assert_eq!(reasoning("&reasoning=none").await, Value::Null);
    assert_eq!(reasoning("&reasoning=summary").await, json!("2 orders filled."));
    assert_eq!(reasoning("&reasoning=full").await, json!([]), "a recorded model gives no reasoning");
    let idle = api.get("/results?start_date=2025-10-02&model=idle&reasoning=summary").await;
    assert_eq!(only(&idle)["reasoning"], "No trading activity recorded.");
}

#[tokio::test]
async fn queries_are_refused_in_the_words_of_the_original() {
    let api = Api::of(recorded()).await;
    api.run(&first_days()).await;
    let format = (400, "Invalid date format. Expected YYYY-MM-DD");
    let nothing = (404, "No trading data found for the specified filters");
    let removed = "Parameter 'date' has been removed. Use 'start_date' and/or 'end_date' instead.";

    for (query, expected) in [
        ("?start_date=2025-10-6", format),
        ("?start_date=", format),
        ("?start_date=2025-10-01&end_date=2025-02-30", format),
        ("?end_date=tomorrow", format),
        ("?start_date=2025-10-02&end_date=2025-10-01", (400, "start_date must be <= end_date")),
        ("?start_date=2025-10-31", (400, "Cannot query future dates")),
        ("?start_date=2025-10-01&end_date=2025-10-31", (400, "Cannot query future dates")),
        ("?start_date=2025-10-04", nothing),
        ("?model=gpt-6", nothing),
        ("?job_id=nonsense", nothing),
        ("?job_id=018f3b1e-7b7a-7000-8000-0123456789ab", nothing),
        ("?date=2025-10-01", (422, removed)),
        ("?date=2025-10-01&start_date=nonsense", (422, removed)),
        ("?reasoning=all", (422, "query.reasoning: Input should be 'none', 'summary' or 'full'")),
    ] {
        let response = api.get(&format!("/results{query}")).await;

        assert_eq!(response.refusal(), expected, "{query}");
        assert_eq!(response.headers["content-type"], "application/problem+json");
        assert_eq!(response.body["instance"], "/results");
    }
    let reasoning = api.get("/results?reasoning=all").await;
    let error = json!([{ "type": "literal_error", "loc": ["query", "reasoning"],
        "msg": "Input should be 'none', 'summary' or 'full'", "input": "all" }]);
    assert_eq!(reasoning.body["errors"], error);
}
