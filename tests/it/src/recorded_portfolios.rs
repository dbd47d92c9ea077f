//! The portfolios that the recorded orders of October 2025 lead to.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::Client;

/// Checks cash, holdings and value at the close of every recorded day.
pub async fn portfolios_are_the_recorded_ones(client: &Client) {
    check(client, &[String::new()]).await;
}

/// The same of models whose signatures have one of these names and `/` before the recorded name, for each of them.
pub async fn portfolios_of_each_are_the_recorded_ones(client: &Client, names: &[&str]) {
    let prefixes: Vec<String> = names.iter().map(|name| format!("{name}/")).collect();
    check(client, &prefixes).await;
}

async fn check(client: &Client, prefixes: &[String]) {
    let recorded = recorded_portfolios();
    assert_eq!(recorded.len(), 120);
    let mut by_date: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for ((date, model), expected) in recorded {
        if !by_date.contains_key(&date) {
            let page = client.get_ok(&format!("/results?start_date={date}&end_date={date}")).await;
            let results = page["results"].as_array().expect("results").clone();
            let by_model =
                results.into_iter().map(|row| (row["model"].as_str().expect("a model").to_owned(), row));
            by_date.insert(date.clone(), by_model.collect());
        }
        for prefix in prefixes {
            let name = format!("{prefix}{model}");
            let actual = by_date[&date].get(&name).unwrap_or_else(|| panic!("no result of {name} on {date}"));
            assert_eq!(summary(&actual["final_position"]), expected, "{name} on {date}");
        }
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
