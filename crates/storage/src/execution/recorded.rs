//! What a job's days were run with and came to, for its bundle. Rows of a job that has ended do not change.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::fill::Fill;
use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::agent::conversation::Conversation;
use domain::job::JobState;
use domain::market::instruments::Symbol;
use domain::replay::BaseDay;
use domain::simulation::model_day::DayRef;
use domain::simulation::run::PortfolioDay;
use domain::values::ids::{JobId, PortfolioId};
use domain::values::money::Price;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::error::{Result, StorageError};

/// A job with how far it is.
#[derive(Debug, Clone)]
pub struct RecordedJob {
    /// Type of the message it was planned from.
    pub kind: String,
    /// Body of that message.
    pub body: String,
    /// How far it is.
    pub state: JobState,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The version of prices that its days ran on.
    pub price_version: i64,
}

/// A portfolio that a job has run days of.
#[derive(Debug, Clone)]
pub struct RecordedLane {
    /// The portfolio.
    pub portfolio: PortfolioId,
    /// Its model.
    pub model: String,
    /// Its trial.
    pub trial: u32,
}

/// A model-day that was run.
#[derive(Debug, Clone)]
pub struct DayRecord {
    /// The session.
    pub date: NaiveDate,
    /// The revision that it wrote, or would have written.
    pub revision: u32,
    /// The day it continued from.
    pub base: Option<DayRef>,
    /// Days that the portfolio had completed before it.
    pub day_index: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Why it failed; `None` when it completed.
    pub error: Option<String>,
    /// The position that a completed day left, with its values at open and close.
    pub left: Option<(Portfolio, Decimal, Option<Decimal>)>,
    /// Fills of a completed day, in sequence.
    pub fills: Vec<Fill>,
    /// Of agents: why the conversation ended, its summary and usage.
    pub said: Option<(String, Conversation)>,
}

type JobColumns = (String, String, String, Option<DateTime<Utc>>, i64);

/// A job; `None` when the executor does not know it.
///
/// # Errors
/// When Postgres refuses.
pub async fn recorded_job(pool: &PgPool, job: JobId) -> Result<Option<RecordedJob>> {
    let row: Option<JobColumns> = sqlx::query_as(
        "-- recorded::job
        SELECT kind, body, state, ended_at, price_version
        FROM execution.jobs
        WHERE id = $1",
    )
    .bind(job.0)
    .fetch_optional(pool)
    .await?;
    let Some((kind, body, state, ended_at, price_version)) = row else { return Ok(None) };
    let state = JobState::parse(&state).ok_or_else(|| StorageError::corrupt("execution.jobs", &state))?;
    Ok(Some(RecordedJob { kind, body, state, ended_at, price_version }))
}

/// The portfolios that the job has run days of, by model and trial.
///
/// # Errors
/// When Postgres refuses.
pub async fn recorded_lanes(pool: &PgPool, job: JobId) -> Result<Vec<RecordedLane>> {
    let rows: Vec<(Uuid, String, i32)> = sqlx::query_as(
        "-- recorded::lanes
        SELECT portfolio.id, portfolio.model, portfolio.trial
        FROM execution.portfolios AS portfolio
        WHERE EXISTS (
            SELECT FROM execution.model_days
            WHERE portfolio_id = portfolio.id AND job_id = $1 AND state IN ('completed', 'failed')
        )
        ORDER BY portfolio.model COLLATE \"C\", portfolio.trial",
    )
    .bind(job.0)
    .fetch_all(pool)
    .await?;
    let lane = |(id, model, trial): (Uuid, String, i32)| RecordedLane {
        portfolio: PortfolioId(id),
        model,
        trial: trial.cast_unsigned(),
    };
    Ok(rows.into_iter().map(lane).collect())
}

#[derive(FromRow)]
struct Row {
    trading_date: NaiveDate,
    state: String,
    attempt: i32,
    detail: Option<String>,
    revision: i32,
    base_date: Option<NaiveDate>,
    base_revision: Option<i32>,
    day_index: i64,
    cash: Option<Decimal>,
    holdings: Option<Value>,
    value_at_open: Option<Decimal>,
    value_at_close: Option<Decimal>,
    reason: Option<String>,
    said: Option<Json<Conversation>>,
}

