//! Results of a replay as JSON Lines: the same bytes on every machine.
//!
//! Amounts are exact decimals as text. Statistics are rounded to ten significant digits, because the last digits of a
//! power or a logarithm may differ between machines.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::applied_action::AppliedAction;
use domain::accounting::fill::Fill;
use domain::agent::{AgentReport, Transcript, UsageTotal};
use domain::market::corporate_action::ActionKind;
use domain::market::instruments::Symbol;
use domain::performance::leaderboard;
use domain::performance::significance::{Interval, LEVEL, Trials};
use domain::replay::{Bundle, RecordedDay, RecordedPortfolio, ReplayedDay, ReplayedOutcome, leaderboard_row};
use domain::simulation::model_day::{CompletedDay, DayRef};
use rust_decimal::Decimal;
use serde::Serialize;

use super::portfolios::ReplayedPortfolio;
use crate::terminal::leaderboard_table::{ConfidenceInterval, LeaderboardRow, ModelTrials};

/// Name and version of the format.
const FORMAT: &str = "modelday.replay/1";

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ResultLine<'a> {
    Replay { format: &'static str, job_id: String, experiment: &'a str, model_days: usize },
    ModelDay(Box<ModelDayResult<'a>>),
    Portfolio(Box<PortfolioResult<'a>>),
}

#[derive(Serialize)]
struct ModelDayResult<'a> {
    model: &'a str,
    trial: u32,
    date: NaiveDate,
    revision: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accounts: Option<DayAccounts<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    agent: Option<&'a AgentReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transcript: Option<&'a Transcript>,
}

#[derive(Serialize)]
struct BaseDay {
    date: NaiveDate,
    revision: u32,
}

#[derive(Serialize)]
struct DayAccounts<'a> {
    base: Option<BaseDay>,
    starting_value: Decimal,
    profit: Decimal,
    return_pct: Decimal,
    days_since_last_trading: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corporate_actions: Vec<CorporateActionLine<'a>>,
    fills: &'a [Fill],
    refused: Vec<RefusedOrderLine<'a>>,
    cash: Decimal,
    holdings: &'a BTreeMap<Symbol, u64>,
    value_at_open: Decimal,
    value_at_close: Decimal,
    stale_symbols: &'a [Symbol],
}

/// A corporate action that was applied before the open.
#[derive(Serialize)]
struct CorporateActionLine<'a> {
    symbol: &'a Symbol,
    /// Absent of splits and dividends, which have a ratio or an amount alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_share: Option<Decimal>,
    shares_before: u64,
    shares_after: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_symbol: Option<&'a Symbol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_shares: Option<u64>,
    cash: Decimal,
}

#[derive(Serialize)]
struct RefusedOrderLine<'a> {
    sequence: u32,
    side: &'static str,
    symbol: &'a str,
    quantity: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct PortfolioResult<'a> {
    model: &'a str,
    trial: u32,
    start_date: NaiveDate,
    end_date: NaiveDate,
    model_days: usize,
    trades: u64,
    starting_value: Decimal,
    final_value: Decimal,
    return_pct: Option<Decimal>,
    #[serde(rename = "return")]
    total_return: Option<f64>,
    volatility: Option<f64>,
    sharpe: Option<f64>,
    sortino: Option<f64>,
    max_drawdown: Option<f64>,
    calmar: Option<f64>,
    win_rate: Option<f64>,
    turnover: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageTotal>,
}

/// All results: a line for the job, then for each portfolio its days and its statistics.
pub(super) fn text(bundle: &Bundle, portfolios: &[ReplayedPortfolio<'_>]) -> serde_json::Result<String> {
    let job = &bundle.job;
    let (job_id, experiment) = (job.id.to_string(), job.experiment.as_str());
    let mut text = String::new();
    let mut add = |line: ResultLine<'_>| {
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
        Ok::<_, serde_json::Error>(())
    };
    add(ResultLine::Replay { format: FORMAT, job_id, experiment, model_days: bundle.days() })?;
    for ReplayedPortfolio { recorded, days } in portfolios {
        for (day, replayed) in recorded.days.iter().zip(days) {
            add(ResultLine::ModelDay(Box::new(ModelDayResult::of(recorded, day, replayed))))?;
        }
        if let Some(row) = leaderboard_row(recorded, days) {
            add(ResultLine::Portfolio(Box::new(PortfolioResult::of(recorded, &row, days))))?;
        }
    }
    Ok(text)
}

/// The portfolio's row of the leaderboard; `None` when it has no completed day.
pub(super) fn row(portfolio: &ReplayedPortfolio<'_>) -> Option<LeaderboardRow> {
    let ReplayedPortfolio { recorded, days } = portfolio;
    let row = leaderboard_row(recorded, days)?;
    let tool_calls = days.iter().filter_map(|day| match &day.outcome {
        ReplayedOutcome::Completed { day, .. } => day.agent.as_ref()?.tool_calls,
        ReplayedOutcome::Failed(_) | ReplayedOutcome::Skipped => None,
    });
    Some(LeaderboardRow {
        kind: "model".to_owned(),
        model: recorded.model.clone(),
        trial: Some(recorded.trial.into()),
        total_return: row.metrics.total_return,
        final_value: row.final_value.to_string().parse().ok(),
        sharpe: row.metrics.sharpe,
        max_drawdown: row.metrics.max_drawdown,
        trades: Some(row.trades),
        model_days: u64::try_from(row.model_days).ok(),
        acted: tool_calls.max().map(|most| most > 0),
        volatility: row.metrics.volatility,
        sortino: row.metrics.sortino,
        calmar: row.metrics.calmar,
        win_rate: row.metrics.win_rate,
        turnover: row.metrics.turnover,
        alpha: row.metrics.alpha,
        beta: row.metrics.beta,
        usage: None,
    })
}

