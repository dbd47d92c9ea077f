//! What the days of a job ran on and what they led to, for its bundle. Rows of a job that has ended do not change.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::fill::Fill;
use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::agent::conversation::Conversation;
use domain::job::JobState;
use domain::market::rules::MarketRules;
use domain::replay::BaseDay;
use domain::simulation::model_day::DayRef;
use domain::simulation::run::PortfolioDay;
use domain::values::ids::{JobId, PortfolioId};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::history::position;
use super::jobs::PriceState;
use crate::columns::{base, job_state, present, price, rules, symbol};
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

/// A job with how far it is.
#[derive(Debug, Clone)]
pub struct RecordedJob {
    /// Type of the message from which it was planned.
    pub kind: String,
    /// Body of that message.
    pub body: String,
    /// How far it is.
    pub state: JobState,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The prices that its days ran on.
    pub prices: PriceState,
    /// What its days were shown of the market.
    pub rules: MarketRules,
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
    /// The day from which it continued.
    pub base: Option<DayRef>,
    /// How many days the portfolio had completed before it.
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

type JobColumns = (String, String, String, Option<DateTime<Utc>>, i64, i64, String);

/// A job; `None` when the executor does not know it.
pub async fn recorded_job(pool: &PgPool, job: JobId) -> Result<Option<RecordedJob>> {
    let row: Option<JobColumns> = sqlx::query_as(
        "-- job_record::recorded_job
        SELECT kind, body, state, ended_at, price_version, price_changes, market_rules
        FROM execution.jobs
        WHERE id = $1",
    )
    .bind(job.0)
    .fetch_optional(pool)
    .await?;
    let Some((kind, body, state, ended_at, version, changes, market_rules)) = row else { return Ok(None) };
    let prices = PriceState { version, changes };
    let state = job_state("execution.jobs", &state)?;
    let rules = rules("execution.jobs", &market_rules)?;
    Ok(Some(RecordedJob { kind, body, state, ended_at, prices, rules }))
}

/// The portfolios that the job has run days of, by model and trial.
pub async fn recorded_lanes(pool: &PgPool, job: JobId) -> Result<Vec<RecordedLane>> {
    let rows: Vec<(Uuid, String, i32)> = sqlx::query_as(
        "-- job_record::recorded_lanes
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
struct DayRow {
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
/// The row of a failed day does not say from which day it continued: that is the winning day before it, of those that
/// were completed when it ended. Days of one commit have the same time; they were run in the order of their dates.
pub async fn recorded_days(pool: &PgPool, job: JobId, portfolio: PortfolioId) -> Result<Vec<DayRecord>> {
    let rows: Vec<DayRow> = sqlx::query_as(
        "-- job_record::recorded_days
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

impl DayRow {
    fn day(self, fills: &mut BTreeMap<NaiveDate, Vec<Fill>>) -> Result<DayRecord> {
        let left = match (self.cash, self.holdings, self.value_at_open) {
            (Some(cash), Some(holdings), Some(at_open)) => {
                let at_close = self.value_at_close.map(|value| value.normalize());
                Some((position(cash, holdings)?, at_open.normalize(), at_close))
            }
            _ => None,
        };
        let table = "execution.model_days";
        let error = match (self.state.as_str(), &left) {
            ("completed", Some(_)) => None,
            ("failed", None) => Some(present(table, "detail", self.detail)?),
            (state, _) => {
                let problem =
                    format_args!("{} is {state}, and has a position or lacks one", self.trading_date);
                return Err(StorageError::corrupt(table, problem));
            }
        };
        Ok(DayRecord {
            date: self.trading_date,
            revision: self.revision.cast_unsigned(),
            base: base(table, self.base_date, self.base_revision)?,
            day_index: u32::try_from(self.day_index).unwrap_or(u32::MAX),
            attempt: self.attempt.cast_unsigned(),
            error,
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
        "-- job_record::fills
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
        let table = "execution.fills";
        let price = price(table, self.price)?;
        let quantity = self.quantity.cast_unsigned();
        Ok(Fill {
            sequence: self.sequence.cast_unsigned(),
            side: match self.side.as_str() {
                "buy" => Side::Buy,
                "sell" => Side::Sell,
                other => return Err(StorageError::corrupt(table, format_args!("side {other:?}"))),
            },
            symbol: symbol(table, self.symbol)?,
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
pub async fn recorded_bases(pool: &PgPool, portfolio: PortfolioId, days: &[DayRef]) -> Result<Vec<BaseDay>> {
    let dates: Vec<NaiveDate> = days.iter().map(|day| day.date).collect();
    let revisions: Vec<i32> = days.iter().map(|day| day.revision.cast_signed()).collect();
    let rows: Vec<(NaiveDate, i32, Decimal, Value, Decimal, Option<Decimal>)> = sqlx::query_as(
        "-- job_record::recorded_bases
        SELECT day.trading_date, day.revision, cash, holdings, value_at_open, value_at_close
        FROM UNNEST($2::date[], $3::int[]) AS given (trading_date, revision)
        JOIN execution.model_days AS day
            ON day.portfolio_id = $1 AND day.trading_date = given.trading_date AND day.revision = given.revision
        ORDER BY day.trading_date, day.revision",
    )
    .bind(portfolio.0)
    .bind(dates)
    .bind(revisions)
    .fetch_all(pool)
    .await?;
    let base_day =
        |(date, revision, cash, holdings, at_open, at_close): (_, i32, _, _, Decimal, Option<Decimal>)| {
            let day = DayRef { date, revision: revision.cast_unsigned() };
            let end =
                PortfolioDay { day, position: position(cash, holdings)?, value_at_open: at_open.normalize() };
            Ok(BaseDay { end, value_at_close: at_close.map(|value| value.normalize()) })
        };
    rows.into_iter().map(base_day).collect()
}
