//! `modelday plan`: a dry run, which shows what a job would run, download and cost.

use std::fmt::Write as _;

use clap::Args;
use serde::Deserialize;

use super::format::Format;
use super::request::RequestArguments;
use super::spelling::with_models_meant;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::grid::{Grid, exact, number, words};
use crate::terminal::output::{clean, print, width};

/// The request to try.
#[derive(Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct DryRun {
    model_days: ModelDayCounts,
    models: Vec<PlannedModel>,
    prices: MissingPrices,
    cost: CostEstimate,
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ModelDayCounts {
    to_run: u64,
    already_completed: u64,
    market_closed: u64,
    incomplete_prices: u64,
}

#[derive(Deserialize)]
struct PlannedModel {
    model: String,
    kind: String,
    first_date: Option<String>,
    last_date: Option<String>,
    model_days: ModelDayCounts,
}

#[derive(Deserialize)]
struct MissingPrices {
    symbols: u64,
    dates: u64,
    requests: u64,
    provider: Option<String>,
    budget_left: Option<u64>,
    budget_suffices: Option<bool>,
    reason: Option<String>,
    #[serde(default)]
    outlook: Option<String>,
}

#[derive(Deserialize)]
struct CostEstimate {
    total: Option<f64>,
    known: f64,
    reason: Option<String>,
}

/// Shows the dry run.
pub(super) async fn main(arguments: &PlanArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let sent = api.post(&["simulate", "plan"], Some(&arguments.request.body()), None).await;
    let body = match sent {
        Ok(body) => body,
        Err(error) => return Err(with_models_meant(&api, error, arguments.request.models()).await),
    };
    if let Some(dry_run) = arguments.format.unless_json(&body)? {
        print(&text(&dry_run, width()))?;
    }
    Ok(Exit::Done)
}

fn text(dry_run: &DryRun, width: usize) -> String {
    let mut grid = Grid::new([
        words("Model"),
        exact("Kind"),
        exact("From"),
        exact("To"),
        number("To run"),
        number("Done"),
        number("Closed"),
        number("No prices"),
    ]);
    for PlannedModel { model, kind, first_date, last_date, model_days: days } in &dry_run.models {
        let date = |date: &Option<String>| date.clone().unwrap_or_else(|| "-".to_owned());
        grid.row([
            model.clone(),
            kind.clone(),
            date(first_date),
            date(last_date),
            days.to_run.to_string(),
            days.already_completed.to_string(),
            days.market_closed.to_string(),
            days.incomplete_prices.to_string(),
        ]);
    }
    let mut text = grid.text(width);
    let _ = writeln!(text, "\n{} model-days would be run.", dry_run.model_days.to_run);
    text.push_str(&prices(&dry_run.prices));
    text.push_str(&cost(&dry_run.cost));
    for warning in dry_run.warnings.iter().flatten() {
        let _ = writeln!(text, "  warning: {warning}");
    }
    clean(&text)
}

fn prices(prices: &MissingPrices) -> String {
    let MissingPrices { symbols, dates, requests, provider, budget_left, budget_suffices, reason, outlook } =
        prices;
    if *symbols == 0 {
        return "All prices are there.\n".to_owned();
    }
    let mut text = format!("{symbols} symbols lack prices of {dates} dates: {requests} requests");
    if let Some(provider) = provider {
        let _ = write!(text, " to {provider}");
    }
    if let Some(left) = budget_left {
        let _ = write!(text, ", {left} left in its budget");
    }
    match (budget_suffices, reason) {
        (_, Some(reason)) => {
            let _ = write!(text, " ({reason})");
        }
        (Some(false), None) => text.push_str(" (the budget does not suffice)"),
        (Some(true) | None, None) => {}
    }
    text.push_str(".\n");
    if let Some(outlook) = outlook {
        let _ = writeln!(text, "After them, {outlook}.");
    }
    text
}

fn cost(cost: &CostEstimate) -> String {
    match (cost.total, &cost.reason) {
        (Some(0.0), _) => String::new(),
        (Some(total), _) => format!("Its agents would cost about {total:.2} dollars.\n"),
        (None, reason) => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("What its agents would cost is not known; at least {:.2} dollars{reason}.\n", cost.known)
        }
    }
}
