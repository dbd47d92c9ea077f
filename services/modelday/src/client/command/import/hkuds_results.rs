//! What Modelday came to, as it is compared with an agent's records.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::NaiveDate;
use domain::accounting::order::Side;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value};

use crate::client::hkuds::{ComparedDay, OurDay, OurFill, Recording};
use crate::client::http::{Api, ApiError};

/// Differing days whose refused orders are fetched, a request each.
const MAX_ASKED: usize = 50;

/// The results of one model by date.
#[derive(Default)]
pub(super) struct Results {
    pub(super) days: BTreeMap<NaiveDate, OurDay>,
    /// Why the other days were not run.
    pub(super) not_run: BTreeMap<NaiveDate, String>,
}

#[derive(Deserialize)]
struct PositionRow {
    date: NaiveDate,
    symbol: String,
    quantity: Option<i64>,
    value: Option<Number>,
}

#[derive(Deserialize)]
struct TradeRow {
    date: NaiveDate,
    action_type: String,
    symbol: String,
    quantity: i64,
    price: Number,
}

#[derive(Deserialize)]
struct DayPage {
    model_days: Vec<DayRow>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct DayRow {
    date: NaiveDate,
    status: String,
    error: Option<String>,
}

#[derive(Deserialize)]
struct DayResults {
    results: Vec<DayResult>,
}

#[derive(Deserialize)]
struct DayResult {
    #[serde(default)]
    refused_orders: Vec<RefusedOrder>,
    #[serde(default)]
    corporate_actions: Vec<AppliedAction>,
}

#[derive(Deserialize)]
struct AppliedAction {
    action_type: String,
    symbol: String,
}

#[derive(Deserialize)]
struct RefusedOrder {
    symbol: String,
    code: String,
}

/// Reads the model's days over the dates of its recording.
pub(super) async fn fetch(
    api: &Api,
    model: &str,
    experiment: &str,
    recording: &Recording,
) -> anyhow::Result<Results> {
    let mut results = Results::default();
    let Some((start, end)) = recording.range() else { return Ok(results) };
    let query = [
        ("model", model.to_owned()),
        ("experiment", experiment.to_owned()),
        ("start_date", start.to_string()),
        ("end_date", end.to_string()),
    ];
    for row in rows(api, "positions", &query).await? {
        let PositionRow { date, symbol, quantity, value } = serde_json::from_value(row)?;
        let ending = &mut results.days.entry(date).or_default().ending;
        match quantity {
            Some(quantity) => drop(ending.shares.insert(symbol.parse()?, quantity)),
            None => ending.cash = decimal(&value.context("the cash has no value")?)?,
        }
    }
    for row in rows(api, "trades", &query).await? {
        let TradeRow { date, action_type, symbol, quantity, price } = serde_json::from_value(row)?;
        let side = if action_type == "buy" { Side::Buy } else { Side::Sell };
        let fill = OurFill { side, symbol: symbol.parse()?, quantity, price: decimal(&price)? };
        results.days.entry(date).or_default().fills.push(fill);
    }
    Ok(results)
}

impl Results {
    /// Adds why days of the job were not run.
    pub(super) async fn add_not_run(&mut self, api: &Api, job: &str, model: &str) -> anyhow::Result<()> {
        let mut cursor = None;
        loop {
            let query =
                [("model", Some(model.to_owned())), ("limit", Some("1000".to_owned())), ("cursor", cursor)];
            let page: DayPage = api.get(&["jobs", job, "model-days"], &query).await?.deserialize()?;
            for DayRow { date, status, error } in page.model_days {
                if status != "completed" {
                    let reason = error.unwrap_or_else(|| format!("the day is {status}"));
                    self.not_run.insert(date, reason);
                }
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Adds which orders of the differing days were refused, and which corporate actions were applied on them.
    pub(super) async fn add_refused(
        &mut self,
        api: &Api,
        model: &str,
        experiment: &str,
        compared: &[ComparedDay],
    ) -> Result<(), ApiError> {
        for day in compared.iter().filter(|day| day.outcome.differs()).take(MAX_ASKED) {
            let Some(ours) = self.days.get_mut(&day.date) else { continue };
            let date = day.date.to_string();
            let query =
                [("start_date", &*date), ("end_date", &*date), ("model", model), ("experiment", experiment)];
            let found: DayResults = api.get(&["results"], &query).await?.deserialize()?;
            for result in found.results {
                let refused = result.refused_orders.into_iter();
                ours.refused
                    .extend(refused.filter_map(|order| Some((order.symbol.parse().ok()?, order.code))));
                let actions = result.corporate_actions.into_iter();
                ours.applied.extend(actions.map(|action| {
                    format!("the {} of {}", action.action_type.replace('_', " "), action.symbol)
                }));
            }
        }
        Ok(())
    }
}

/// All rows of a table.
async fn rows(api: &Api, table: &str, query: &[(&str, String)]) -> anyhow::Result<Vec<Value>> {
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.push(("limit", "10000".to_owned()));
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let mut page: Value = api.get(&[table], &query).await?.deserialize()?;
        if let Value::Array(found) = page[table].take() {
            rows.extend(found);
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

fn decimal(number: &Number) -> anyhow::Result<Decimal> {
    let text = number.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).with_context(|| format!("{text} is no amount"))
}
