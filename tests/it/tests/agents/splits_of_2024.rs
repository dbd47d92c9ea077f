//! The splits of NVDA (10:1 on 2024-06-10) and AVGO (10:1 on 2024-07-15): what every model decides and comes to is the
//! same as on prices that never split.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDate, Weekday};
use it::{Shape, System};
use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, ToolCall};

use crate::stage::{endpoint, models};

const SPLITS: [(&str, &str); 2] = [("NVDA", "2024-06-10"), ("AVGO", "2024-07-15")];
/// Symbols with the prices that they begin with, and how much a session adds to them.
const SYMBOLS: [(&str, i64, &str); 4] =
    [("NVDA", 1_200, "12"), ("AVGO", 1_600, "16"), ("AMD", 160, "0.1"), ("MSFT", 400, "0.4")];
const FIRST: &str = "2024-06-03";
const LAST: &str = "2024-07-19";

/// The sessions of the exchange from 2024-05-20 to `last`.
fn sessions(last: &str) -> Vec<String> {
    const CLOSED: [&str; 3] = ["2024-05-27", "2024-06-19", "2024-07-04"];
    let first = NaiveDate::from_ymd_opt(2024, 5, 20).unwrap();
    let days = first.iter_days().take_while(|day| day.to_string().as_str() <= last);
    let weekdays = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    weekdays.map(|day| day.to_string()).filter(|day| !CLOSED.contains(&day.as_str())).collect()
}

/// How many shares of `symbol` on `date` are one share of before the splits.
fn shares(symbol: &str, date: &str, is_split: bool) -> i64 {
    let has_split = is_split && SPLITS.iter().any(|(split, ex_date)| *split == symbol && *ex_date <= date);
    if has_split { 10 } else { 1 }
}

/// Daily bars from two weeks before the first day on.
fn bars(is_split: bool) -> String {
    let sessions = sessions(LAST);
    let mut text = "symbol,date,open,high,low,close,volume\n".to_owned();
    for (symbol, first, step) in SYMBOLS {
        let step: Decimal = step.parse().unwrap();
        for (count, date) in (0_i64..).zip(&sessions) {
            let shares = shares(symbol, date, is_split);
            let open = Decimal::from(first) + step * Decimal::from(count);
            let price = |add: Decimal| (open + add) / Decimal::from(shares);
            let (open, close) = (price(Decimal::ZERO), price(step / Decimal::TWO));
            let (high, low) = (price(step), price(-step));
            writeln!(text, "{symbol},{date},{open},{high},{low},{close},{}", shares * 1_000_000).unwrap();
        }
    }
    text
}

struct Run {
    system: System,
    endpoint: ChatEndpoint,
    leaderboard: Value,
}

async fn run(is_split: bool) -> Run {
    let endpoint = endpoint().await;
    let look = vec![
        ToolCall::new("get_price_history", &json!({ "symbol": "NVDA", "days": 20 })),
        ToolCall::new("get_price_history", &json!({ "symbol": "AVGO", "days": 20 })),
        ToolCall::new("get_price_local", &json!({ "symbol": "NVDA", "date": "2024-05-31" })),
    ];
    let buy = |symbol: &str| ToolCall::new("buy", &json!({ "symbol": symbol, "amount": 2 }));
    endpoint.script("a", "*", vec![look.clone()]);
    endpoint.script("a", FIRST, vec![look, vec![buy("NVDA"), buy("AVGO")]]);
    // Of 10,464 dollars a half buys four shares of NVDA and three of AVGO, and no cash is left.
    let policy = |name: &str, policy: &str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\nenabled = true\ninitial_cash = 10464\n\
             policy = {{ {policy} }}\n"
        )
    };
    let entries = models(&endpoint.base_url(), &["a"], "")
        + &policy("rise", "policy = \"momentum\", lookback = 5, top = 2, rebalance_every = 1")
        + &policy("equal", "policy = \"equal_weight\"")
        + &policy("hold", "policy = \"buy_and_hold\", symbol = \"NVDA\"");
    let system = System::builder(Shape::OneProcess)
        .universe(&SYMBOLS.map(|(symbol, ..)| symbol), Some("NVDA"))
        .models(&entries)
        .start()
        .await;
    let (status, response) = system.client.import_prices("", &bars(is_split)).await;
    assert_eq!(status, StatusCode::OK, "{response}");
    if is_split {
        let rows: String = SPLITS.iter().map(|(symbol, date)| format!("{symbol},{date},10:1\n")).collect();
        let file = format!("symbol,date,ratio\n{rows}");
        let (status, response) = system.client.import_prices("?kind=splits", &file).await;
        assert_eq!(status, StatusCode::OK, "{response}");
    }
    let job = system.client.trigger(&json!({ "start_date": FIRST, "end_date": LAST })).await;
    let ended = system.client.ended(&job).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let leaderboard = system.client.get_ok(&format!("/leaderboard?job_id={job}")).await;
    Run { system, endpoint, leaderboard }
}

