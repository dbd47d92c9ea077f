//! The leaderboard's figures of a portfolio with known values, compared with a reference implementation.

use it::{Shape, System};
use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../../crates/domain/testdata/metrics.json");
const MODELS: &str = "[[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"HOLD\" }\n";
const SESSIONS_PER_YEAR: f64 = 252.0;

/// The name in the leaderboard, and in the reference.
const FIGURES: [(&str, &str); 8] = [
    ("return", "total_return"),
    ("annual_return", "annual_return_252"),
    ("volatility", "annual_volatility"),
    ("sharpe", "sharpe"),
    ("sortino", "sortino"),
    ("max_drawdown", "max_drawdown"),
    ("calmar", "calmar"),
    ("win_rate", "win_rate_all_days"),
];

/// A month and a year whose values begin with 10,000.
const CASES: [&str; 2] = ["oct2025_10k", "walk_252"];

#[tokio::test]
async fn a_hundred_shares_held_have_the_figures_of_the_reference() {
    let system =
        System::builder(Shape::OneProcess).universe(&["HOLD"], Some("FUND")).models(MODELS).start().await;
    for name in CASES {
        let cases: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        let case = cases.into_iter().find(|case| case["name"] == name).unwrap();
        let (status, response) = system.client.import_prices("", &prices(&case)).await;
        assert_eq!(status, StatusCode::OK, "{response}");
        let (first, last) =
            (text(&case["dates"][1]), text(case["dates"].as_array().unwrap().last().unwrap()));
        let job = json!({ "start_date": first, "end_date": last, "experiment": name });
        let ended = system.client.ended(&system.client.trigger(&job).await).await;
        assert_eq!(ended["status"], "completed", "{ended}");

        let daily = case["with_risk_free"]["daily"].as_f64().unwrap();
        let range = format!("/leaderboard?experiment={name}&start_date={first}&end_date={last}");
        let board = system.client.get_ok(&range).await;
        let less = system.client.get_ok(&format!("{range}&risk_free={daily}")).await;

        let row = row(&board, "hold");
        for (ours, theirs) in FIGURES {
            assert_close(name, ours, &row[ours], number(&case["expected"][theirs]));
        }
        assert_close(
            name,
            "sharpe",
            &self::row(&less, "hold")["sharpe"],
            number(&case["with_risk_free"]["sharpe"]),
        );
        let (equity, fund) = (values(&case["equity"]), held(&case["benchmark"]));
        assert_close(name, "turnover", &row["turnover"], equity[0] / mean(&equity));
        assert_eq!((&row["trades"], &board["benchmark"]), (&json!(1), &json!("FUND")));
        let against = Against::of(&returns(&equity), &returns(&fund));
        assert_close(name, "alpha", &row["alpha"], against.alpha);
        assert_close(name, "beta", &row["beta"], against.beta);
        assert_close(name, "information_ratio", &row["information_ratio"], against.information_ratio);
        let fund_return = fund.last().unwrap() / fund[0] - 1.0;
        assert_close(name, "return of the fund", &self::row(&board, "FUND")["return"], fund_return);
    }
    assert!(system.prices.calls().is_empty(), "everything was imported");
}

/// Bars for which a hundred shares, bought at the first open, have the case's value at each close.
fn prices(case: &Value) -> String {
    let mut file = "symbol,date,open,high,low,close,volume\n".to_owned();
    for (symbol, values) in [("HOLD", &case["equity"]), ("FUND", &case["benchmark"])] {
        let price = |value: &Value| text(value).parse::<Decimal>().unwrap() / Decimal::ONE_HUNDRED;
        let prices: Vec<Decimal> = values.as_array().unwrap().iter().map(price).collect();
        for (date, pair) in case["dates"].as_array().unwrap()[1..].iter().zip(prices.windows(2)) {
            let (open, close) = (pair[0], pair[1]);
            let (high, low) = (open.max(close), open.min(close));
            file += &format!("{symbol},{},{open},{high},{low},{close},1000\n", text(date));
        }
    }
    file
}

/// The values of the fund, which is bought at the first close, so the first return is zero.
fn held(benchmark: &Value) -> Vec<f64> {
    let mut values = values(benchmark);
    values[0] = values[1];
    values
}

/// Figures against a benchmark, by their textbook definitions.
struct Against {
    alpha: f64,
    beta: f64,
    information_ratio: f64,
}

impl Against {
    fn of(own: &[f64], fund: &[f64]) -> Self {
        let (mean_own, mean_fund) = (mean(own), mean(fund));
        let products: Vec<f64> =
            own.iter().zip(fund).map(|(r, b)| (r - mean_own) * (b - mean_fund)).collect();
        let squares: Vec<f64> = fund.iter().map(|b| (b - mean_fund).powi(2)).collect();
        let beta = products.iter().sum::<f64>() / squares.iter().sum::<f64>();
        let alpha = (1.0 + mean_own - beta * mean_fund).powf(SESSIONS_PER_YEAR) - 1.0;
        let excess: Vec<f64> = own.iter().zip(fund).map(|(r, b)| r - b).collect();
        let deviations: f64 = excess.iter().map(|x| (x - mean(&excess)).powi(2)).sum();
        let deviation = (deviations / (excess.len() as f64 - 1.0)).sqrt();
        Self { alpha, beta, information_ratio: mean(&excess) / deviation * SESSIONS_PER_YEAR.sqrt() }
    }
}

fn returns(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn values(texts: &Value) -> Vec<f64> {
    texts.as_array().unwrap().iter().map(|value| text(value).parse().unwrap()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn row<'a>(board: &'a Value, model: &str) -> &'a Value {
    board["rows"].as_array().unwrap().iter().find(|row| row["model"] == model).unwrap()
}

/// To 1e-9, absolutely or relatively.
#[track_caller]
fn assert_close(case: &str, name: &str, actual: &Value, expected: f64) {
    let shown = actual.as_f64().unwrap_or_else(|| panic!("{name} of {case} is {actual}"));
    let tolerance = 1e-9_f64.max(expected.abs() * 1e-9);
    assert!((shown - expected).abs() <= tolerance, "{name} of {case}: {shown} is not {expected}");
}