/// The days of one portfolio that the job has run, oldest first.
///
/// What a failed day continued from is not in its row: it is the winner before it at that time. Days of one commit
/// have one time; they were run in the order of their dates.
///
/// # Errors
/// When Postgres refuses, or a row is not a day.
pub async fn recorded_days(pool: &PgPool, job: JobId, portfolio: PortfolioId) -> Result<Vec<DayRecord>> {
    let rows: Vec<Row> = sqlx::query_as(
        "-- recorded::days
        SELECT day.trading_date, day.state, day.attempt, day.detail,
            coalesce(day.revision, known.replaced + 1, 1) AS revision,
            CASE day.state WHEN 'completed' THEN day.base_date ELSE base.trading_date END AS base_date,
            CASE day.state WHEN 'completed' THEN day.base_revision ELSE base.revision END AS base_revision,
            known.before AS day_index,
            day.cash, day.holdings, day.value_at_open, day.value_at_close, said.reason,
            said.body - 'turns' AS said
        FROM execution.model_days AS day
        CROSS JOIN LATERAL (
            SELECT count(DISTINCT trading_date) FILTER (WHERE trading_date < day.trading_date) AS before,
                max(revision) FILTER (WHERE trading_date = day.trading_date) AS replaced
            FROM execution.model_days
            WHERE portfolio_id = day.portfolio_id AND state = 'completed' AND trading_date <= day.trading_date
                AND (ended_at, trading_date) < (day.ended_at, day.trading_date)
        ) AS known
        LEFT JOIN LATERAL (
            SELECT trading_date, revision
            FROM execution.model_days
            WHERE portfolio_id = day.portfolio_id AND state = 'completed' AND trading_date < day.trading_date
                AND (ended_at, trading_date) < (day.ended_at, day.trading_date)
            ORDER BY trading_date DESC, revision DESC
            LIMIT 1
        ) AS base ON true
        LEFT JOIN execution.transcripts AS said
            ON said.job_id = day.job_id AND said.portfolio_id = day.portfolio_id
                AND said.trading_date = day.trading_date
        WHERE day.job_id = $1 AND day.portfolio_id = $2 AND day.state IN ('completed', 'failed')
        ORDER BY day.trading_date",
    )
    .bind(job.0)
    .bind(portfolio.0)
    .fetch_all(pool)
    .await?;
    let mut fills = fills(pool, job, portfolio).await?;
    rows.into_iter().map(|row| row.day(&mut fills)).collect()
}

fn corrupt(problem: impl std::fmt::Display) -> StorageError {
    StorageError::corrupt("execution.model_days", problem)
}

fn position(cash: Decimal, holdings: Value) -> Result<Portfolio> {
    let holdings = serde_json::from_value(holdings).map_err(corrupt)?;
    Portfolio::new(cash, holdings).map_err(corrupt)
}

impl Row {
    fn day(self, fills: &mut BTreeMap<NaiveDate, Vec<Fill>>) -> Result<DayRecord> {
        let left = match (self.cash, self.holdings, self.value_at_open) {
            (Some(cash), Some(holdings), Some(at_open)) => {
                let at_close = self.value_at_close.map(|value| value.normalize());
                Some((position(cash, holdings)?, at_open.normalize(), at_close))
            }
            _ => None,
        };
        let failed = self.state == "failed";
        if failed == left.is_some() {
            return Err(corrupt(format_args!(
                "the day {} is {} and has a position",
                self.trading_date, self.state
            )));
        }
        let base = self.base_date.zip(self.base_revision);
        Ok(DayRecord {
            date: self.trading_date,
            revision: self.revision.cast_unsigned(),
            base: base.map(|(date, revision)| DayRef { date, revision: revision.cast_unsigned() }),
            day_index: u32::try_from(self.day_index).unwrap_or(u32::MAX),
            attempt: self.attempt.cast_unsigned(),
            error: failed.then(|| self.detail.unwrap_or_default()),
            left,
            fills: fills.remove(&self.trading_date).unwrap_or_default(),
            said: self.reason.zip(self.said.map(|said| said.0)),
        })
    }
}