/// Date, close and volume of bars.
type ShownBars = Vec<(String, Decimal, Decimal)>;

/// The bars that the agent was shown, by date of the request and symbol, in the shares of before the splits.
fn shown(run: &Run, is_split: bool) -> BTreeMap<(String, String), ShownBars> {
    let mut shown = BTreeMap::new();
    for call in run.endpoint.calls() {
        let messages = call.body["messages"].as_array().unwrap();
        for message in messages.iter().filter(|message| message["role"] == "tool") {
            let result: Value = serde_json::from_str(message["content"].as_str().unwrap()).unwrap();
            let Some(bars) = result["bars"].as_array() else { continue };
            let symbol = result["symbol"].as_str().unwrap();
            let shares = Decimal::from(shares(symbol, &call.date, is_split));
            let number = |value: &Value| value.to_string().parse::<Decimal>().unwrap();
            let unsplit = |bar: &Value| {
                let close = (number(&bar["close"]) * shares).normalize();
                (
                    bar["date"].as_str().unwrap().to_owned(),
                    close,
                    (number(&bar["volume"]) / shares).normalize(),
                )
            };
            shown.insert((call.date.clone(), symbol.to_owned()), bars.iter().map(unsplit).collect());
        }
    }
    shown
}

/// Numbers that differ by more than a rounding error, with their paths.
fn differences(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{path}");
            for (name, value) in one {
                differences(&format!("{path}.{name}"), value, &other[name], found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "{path}");
            for (place, (one, other)) in one.iter().zip(other).enumerate() {
                differences(&format!("{path}[{place}]"), one, other, found);
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            if (a - b).abs() > 1e-9 * a.abs().max(1.0) {
                found.push(format!("{path}: {a} and {b}"));
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push(format!("{path}: {one} and {other}")),
    }
}

async fn holdings(system: &System, model: &str) -> BTreeMap<String, i64> {
    let results = system.client.get_ok(&format!("/results?model={model}&start_date={LAST}")).await;
    let held = results["results"][0]["final_position"]["holdings"].as_array().unwrap().clone();
    held.iter()
        .map(|held| (held["symbol"].as_str().unwrap().to_owned(), held["quantity"].as_i64().unwrap()))
        .collect()
}

#[tokio::test]
async fn every_model_and_benchmark_comes_to_the_same_as_on_prices_that_never_split() {
    let (split, never) = tokio::join!(run(true), run(false));

    let mut found = Vec::new();
    // Amounts of tokens differ with the prompts, which tell the splits.
    let without_usage = |leaderboard: &Value| {
        let mut leaderboard = leaderboard.clone();
        for row in leaderboard["rows"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("usage");
        }
        leaderboard
    };
    differences("", &without_usage(&split.leaderboard), &without_usage(&never.leaderboard), &mut found);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(split.leaderboard["count"], 6, "four models and two benchmarks: {}", split.leaderboard);
    let (shown_split, shown_never) = (shown(&split, true), shown(&never, false));
    assert_eq!(shown_split, shown_never);
    assert!(shown_split.len() >= 2 * 30, "{}", shown_split.len());
    for model in ["a", "rise", "equal", "hold"] {
        let scaled: BTreeMap<String, i64> = holdings(&never.system, model)
            .await
            .into_iter()
            .map(|(symbol, quantity)| {
                let shares = shares(&symbol, LAST, true);
                (symbol, quantity * shares)
            })
            .collect();
        assert_eq!(holdings(&split.system, model).await, scaled, "{model}");
    }
    assert_eq!(
        holdings(&split.system, "rise").await,
        [("AVGO".to_owned(), 30), ("NVDA".to_owned(), 40)].into()
    );
}
