//! The sample job: the published leaderboard, to the cent.

use std::collections::BTreeMap;

use it::{Client, Shape, System};
use serde_json::{Value, json};

/// The published leaderboard, in percent.
const PUBLISHED: [(&str, &str); 7] = [
    ("deepseek-chat-v3.1", "+16.46"),
    ("MiniMax-M2", "+12.03"),
    ("gpt-5", "+9.98"),
    ("claude-3.7-sonnet", "+9.80"),
    ("qwen3-max", "+7.96"),
    ("QQQ", "+5.39"),
    ("gemini-2.5-flash", "+0.48"),
];

const RANGE: &str = "start_date=2025-10-01&end_date=2025-10-29";

fn sample() -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })
}

#[tokio::test]
async fn the_sample_job_gives_the_published_leaderboard_in_one_process() {
    the_sample_job_gives_the_published_leaderboard(Shape::OneProcess).await;
}

#[tokio::test]
async fn the_sample_job_gives_the_published_leaderboard_in_four_processes() {
    the_sample_job_gives_the_published_leaderboard(Shape::FourProcesses).await;
}

async fn the_sample_job_gives_the_published_leaderboard(shape: Shape) {
    let system = System::builder(shape).start().await;

    let job = system.client.trigger(&sample()).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["total_model_days"], 126);
    assert_eq!(status["progress"]["completed"], 126);
    let returns = system.client.returns(RANGE).await;
    for (model, published) in PUBLISHED {
        assert_eq!(returns.get(model).map(String::as_str), Some(published), "{model} of {returns:?}");
    }
    portfolios_are_the_recorded_ones(&system.client).await;
    assert_eq!(fills_and_refusals(&system).await, (306, 5));

    let calls = system.prices.calls().len();
    let again = system.client.trigger(&sample()).await;
    let status = system.client.ended(&again).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 0, "nothing is executed twice");
    assert_eq!(status["progress"]["skipped"], 126);
    assert_eq!(system.prices.calls().len(), calls, "nothing is downloaded twice");
    assert_eq!(system.client.returns(RANGE).await, returns);
}

/// Cash, holdings and value at the close of every recorded day.
pub(crate) async fn portfolios_are_the_recorded_ones(client: &Client) {
    let recorded = recorded_portfolios();
    assert_eq!(recorded.len(), 120);
    let mut by_date: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for ((date, model), expected) in recorded {
        if !by_date.contains_key(&date) {
            let answer = client.get_ok(&format!("/results?start_date={date}&end_date={date}")).await;
            let results = answer["results"].as_array().expect("results").clone();
            let by_model =
                results.into_iter().map(|row| (row["model"].as_str().expect("a model").to_owned(), row));
            by_date.insert(date.clone(), by_model.collect());
        }
        let actual = by_date[&date].get(&model).unwrap_or_else(|| panic!("no result of {model} on {date}"));
        assert_eq!(summary(&actual["final_position"]), expected, "{model} on {date}");
    }
}

fn summary(position: &Value) -> (String, BTreeMap<String, i64>, String) {
    let holdings = position["holdings"].as_array().expect("holdings").iter();
    let holdings = holdings.map(|holding| {
        (
            holding["symbol"].as_str().expect("a symbol").to_owned(),
            holding["quantity"].as_i64().expect("a quantity"),
        )
    });
    (number(&position["cash"]), holdings.collect(), number(&position["portfolio_value_close"]))
}

/// A JSON number as it was written, without trailing zeros.
fn number(value: &Value) -> String {
    let decimal: rust_decimal::Decimal =
        value.to_string().parse().unwrap_or_else(|_| panic!("{value} is no number"));
    decimal.normalize().to_string()
}

type Portfolio = (String, BTreeMap<String, i64>, String);

fn recorded_portfolios() -> BTreeMap<(String, String), Portfolio> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/recorded_portfolios.csv");
    let mut reader = csv::Reader::from_path(path).expect("the recorded portfolios");
    reader
        .records()
        .map(|record| {
            let record = record.expect("a row");
            let holdings = record[3].split_whitespace().map(|holding| {
                let (symbol, quantity) = holding.split_once(':').expect("symbol:quantity");
                (symbol.to_owned(), quantity.parse().expect("a quantity"))
            });
            let exact = |text: &str| {
                text.parse::<rust_decimal::Decimal>().expect("a decimal").normalize().to_string()
            };
            (
                (record[1].to_owned(), record[0].to_owned()),
                (exact(&record[2]), holdings.collect(), exact(&record[4])),
            )
        })
        .collect()
}

async fn fills_and_refusals(system: &System) -> (i64, i64) {
    let fills = system.database.count("SELECT count(*) FROM execution.fills").await;
    let refused = system
        .database
        .count(
            "SELECT coalesce(sum(json_array_length(body::json -> 'refused')), 0)::bigint
             FROM status.events
             WHERE kind = 'modelday.model_day.completed.v1' AND body::json -> 'refused' IS NOT NULL",
        )
        .await;
    (fills, refused)
}
