//! A row of the leaderboard as the API writes it.

use std::collections::BTreeMap;

use domain::leaderboard::{Contestant, Row};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::api::number::Number;
use crate::api::usage::UsageDetail;

/// A row; figures are fractions unless their name says percent. What is undefined is null, with the reason.
#[derive(Serialize)]
pub(super) struct RowDetail {
    rank: usize,
    kind: &'static str,
    model: String,
    trial: Option<u32>,
    #[serde(rename = "return")]
    total_return: Option<f64>,
    return_pct: Option<Number>,
    starting_value: Number,
    final_value: Number,
    volatility: Option<f64>,
    sharpe: Option<f64>,
    sortino: Option<f64>,
    max_drawdown: Option<f64>,
    calmar: Option<f64>,
    win_rate: Option<f64>,
    turnover: Option<f64>,
    trades: Option<u64>,
    model_days: Option<usize>,
    stale_days: Option<usize>,
    /// What the agent used over the dates shown, failed and replaced days included; null for other models.
    usage: Option<UsageDetail>,
    reasons: BTreeMap<&'static str, String>,
}

impl RowDetail {
    pub(super) fn of(row: &Row, rank: usize, usage: Option<UsageDetail>) -> Self {
        let (kind, model, trial) = match &row.contestant {
            Contestant::Model { model, trial } => ("model", model.clone(), Some(*trial)),
            Contestant::Benchmark(name) => ("benchmark", name.clone(), None),
        };
        let is_model = trial.is_some();
        let metrics = &row.metrics;
        let shown = [
            "total_return",
            "volatility",
            "sharpe",
            "sortino",
            "max_drawdown",
            "calmar",
            "win_rate",
            "turnover",
        ];
        let reason = |name: &'static str| {
            let field = if name == "total_return" { "return" } else { name };
            Some((field, metrics.reasons.get(name)?.to_string()))
        };
        Self {
            rank,
            kind,
            model,
            trial,
            total_return: metrics.total_return,
            return_pct: row.return_pct.map(Into::into),
            starting_value: row.starting_value.into(),
            final_value: rounded(row.final_value).into(),
            volatility: metrics.volatility,
            sharpe: metrics.sharpe,
            sortino: metrics.sortino,
            max_drawdown: metrics.max_drawdown,
            calmar: metrics.calmar,
            win_rate: metrics.win_rate,
            turnover: metrics.turnover,
            trades: is_model.then_some(row.trades),
            model_days: is_model.then_some(row.model_days),
            stale_days: is_model.then_some(row.stale_days),
            usage,
            reasons: shown.into_iter().filter_map(reason).collect(),
        }
    }
}

/// A benchmark's fractional shares have no last digit; portfolios stay as they are.
fn rounded(value: Decimal) -> Decimal {
    value.round_dp(10)
}
