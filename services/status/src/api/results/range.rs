//! Results of several dates: a series for each portfolio.

use domain::performance::metrics::period_metrics;
use runtime::http::Number;
use serde::Serialize;
use storage::status::{HeldSymbols, WinnerRow};
use utoipa::ToSchema;

use super::query::Valuation;
use crate::api::chains::Chains;

/// A portfolio over a range of dates, cut to its first and last day.
#[derive(Serialize, ToSchema)]
#[schema(as = PortfolioSeries)]
pub(crate) struct Series {
    model: String,
    experiment: String,
    trial: u32,
    start_date: String,
    end_date: String,
    daily_portfolio_values: Vec<Value>,
    period_metrics: Period,
    stale_days: usize,
    /// What was traded or held at prices that are adjusted for dividends, at which no trade happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    total_return_symbols: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PortfolioValue)]
struct Value {
    date: String,
    portfolio_value: Number,
    portfolio_value_close: Number,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PeriodMetrics)]
struct Period {
    starting_portfolio_value: Number,
    ending_portfolio_value: Number,
    period_return_pct: f64,
    annualized_return_pct: Option<f64>,
    calendar_days: i64,
    trading_days: usize,
}

/// The series of `rows`, which are ordered by portfolio and date.
pub(super) fn results(
    rows: &[WinnerRow],
    chains: &Chains,
    valuation: Valuation,
    total_return: &HeldSymbols,
) -> Vec<Series> {
    let portfolios = rows.chunk_by(|a, b| a.key.model == b.key.model && a.key.trial == b.key.trial);
    portfolios.filter_map(|days| series(days, chains, valuation, total_return)).collect()
}

fn series(
    days: &[WinnerRow],
    chains: &Chains,
    valuation: Valuation,
    total_return: &HeldSymbols,
) -> Option<Series> {
    let (first, last) = (days.first()?, days.last()?);
    let held = total_return.get(&(first.key.model.clone(), first.key.trial));
    let chain = chains.of(&first.key.model, first.key.trial);
    let (start, end) = (first.key.day.date, last.key.day.date);
    let starting = match (valuation, chain.and_then(|chain| chain.before(start))) {
        (Valuation::Close, Some(previous)) => previous.figures.value_at_close,
        (Valuation::Close, None) | (Valuation::Open, _) => first.figures.starting_value,
    };
    let ending = valuation.ending(&last.figures);
    let metrics = period_metrics(starting, ending, start, end);
    let is_stale = |day: &WinnerRow| chain.is_some_and(|chain| chain.is_stale(day.key.day.date));
    let value = |day: &WinnerRow| Value {
        date: day.key.day.date.to_string(),
        portfolio_value: valuation.ending(&day.figures).into(),
        portfolio_value_close: day.figures.value_at_close.into(),
    };
    Some(Series {
        model: first.key.model.clone(),
        experiment: first.key.experiment.clone(),
        trial: first.key.trial,
        start_date: start.to_string(),
        end_date: end.to_string(),
        daily_portfolio_values: days.iter().map(value).collect(),
        period_metrics: Period {
            starting_portfolio_value: starting.into(),
            ending_portfolio_value: ending.into(),
            period_return_pct: metrics.period_return_pct,
            annualized_return_pct: metrics.annualized_return_pct,
            calendar_days: metrics.calendar_days,
            trading_days: days.len(),
        },
        stale_days: days.iter().filter(|day| is_stale(day)).count(),
        total_return_symbols: held.cloned().unwrap_or_default(),
    })
}
