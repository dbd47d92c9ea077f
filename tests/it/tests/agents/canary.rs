//! No decision uses data from after its day's open: another future, of prices or of corporate actions, changes no byte of
//! the requests, trades and positions up to that open.

use it::{Shape, System};
use reqwest::StatusCode;
use serde_json::json;
use standin::chat::{Script, ToolCall};

use crate::stage::{endpoint, models};

/// The day after whose open all prices differ.
const DAY: &str = "2025-10-08";

/// Requests allowed and forbidden prices, and trades.
fn curious() -> Script {
    let look = |symbol: &str, date: &str| {
        ToolCall::new("get_price_local", &json!({ "symbol": symbol, "date": date }))
    };
    let dates = ["2025-10-06", "2025-10-07", "2025-10-08", "2025-10-09", "2025-10-10"];
    vec![
        dates.iter().flat_map(|date| [look("AAPL", date), look("QQQ", date)]).collect(),
        vec![
            ToolCall::new("get_price_history", &json!({ "symbol": "AAPL", "days": 90 })),
            ToolCall::new("get_price_history", &json!({ "symbol": "MSFT", "days": 3 })),
        ],
        vec![
            ToolCall::new("buy", &json!({ "symbol": "AAPL", "amount": 3 })),
            ToolCall::new("buy", &json!({ "symbol": "MSFT", "amount": 100 })),
            ToolCall::new("sell", &json!({ "symbol": "AAPL", "amount": 1 })),
            ToolCall::new("get_position", &json!({})),
        ],
    ]
}

/// The traces of one run.
struct Traces {
    /// Requests up to the day, in the order of days and steps.
    requests: Vec<(String, usize, String)>,
    /// Fills and results up to the day's open.
    results: String,
    /// Values at the close: before the day, and of the day itself.
    closes: [String; 2],
}

/// Corporate actions that both runs know, and those that only one does: all of them are after the day.
const PAST: [(&str, &str); 2] = [
    ("splits", "symbol,date,ratio\nAAPL,2025-10-07,2:1\n"),
    ("dividends", "symbol,date,amount\nMSFT,2025-10-08,0.5\n"),
];
const FUTURE: [(&str, &str); 4] = [
    ("splits", "symbol,date,ratio\nAAPL,2025-10-09,10:1\nNVDA,2025-10-09,3\nMSFT,2025-10-10,1:8\n"),
    ("dividends", "symbol,date,amount\nAAPL,2025-10-09,1\n"),
    ("renames", "symbol,date,new_symbol\nAMZN,2025-10-09,MSFT\n"),
    ("delistings", "symbol,date\nNVDA,2025-10-10\n"),
];

async fn run(change: impl FnOnce(standin::Builder) -> standin::Builder, actions: &[(&str, &str)]) -> Traces {
    let endpoint = endpoint().await;
    endpoint.script("a", "*", curious());
    let policy = |name: &str, policy: &str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\nenabled = true\npolicy = {{ {policy} }}\n"
        )
    };
    let entries = models(&endpoint.base_url(), &["a"], "")
        + &policy("rise", "policy = \"momentum\", lookback = 3, top = 1, rebalance_every = 1")
        + &policy("dice", "policy = \"random\", seed = 7, orders_per_day = 3");
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT", "NVDA", "AMZN"], Some("QQQ"))
        .models(&entries)
        .prices(change)
        .start()
        .await;

    for (kind, file) in actions {
        let (status, response) = system.client.import_prices(&format!("?kind={kind}"), file).await;
        assert_eq!(status, StatusCode::OK, "{response}");
    }
    let job = system.client.trigger(&json!({ "start_date": "2025-10-06", "end_date": "2025-10-10" })).await;
    let status = system.client.ended(&job).await;

    assert_eq!((&status["status"], &status["progress"]["completed"]), (&json!("completed"), &json!(15)));
    let until = |call: &standin::chat::ChatCall| call.date.as_str() <= DAY;
    let mut requests: Vec<_> =
        endpoint.calls().into_iter().filter(until).map(|call| (call.date, call.step, call.text)).collect();
    requests.sort();
    let days = "FROM execution.model_days AS day JOIN execution.portfolios AS p ON p.id = day.portfolio_id";
    let results = format!(
        "SELECT concat_ws(E'\\n',
            (SELECT string_agg(concat_ws(' ', model, trading_date, sequence, side, symbol, quantity, price, fee,
                cash_after, position_after), E'\\n' ORDER BY model, trading_date, sequence)
             FROM execution.fills JOIN execution.portfolios AS p ON p.id = portfolio_id
             WHERE trading_date <= '{DAY}'),
            (SELECT string_agg(concat_ws(' ', model, trading_date, day.state, cash, holdings, value_at_open),
                E'\\n' ORDER BY model, trading_date)
             {days} WHERE trading_date <= '{DAY}'))"
    );
    let close = |which: &str| {
        format!(
            "SELECT string_agg(concat_ws(' ', model, trading_date, value_at_close), E'\\n' ORDER BY model, trading_date)
             {days} WHERE trading_date {which} '{DAY}'"
        )
    };
    Traces {
        requests,
        results: system.database.text(&results).await,
        closes: [system.database.text(&close("<")).await, system.database.text(&close("=")).await],
    }
}

#[tokio::test]
async fn another_future_after_a_days_open_changes_no_byte_up_to_it() {
    let real = run(|prices| prices, &PAST).await;
    let actions = [PAST.as_slice(), &FUTURE].concat();
    let other = run(|prices| prices.poisoned_after_open(DAY.parse().unwrap()), &actions).await;

    assert_eq!(real.requests.len(), 3 * 4, "three days of four requests");
    for (real, other) in real.requests.iter().zip(&other.requests) {
        assert!(real == other, "{} step {}: {} and {}", real.0, real.1, real.2, other.2);
    }
    assert_eq!(real.requests.len(), other.requests.len());
    let told =
        |date: &str| real.requests.iter().any(|(of, _, text)| of == date && text.contains("was split 2:1"));
    assert!(told("2025-10-07") && !told("2025-10-06"), "the split is told on its day");
    assert_eq!(real.results, other.results);
    assert_eq!(real.closes[0], other.closes[0]);
    assert_ne!(real.closes[1], other.closes[1], "the futures do differ");
}
