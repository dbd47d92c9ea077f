//! The results of a range of dates: a row for each portfolio.

use serde::Deserialize;

use super::portfolio;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::table::{Table, cell, shown_as};

#[derive(Deserialize)]
pub(super) struct Series {
    model: String,
    #[serde(default)]
    trial: u32,
    start_date: String,
    end_date: String,
    period_metrics: PeriodMetrics,
}

#[derive(Deserialize)]
struct PeriodMetrics {
    starting_portfolio_value: f64,
    ending_portfolio_value: f64,
    period_return_pct: f64,
    annualized_return_pct: Option<f64>,
    trading_days: u64,
}

/// A row for each portfolio.
pub(super) fn table(series: Vec<Series>) -> Table {
    let columns = [
        words("Model"),
        exact("From"),
        exact("To"),
        number("Days"),
        number("Start"),
        number("End"),
        number("Return"),
        number("Per year"),
    ];
    let mut table = Table::new(columns).with_more([number("Trial")]);
    let dollars = |value| shown_as(Some(value), |value: &f64| format!("{value:.2}"));
    let percent = |value| shown_as(value, |value: &f64| format!("{value:+.2} %"));
    for Series { model, trial, start_date, end_date, period_metrics: metrics } in series {
        let name = portfolio::name(&model, trial);
        table.row([
            shown_as(Some(model), |_| name),
            cell(start_date),
            cell(end_date),
            cell(metrics.trading_days.to_string()),
            dollars(metrics.starting_portfolio_value),
            dollars(metrics.ending_portfolio_value),
            percent(Some(metrics.period_return_pct)),
            percent(metrics.annualized_return_pct),
            cell(trial.to_string()),
        ]);
    }
    table
}
