//! Results of a replay as JSON Lines: the same bytes on every machine.
//!
//! Amounts are exact decimals as text. Statistics are rounded to ten significant digits, since the last ones
//! of a power or a logarithm may differ between machines.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::corporate_action::{Action, AppliedAction};
use domain::accounting::order::Fill;
use domain::agent::{Spent, Transcript};
use domain::market::instruments::Symbol;
use domain::performance::leaderboard::Row;
use domain::performance::significance::{Interval, LEVEL, Trials};
use domain::replay::{Bundle, RecordedDay, RecordedPortfolio, ReplayedDay, ReplayedOutcome, standing};
use domain::simulation::model_day::{AgentReport, CompletedDay, DayRef};
use domain::values::money::Price;
use rust_decimal::Decimal;
use serde::Serialize;

use super::run::Replayed;
use crate::client::board;

/// The format's name and version.
const FORMAT: &str = "modelday.replay/1";

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Replay { format: &'static str, job_id: String, experiment: &'a str, model_days: usize },
    ModelDay(Box<Day<'a>>),
    Portfolio(Box<Figures<'a>>),
}

#[derive(Serialize)]
struct Day<'a> {
    model: &'a str,
    trial: u32,
    date: NaiveDate,
    revision: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accounts: Option<Accounts<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    agent: Option<Agent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transcript: Option<&'a Transcript>,
}

#[derive(Serialize)]
struct Base {
    date: NaiveDate,
    revision: u32,
}

#[derive(Serialize)]
struct Accounts<'a> {
    base: Option<Base>,
    starting_value: Decimal,
    profit: Decimal,
    return_pct: Decimal,
    days_since_last_trading: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corporate_actions: Vec<Applied<'a>>,
    fills: &'a [Fill],
    refused: Vec<Refused<'a>>,
    cash: Decimal,
    holdings: &'a BTreeMap<Symbol, u64>,
    value_at_open: Decimal,
    value_at_close: Decimal,
    stale_symbols: &'a [Symbol],
}

/// What a split or a dividend did before the open.
#[derive(Serialize)]
struct Applied<'a> {
    symbol: &'a Symbol,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_share: Option<Price>,
    shares_before: u64,
    shares_after: u64,
    cash: Decimal,
}

#[derive(Serialize)]
struct Refused<'a> {
    sequence: u32,
    side: &'static str,
    symbol: &'a str,
    quantity: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct Agent<'a> {
    end_reason: &'a str,
    summary: &'a str,
    usage: &'a Spent,
    possibly_paid_twice: u64,
}

#[derive(Serialize)]
struct Figures<'a> {
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
    usage: Option<Spent>,
}

/// All results: a line that names the job, then for each portfolio its days and its figures.
pub(super) fn text(bundle: &Bundle, portfolios: &[Replayed<'_>]) -> serde_json::Result<String> {
    let job = &bundle.job;
    let (job_id, experiment) = (job.id.to_string(), job.experiment.as_str());
    let mut text = String::new();
    let mut add = |line: Line<'_>| {
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
        Ok::<_, serde_json::Error>(())
    };
    add(Line::Replay { format: FORMAT, job_id, experiment, model_days: bundle.days() })?;
    for Replayed { recorded, days } in portfolios {
        for (day, replayed) in recorded.days.iter().zip(days) {
            add(Line::ModelDay(Box::new(Day::of(recorded, day, replayed))))?;
        }
        if let Some(row) = standing(recorded, days) {
            add(Line::Portfolio(Box::new(Figures::of(recorded, &row, days))))?;
        }
    }
    Ok(text)
}

/// The portfolio's row of the table for people.
pub(super) fn row(portfolio: &Replayed<'_>) -> Option<board::Row> {
    let Replayed { recorded, days } = portfolio;
    let row = standing(recorded, days)?;
    Some(board::Row {
        kind: "model".to_owned(),
        model: recorded.model.clone(),
        trial: Some(recorded.trial.into()),
        total_return: row.metrics.total_return,
        final_value: row.final_value.to_string().parse().ok(),
        sharpe: row.metrics.sharpe,
        max_drawdown: row.metrics.max_drawdown,
        trades: Some(row.trades),
        model_days: u64::try_from(row.model_days).ok(),
    })
}