/// The models of the leaderboard with the mean and the interval of their trials.
pub(super) fn models(portfolios: &[ReplayedPortfolio<'_>]) -> Vec<ModelTrials> {
    let rows: Vec<_> = portfolios
        .iter()
        .filter_map(|portfolio| leaderboard_row(portfolio.recorded, &portfolio.days))
        .collect();
    let of_model = |trials: &Trials| {
        let summary = trials.summary();
        let reason =
            summary.interval.as_ref().err().map(|reason| ("interval".to_owned(), reason.to_string()));
        ModelTrials {
            model: trials.model.clone(),
            trials: u64::try_from(trials.count).unwrap_or(u64::MAX),
            mean_return: summary.mean.ok(),
            interval: summary.interval.ok().map(|Interval { low, high }| ConfidenceInterval {
                low,
                high,
                level: LEVEL,
            }),
            reasons: reason.into_iter().collect(),
        }
    };
    Trials::of(&rows).iter().map(of_model).collect()
}

impl<'a> ModelDayResult<'a> {
    fn of(portfolio: &'a RecordedPortfolio, recorded: &RecordedDay, replayed: &'a ReplayedDay) -> Self {
        let (status, error, accounts, report) = match &replayed.outcome {
            ReplayedOutcome::Completed { day, fills } => {
                ("completed", None, Some(DayAccounts::of(day, fills)), day.agent.as_ref())
            }
            ReplayedOutcome::Failed(day) => ("failed", Some(day.error.as_str()), None, day.agent.as_ref()),
            ReplayedOutcome::Skipped => ("skipped", None, None, None),
        };
        Self {
            model: &portfolio.model,
            trial: portfolio.trial,
            date: recorded.date,
            revision: recorded.revision,
            status,
            error,
            accounts,
            agent: report,
            transcript: replayed.transcript.as_ref(),
        }
    }
}

impl<'a> DayAccounts<'a> {
    fn of(day: &'a CompletedDay, fills: &'a [Fill]) -> Self {
        let refused = day.refused.iter().map(|order| RefusedOrderLine {
            sequence: order.sequence,
            side: order.side.as_str(),
            symbol: &order.symbol,
            quantity: &order.quantity,
            code: &order.code,
        });
        Self {
            base: day.base.map(|DayRef { date, revision }| BaseDay { date, revision }),
            starting_value: day.starting_value,
            profit: day.profit,
            return_pct: day.return_pct,
            days_since_last_trading: day.days_since_last_trading,
            corporate_actions: day.corporate_actions.iter().map(CorporateActionLine::of).collect(),
            fills,
            refused: refused.collect(),
            cash: day.ending_position.cash(),
            holdings: day.ending_position.holdings(),
            value_at_open: day.value_at_open,
            value_at_close: day.value_at_close,
            stale_symbols: &day.stale_symbols,
        }
    }
}

impl<'a> CorporateActionLine<'a> {
    fn of(applied: &'a AppliedAction) -> Self {
        let AppliedAction { symbol, action, shares_before, shares_after, new_shares, cash } = applied;
        let kind = action.kind();
        let new_symbol = action.new_symbol();
        Self {
            symbol,
            action: (!matches!(kind, ActionKind::Split | ActionKind::Dividend)).then(|| kind.as_str()),
            ratio: action.ratio().map(|ratio| ratio.to_string()),
            per_share: action.per_share(),
            shares_before: *shares_before,
            shares_after: *shares_after,
            new_symbol,
            new_shares: new_symbol.map(|_| *new_shares),
            cash: *cash,
        }
    }
}

impl<'a> PortfolioResult<'a> {
    fn of(portfolio: &'a RecordedPortfolio, row: &leaderboard::LeaderboardRow, days: &[ReplayedDay]) -> Self {
        let metrics = &row.metrics;
        let reports = days.iter().filter_map(|day| match &day.outcome {
            ReplayedOutcome::Completed { day, .. } => day.agent.as_ref(),
            ReplayedOutcome::Failed(day) => day.agent.as_ref(),
            ReplayedOutcome::Skipped => None,
        });
        let usage = reports.fold(None, |sum: Option<UsageTotal>, report| {
            let mut sum = sum.unwrap_or_default();
            sum.add(&report.spent);
            Some(sum)
        });
        Self {
            model: &portfolio.model,
            trial: portfolio.trial,
            start_date: row.dates.0,
            end_date: row.dates.1,
            model_days: row.model_days,
            trades: row.trades,
            starting_value: row.starting_value,
            final_value: row.final_value,
            return_pct: row.return_pct,
            total_return: metrics.total_return.map(rounded),
            volatility: metrics.volatility.map(rounded),
            sharpe: metrics.sharpe.map(rounded),
            sortino: metrics.sortino.map(rounded),
            max_drawdown: metrics.max_drawdown.map(rounded),
            calmar: metrics.calmar.map(rounded),
            win_rate: metrics.win_rate.map(rounded),
            turnover: metrics.turnover.map(rounded),
            usage,
        }
    }
}

/// The value rounded to ten significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn digits_in_which_machines_may_differ_are_left_out() {
        let (here, there) = (0.164_612_345_678_901_2_f64, 0.164_612_345_678_901_4_f64);

        assert_eq!(rounded(here).to_bits(), rounded(there).to_bits());
        assert_eq!(rounded(here).to_string(), "0.1646123457");
    }
}
