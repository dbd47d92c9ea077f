//! Corporate actions in what policies see, in benchmarks and in holdings; holdings without prices.

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDate, Weekday};
use it::{Shape, System};
use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) fn policy(name: &str, policy: &str) -> String {
    format!(
        "[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\nenabled = true\ninitial_cash = 10000\n\
         policy = {{ {policy} }}\n"
    )
}

pub(crate) fn hold(name: &str, symbol: &str) -> String {
    policy(name, &format!("policy = \"buy_and_hold\", symbol = \"{symbol}\""))
}

/// The sessions of the exchange from 2024-05-20 to `last`.
fn sessions(last: &str) -> Vec<String> {
    const CLOSED: [&str; 3] = ["2024-05-27", "2024-06-19", "2024-07-04"];
    let first = NaiveDate::from_ymd_opt(2024, 5, 20).unwrap();
    let days = first.iter_days().take_while(|day| day.to_string().as_str() <= last);
    let weekdays = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    weekdays.map(|day| day.to_string()).filter(|day| !CLOSED.contains(&day.as_str())).collect()
}

/// Bars of May and June 2024 whose four prices are `price` of the session's number and date; `None` is no bar.
pub(crate) fn bars(symbol: &str, price: impl Fn(i64, &str) -> Option<Decimal>) -> String {
    let mut rows = String::new();
    for (count, date) in (0_i64..).zip(sessions("2024-06-28")) {
        if let Some(price) = price(count, &date) {
            writeln!(rows, "{symbol},{date},{price},{price},{price},{price},1000").unwrap();
        }
    }
    rows
}

pub(crate) fn dollars(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) async fn import(system: &System, kind: &str, columns: &str, rows: &str) {
    let (status, response) =
        system.client.import_prices(&format!("?kind={kind}"), &format!("{columns}\n{rows}")).await;
    assert_eq!(status, StatusCode::OK, "{response}");
}

pub(crate) async fn import_bars(system: &System, rows: &[String]) {
    import(system, "bars", "symbol,date,open,high,low,close,volume", &rows.concat()).await;
}

pub(crate) async fn run(system: &System, start: &str, options: Value) -> Value {
    let mut request = json!({ "start_date": start, "end_date": "2024-06-28" });
    request.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let job = system.client.trigger(&request).await;
    let ended = system.client.ended(&job).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    ended
}

async fn day(system: &System, model: &str, date: &str) -> Value {
    let results = system.client.get_ok(&format!("/results?model={model}&start_date={date}")).await;
    results["results"][0].clone()
}

/// The row of a model or a benchmark.
fn row<'a>(leaderboard: &'a Value, name: &str) -> &'a Value {
    let rows = leaderboard["rows"].as_array().unwrap();
    rows.iter().find(|row| row["model"] == name).unwrap_or_else(|| panic!("{leaderboard}"))
}

#[tokio::test]
async fn momentum_and_benchmarks_go_through_splits_and_dividends_as_holders_do() {
    let rise = "policy = \"momentum\", lookback = 5, top = 1, rebalance_every = 1";
    let models = policy("rise", rise) + &hold("hold", "BMK");
    let system = System::builder(Shape::OneProcess)
        .universe(&["SPLT", "RISE"], Some("BMK"))
        .models(&models)
        .start()
        .await;
    let is_after = |date: &str, ex_date: &str| date >= ex_date;
    let splt = bars("SPLT", |count, date| {
        let whole = Decimal::from(100 + count);
        Some(if is_after(date, "2024-06-10") { whole / Decimal::TEN } else { whole })
    });
    let rise = bars("RISE", |count, _| Some(dollars("50") + dollars("0.1") * Decimal::from(count)));
    let bmk = bars("BMK", |_, date| {
        Some(match date {
            date if is_after(date, "2024-06-20") => dollars("99"),
            date if is_after(date, "2024-06-10") => dollars("100"),
            _ => dollars("200"),
        })
    });
    import_bars(&system, &[splt, rise, bmk]).await;
    import(&system, "splits", "symbol,date,ratio", "SPLT,2024-06-10,10:1\nBMK,2024-06-10,2:1\n").await;
    import(&system, "dividend", "symbol,date,amount", "BMK,2024-06-20,1.00\n").await;

    run(&system, "2024-06-03", json!({})).await;

    let trades = system.client.get_ok("/trades?model=rise").await;
    let others: Vec<&Value> =
        trades["trades"].as_array().unwrap().iter().filter(|trade| trade["symbol"] != "SPLT").collect();
    assert!(others.is_empty(), "the strongest on all days is held on all of them: {others:?}");
    let board = system.client.get_ok("/leaderboard").await;
    assert_eq!(row(&board, "hold")["return_pct"], json!(0), "{board}");
    assert_eq!(row(&board, "BMK")["return_pct"], json!(0), "{board}");
    assert_eq!(row(&board, "BMK")["price_only"]["return_pct"], json!(-1), "{board}");
    assert!(row(&board, "equal weight")["return"].as_f64().unwrap() > 0.05, "{board}");
    let price_only = system.client.get_ok("/leaderboard?price_only=true").await;
    assert_eq!(row(&price_only, "BMK")["return_pct"], json!(-1), "{price_only}");
    let reinvested = system.client.get_ok("/leaderboard?reinvest=true").await;
    assert_eq!(row(&reinvested, "BMK")["return_pct"], json!(0), "{reinvested}");
}

