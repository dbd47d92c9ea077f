//! A row of the leaderboard, as responses show it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::performance::leaderboard::{Contestant, LeaderboardRow};
use domain::simulation::model_day::CompletedDay;
use runtime::http::Number;
use rust_decimal::Decimal;
use serde::Serialize;
use storage::status::UsageRow;
use utoipa::ToSchema;

use crate::api::usage::UsageDetail;

/// The figures whose reason is shown when they are undefined.
const FIGURES: [&str; 12] = [
    "total_return",
    "annual_return",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "win_rate",
    "turnover",
    "alpha",
    "beta",
    "information_ratio",
];

/// A model's portfolio or a benchmark, with its figures.
#[derive(Serialize, ToSchema)]
#[schema(as = LeaderboardRow)]
pub(super) struct RowDetail {
    rank: usize,
    kind: &'static str,
    model: String,
    trial: Option<u32>,
    #[serde(flatten)]
    figures: Figures,
    /// What the agent used over the dates shown, failed and replaced days included; null for other models.
    usage: Option<UsageDetail>,
    /// Whether the agent called a tool in any of its completed days; null for other models, and when it is unknown.
    acted: Option<bool>,
    #[serde(flatten)]
    #[schema(value_type = PartsDetail)]
    parts: Option<PartsDetail>,
    /// The figures of a benchmark without its dividends; only where it was paid any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    price_only: Option<Box<Figures>>,
    /// What is held at the end without a bar of the last day, and valued at its last known price.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    stale: Vec<StaleHolding>,
    /// What was traded or held at prices that are adjusted for dividends: no trade happened at them, and figures of such
    /// days do not compare with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    total_return_symbols: Vec<String>,
    /// The first day of the portfolio that is stale; all later ones are. Absent when none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stale_from: Option<String>,
}

/// What makes a portfolio's figures less than they seem.
#[derive(Default)]
pub(super) struct Caveats {
    /// Its first stale day.
    pub(super) stale_from: Option<NaiveDate>,
    /// What it holds at the end without a bar of the last day.
    pub(super) stale: Vec<StaleHolding>,
    /// What was traded or held at prices that are adjusted for dividends.
    pub(super) total_return_symbols: Vec<String>,
}

/// A holding that is valued at an earlier price.
#[derive(Serialize, ToSchema)]
pub(super) struct StaleHolding {
    symbol: String,
    /// The session of the price; null when it is unknown.
    price_date: Option<String>,
}

impl StaleHolding {
    /// The holdings of a day's end without a bar of the day.
    pub(super) fn of(day: &CompletedDay) -> Vec<Self> {
        let held = day.stale_symbols.iter().filter(|symbol| day.ending_position.quantity(symbol) > 0);
        let stale = held.map(|symbol| Self {
            symbol: symbol.to_string(),
            price_date: day.price_dates.get(symbol).map(ToString::to_string),
        });
        stale.collect()
    }
}

/// Fractions unless a name says percent. An undefined figure is null, and `reasons` says why.
#[derive(Serialize, ToSchema)]
#[schema(as = LeaderboardFigures)]
struct Figures {
    #[serde(rename = "return")]
    total_return: Option<f64>,
    return_pct: Option<Number>,
    starting_value: Number,
    final_value: Number,
    /// The return over a year of 252 sessions; noise when there are few.
    annual_return: Option<f64>,
    /// Standard deviation of the daily returns, over a year.
    volatility: Option<f64>,
    /// Mean daily return beyond `risk_free` over its standard deviation, over a year.
    sharpe: Option<f64>,
    /// As `sharpe`, over the deviation of losses only.
    sortino: Option<f64>,
    /// The largest fall from an earlier high: 0 or less.
    max_drawdown: Option<f64>,
    /// `annual_return` over the largest fall.
    calmar: Option<f64>,
    /// Share of all days with a gain.
    win_rate: Option<f64>,
    /// Dollars bought and sold over the mean value.
    turnover: Option<f64>,
    /// Return over a year that `beta` does not explain.
    alpha: Option<f64>,
    /// How far the daily returns move with the benchmark's.
    beta: Option<f64>,
    /// Mean daily return beyond the benchmark's over its standard deviation, over a year.
    information_ratio: Option<f64>,
    trades: Option<u64>,
    model_days: Option<usize>,
    stale_days: Option<usize>,
    reasons: BTreeMap<&'static str, String>,
}

