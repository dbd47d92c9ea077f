//! The results of a range of dates: a row for each portfolio.

use serde::Deserialize;

use super::portfolio;
use crate::terminal::grid::{Grid, exact, number, words};

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

pub(super) fn table(series: &[Series], width: usize) -> String {
    let mut grid = Grid::new([
        words("Model"),
        exact("From"),
        exact("To"),
        number("Days"),
        number("Start"),
        number("End"),
        number("Return"),
        number("Per year"),
    ]);
    for Series { model, trial, start_date, end_date, period_metrics: metrics } in series {
        grid.row([
            portfolio::name(model, *trial),
            start_date.clone(),
            end_date.clone(),
            metrics.trading_days.to_string(),
            format!("{:.2}", metrics.starting_portfolio_value),
            format!("{:.2}", metrics.ending_portfolio_value),
            format!("{:+.2} %", metrics.period_return_pct),
            metrics.annualized_return_pct.map_or("-".to_owned(), |percent| format!("{percent:+.2} %")),
        ]);
    }
    grid.text(width)
}