#[tokio::test]
async fn a_split_that_is_imported_later_makes_days_stale_that_looked_at_prices_before_it() {
    let rise = "policy = \"momentum\", lookback = 5, top = 1, rebalance_every = 1";
    let system = System::builder(Shape::OneProcess)
        .universe(&["SPLT", "RISE"], None)
        .models(&(policy("rise", rise) + &hold("hold", "RISE")))
        .start()
        .await;
    // SPLT is never held: even in the shares of the day it falls.
    let splt = bars("SPLT", |count, date| {
        let whole = Decimal::from(200 - count);
        Some(if date >= "2024-06-10" { whole / Decimal::TEN } else { whole })
    });
    let rise = bars("RISE", |count, _| Some(Decimal::from(50 + count)));
    import_bars(&system, &[splt, rise]).await;
    run(&system, "2024-06-03", json!({})).await;

    import(&system, "splits", "symbol,date,ratio", "SPLT,2024-06-10,10:1\n").await;

    let stale = |model: &str, date: &str| {
        let (system, model, date) = (&system, model.to_owned(), date.to_owned());
        async move { day(system, &model, &date).await["stale"].clone() }
    };
    assert_eq!(stale("rise", "2024-06-07").await, json!(false), "before the split");
    assert_eq!(stale("rise", "2024-06-10").await, json!(true), "it looked at prices before the split");
    assert_eq!(stale("hold", "2024-06-10").await, json!(false), "it never looked at SPLT");
}

#[tokio::test]
async fn what_becomes_of_a_holding_is_imported_and_one_without_prices_is_told() {
    let models = hold("gone", "GONE") + &hold("parent", "PARN");
    let system = System::builder(Shape::OneProcess)
        .universe(&["PARN", "RISE"], Some("GONE"))
        .models(&models)
        .start()
        .await;
    let gone = bars("GONE", |_, date| (date <= "2024-06-12").then(|| dollars("50")));
    let parn = bars("PARN", |_, date| Some(dollars(if date < "2024-06-13" { "100" } else { "80" })));
    let chld = bars("CHLD", |_, date| (date >= "2024-06-13").then(|| dollars("20")));
    let rise = bars("RISE", |count, _| Some(Decimal::from(50 + count)));
    import_bars(&system, &[gone, parn, chld, rise]).await;

    let before = run(&system, "2024-06-03", json!({})).await;

    let warnings = before["warning_details"].as_array().unwrap();
    let unpriced: Vec<&Value> =
        warnings.iter().filter(|warning| warning["code"] == "HELD_WITHOUT_PRICES").collect();
    assert_eq!(unpriced.len(), 1, "{before}");
    assert_eq!(unpriced[0]["symbols"], json!(["GONE"]), "{before}");
    let held = json!([{ "symbol": "GONE", "quantity": 200, "stale": true, "price_date": "2024-06-12" }]);
    assert_eq!(day(&system, "gone", "2024-06-28").await["final_position"]["holdings"], held);
    let priced = json!([{ "symbol": "GONE", "quantity": 200 }]);
    assert_eq!(day(&system, "gone", "2024-06-12").await["final_position"]["holdings"], priced);
    let board = system.client.get_ok("/leaderboard").await;
    let stale = json!([{ "symbol": "GONE", "price_date": "2024-06-12" }]);
    assert_eq!((&row(&board, "gone")["stale"], &row(&board, "parent")["stale"]), (&stale, &Value::Null));
    let positions =
        system.client.get_ok("/positions?model=gone&start_date=2024-06-28&end_date=2024-06-28").await;
    let position = &positions["positions"][1];
    assert_eq!(
        (&position["stale"], &position["price_date"], &position["value"]),
        (&json!(true), &json!("2024-06-12"), &json!(10_000))
    );
    assert_eq!(row(&board, "parent")["final_value"], json!(8_000), "nothing of the spin-off is known yet");

    import(&system, "delistings", "symbol,date,amount", "GONE,2024-06-13,54.20\n").await;
    import(&system, "spinoffs", "symbol,date,ratio,new_symbol", "PARN,2024-06-13,1:2,CHLD\n").await;
    let after = run(&system, "2024-06-03", json!({ "reprocess_stale": true })).await;

    assert!(!after["warnings"].to_string().contains("HELD_WITHOUT"), "{after}");
    let paid = day(&system, "gone", "2024-06-13").await;
    assert_eq!(
        paid["corporate_actions"],
        json!([{ "action_type": "delisting", "symbol": "GONE", "ratio": null, "per_share": 54.2,
            "shares_before": 200, "shares_after": 0, "cash": 10_840 }])
    );
    assert_eq!(paid["final_position"]["cash"], json!(10_840), "{paid}");
    let spun_off = day(&system, "parent", "2024-06-28").await;
    assert_eq!(
        spun_off["final_position"]["holdings"],
        json!([{ "symbol": "CHLD", "quantity": 50 }, { "symbol": "PARN", "quantity": 100 }])
    );
    assert_eq!(spun_off["final_position"]["portfolio_value"], json!(9_000), "{spun_off}");
    let board = system.client.get_ok("/leaderboard").await;
    assert_eq!(row(&board, "GONE")["return_pct"], json!(8.4), "the benchmark is paid out too: {board}");
    assert_eq!(row(&board, "gone")["return_pct"], json!(8.4), "{board}");
}