#[derive(FromRow)]
struct FillRow {
    trading_date: NaiveDate,
    sequence: i32,
    side: String,
    symbol: String,
    quantity: i64,
    price: Decimal,
    fee: Decimal,
    cash_after: Decimal,
    position_after: i64,
}

async fn fills(pool: &PgPool, job: JobId, portfolio: PortfolioId) -> Result<BTreeMap<NaiveDate, Vec<Fill>>> {
    let rows: Vec<FillRow> = sqlx::query_as(
        "-- recorded::fills
        SELECT fill.trading_date, sequence, side, symbol, quantity, price, fee, cash_after, position_after
        FROM execution.model_days AS day
        JOIN execution.fills AS fill USING (portfolio_id, trading_date, revision)
        WHERE day.job_id = $1 AND day.portfolio_id = $2
        ORDER BY fill.trading_date, sequence",
    )
    .bind(job.0)
    .bind(portfolio.0)
    .fetch_all(pool)
    .await?;
    let mut by_date: BTreeMap<NaiveDate, Vec<Fill>> = BTreeMap::new();
    for row in rows {
        by_date.entry(row.trading_date).or_default().push(row.fill()?);
    }
    Ok(by_date)
}

impl FillRow {
    fn fill(self) -> Result<Fill> {
        let corrupt = |problem: String| StorageError::corrupt("execution.fills", problem);
        let price = Price::try_from(self.price).map_err(|problem| corrupt(problem.to_string()))?;
        let quantity = self.quantity.cast_unsigned();
        Ok(Fill {
            sequence: self.sequence.cast_unsigned(),
            side: if self.side == Side::Buy.as_str() { Side::Buy } else { Side::Sell },
            symbol: Symbol::try_from(self.symbol).map_err(|problem| corrupt(problem.to_string()))?,
            quantity,
            price,
            notional: price.amount().saturating_mul(Decimal::from(quantity)).normalize(),
            fee: self.fee.normalize(),
            cash_after: self.cash_after.normalize(),
            position_after: self.position_after.cast_unsigned(),
        })
    }
}

/// What these days of a portfolio left, oldest first.
///
/// # Errors
/// When Postgres refuses, or a row is not a position.
pub async fn recorded_bases(pool: &PgPool, portfolio: PortfolioId, days: &[DayRef]) -> Result<Vec<BaseDay>> {
    let dates: Vec<NaiveDate> = days.iter().map(|day| day.date).collect();
    let revisions: Vec<i32> = days.iter().map(|day| day.revision.cast_signed()).collect();
    let rows: Vec<(NaiveDate, i32, Decimal, Value, Decimal, Option<Decimal>)> = sqlx::query_as(
        "-- recorded::bases
        SELECT day.trading_date, day.revision, cash, holdings, value_at_open, value_at_close
        FROM UNNEST($2::date[], $3::int[]) AS wanted (trading_date, revision)
        JOIN execution.model_days AS day
            ON day.portfolio_id = $1 AND day.trading_date = wanted.trading_date AND day.revision = wanted.revision
        ORDER BY day.trading_date, day.revision",
    )
    .bind(portfolio.0)
    .bind(dates)
    .bind(revisions)
    .fetch_all(pool)
    .await?;
    let base =
        |(date, revision, cash, holdings, at_open, at_close): (_, i32, _, _, Decimal, Option<Decimal>)| {
            let day = DayRef { date, revision: revision.cast_unsigned() };
            let end =
                PortfolioDay { day, position: position(cash, holdings)?, value_at_open: at_open.normalize() };
            Ok(BaseDay { end, value_at_close: at_close.map(|value| value.normalize()) })
        };
    rows.into_iter().map(base).collect()
}