/// The figures up to the model's training cutoff, and after it; only of models that have a cutoff.
#[derive(Serialize, ToSchema)]
#[schema(as = SampleParts)]
struct PartsDetail {
    #[schema(required = false)]
    training_cutoff: String,
    in_sample: Option<Part>,
    in_sample_reason: Option<&'static str>,
    out_of_sample: Option<Part>,
    out_of_sample_reason: Option<&'static str>,
}

/// The figures of a part, with its first and last day.
#[derive(Serialize, ToSchema)]
#[schema(as = SamplePart)]
struct Part {
    start_date: String,
    end_date: String,
    #[serde(flatten)]
    figures: Figures,
}

impl RowDetail {
    pub(super) fn of(row: &LeaderboardRow, rank: usize, used: Option<UsageRow>, caveats: Caveats) -> Self {
        let (kind, model, trial) = match &row.contestant {
            Contestant::Model { model, trial } => ("model", model.clone(), Some(*trial)),
            Contestant::Benchmark(name) => ("benchmark", name.clone(), None),
        };
        let none = |part: &Option<LeaderboardRow>, reason| part.is_none().then_some(reason);
        let parts = row.parts.as_ref().map(|parts| PartsDetail {
            training_cutoff: parts.cutoff.to_string(),
            in_sample: parts.in_sample.as_ref().map(Part::of),
            in_sample_reason: none(&parts.in_sample, "no day on or before the training cutoff"),
            out_of_sample: parts.out_of_sample.as_ref().map(Part::of),
            out_of_sample_reason: none(&parts.out_of_sample, "no day after the training cutoff"),
        });
        let acted = used.as_ref().and_then(|used| used.acted);
        let (figures, usage) = (Figures::of(row), used.map(Into::into));
        let price_only = row.price_only.as_deref().map(|row| Box::new(Figures::of(row)));
        let Caveats { stale_from, stale, total_return_symbols } = caveats;
        Self {
            rank,
            kind,
            model,
            trial,
            figures,
            usage,
            acted,
            parts,
            price_only,
            stale,
            total_return_symbols,
            stale_from: stale_from.map(|date| date.to_string()),
        }
    }
}

impl Part {
    fn of(row: &LeaderboardRow) -> Self {
        let (start_date, end_date) = (row.dates.0.to_string(), row.dates.1.to_string());
        Self { start_date, end_date, figures: Figures::of(row) }
    }
}

impl Figures {
    fn of(row: &LeaderboardRow) -> Self {
        let is_model = matches!(row.contestant, Contestant::Model { .. });
        let metrics = &row.metrics;
        let reason = |name: &'static str| {
            let field = if name == "total_return" { "return" } else { name };
            Some((field, metrics.reasons.get(name)?.to_string()))
        };
        Self {
            total_return: metrics.total_return,
            return_pct: row.return_pct.map(Into::into),
            starting_value: row.starting_value.into(),
            final_value: rounded(row.final_value).into(),
            annual_return: metrics.annual_return,
            volatility: metrics.volatility,
            sharpe: metrics.sharpe,
            sortino: metrics.sortino,
            max_drawdown: metrics.max_drawdown,
            calmar: metrics.calmar,
            win_rate: metrics.win_rate,
            turnover: metrics.turnover,
            alpha: metrics.alpha,
            beta: metrics.beta,
            information_ratio: metrics.information_ratio,
            trades: is_model.then_some(row.trades),
            model_days: is_model.then_some(row.model_days),
            stale_days: is_model.then_some(row.stale_days),
            reasons: FIGURES.into_iter().filter_map(reason).collect(),
        }
    }
}

/// Cuts the endless digits of a benchmark's fractional shares. Values of portfolios have fewer digits and do not change.
fn rounded(value: Decimal) -> Decimal {
    value.round_dp(10)
}