/// What several trials of a model tell together, for the table.
pub(super) fn models(portfolios: &[Replayed<'_>]) -> Vec<board::Model> {
    let rows: Vec<_> =
        portfolios.iter().filter_map(|portfolio| standing(portfolio.recorded, &portfolio.days)).collect();
    let of_model = |trials: &Trials| {
        let summary = trials.summary();
        let reason =
            summary.interval.as_ref().err().map(|reason| ("interval".to_owned(), reason.to_string()));
        board::Model {
            model: trials.model.clone(),
            trials: u64::try_from(trials.count).unwrap_or(u64::MAX),
            mean_return: summary.mean.ok(),
            interval: summary.interval.ok().map(|Interval { low, high }| board::Interval {
                low,
                high,
                level: LEVEL,
            }),
            reasons: reason.into_iter().collect(),
        }
    };
    Trials::of(&rows).iter().map(of_model).collect()
}

impl<'a> Day<'a> {
    fn of(portfolio: &'a RecordedPortfolio, recorded: &RecordedDay, replayed: &'a ReplayedDay) -> Self {
        let (status, error, accounts, report) = match &replayed.outcome {
            ReplayedOutcome::Completed { day, fills } => {
                ("completed", None, Some(Accounts::of(day, fills)), day.agent.as_ref())
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
            agent: report.map(Agent::of),
            transcript: replayed.transcript.as_ref(),
        }
    }
}

impl<'a> Accounts<'a> {
    fn of(day: &'a CompletedDay, fills: &'a [Fill]) -> Self {
        let refused = day.refused.iter().map(|order| Refused {
            sequence: order.sequence,
            side: order.side.as_str(),
            symbol: &order.symbol,
            quantity: &order.quantity,
            code: &order.code,
        });
        Self {
            base: day.base.map(|DayRef { date, revision }| Base { date, revision }),
            starting_value: day.starting_value,
            profit: day.profit,
            return_pct: day.return_pct,
            days_since_last_trading: day.days_since_last_trading,
            corporate_actions: day.corporate_actions.iter().map(Applied::of).collect(),
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

impl<'a> Applied<'a> {
    fn of(applied: &'a AppliedAction) -> Self {
        let AppliedAction { symbol, action, shares_before, shares_after, cash } = applied;
        let (ratio, per_share) = match action {
            Action::Split { from, to } => (Some(format!("{to}:{from}")), None),
            Action::Dividend { per_share } => (None, Some(*per_share)),
        };
        Self {
            symbol,
            ratio,
            per_share,
            shares_before: *shares_before,
            shares_after: *shares_after,
            cash: *cash,
        }
    }
}

impl<'a> Agent<'a> {
    fn of(report: &'a AgentReport) -> Self {
        Self {
            end_reason: &report.reason,
            summary: &report.summary,
            usage: &report.spent,
            possibly_paid_twice: report.possibly_paid_twice,
        }
    }
}

impl<'a> Figures<'a> {
    fn of(portfolio: &'a RecordedPortfolio, row: &Row, days: &[ReplayedDay]) -> Self {
        let metrics = &row.metrics;
        let reports = days.iter().filter_map(|day| match &day.outcome {
            ReplayedOutcome::Completed { day, .. } => day.agent.as_ref(),
            ReplayedOutcome::Failed(day) => day.agent.as_ref(),
            ReplayedOutcome::Skipped => None,
        });
        let usage = reports.fold(None, |sum: Option<Spent>, report| {
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
            total_return: metrics.total_return.map(stable),
            volatility: metrics.volatility.map(stable),
            sharpe: metrics.sharpe.map(stable),
            sortino: metrics.sortino.map(stable),
            max_drawdown: metrics.max_drawdown.map(stable),
            calmar: metrics.calmar.map(stable),
            win_rate: metrics.win_rate.map(stable),
            turnover: metrics.turnover.map(stable),
            usage,
        }
    }
}

/// Ten significant digits.
fn stable(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::stable;

    #[test]
    fn digits_in_which_machines_may_differ_are_left_out() {
        let (here, there) = (0.164_612_345_678_901_2_f64, 0.164_612_345_678_901_4_f64);

        assert_eq!(stable(here).to_bits(), stable(there).to_bits());
        assert_eq!(stable(here).to_string(), "0.1646123457");
    }
}
