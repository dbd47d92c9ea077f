//! What a portfolio has done: its winning days, and the position after each.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::portfolio::Portfolio;
use domain::simulation::model_day::{DayRef, SkipReason, Winner, Winners};
use domain::simulation::run::PortfolioDay;
use domain::values::ids::{JobId, PortfolioId};
use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{base, corrupt, present};
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// What a lane has to know of its portfolio.
#[derive(Debug, Clone, Default)]
pub struct PortfolioHistory {
    /// Winning days, from the latest one before `from` on.
    pub winners: Winners,
    /// How many dates before `from` are completed.
    pub completed_before: u32,
}

#[derive(FromRow)]
struct WinnerRow {
    portfolio_id: Uuid,
    trading_date: NaiveDate,
    revision: i32,
    base_date: Option<NaiveDate>,
    base_revision: Option<i32>,
    config_hash: Option<String>,
    repriced: bool,
}

impl WinnerRow {
    fn winner(self) -> Result<(NaiveDate, Winner)> {
        let table = "execution.winning_days";
        let winner = Winner {
            revision: self.revision.cast_unsigned(),
            base: base(table, self.base_date, self.base_revision)?,
            config_hash: present(table, "config_hash", self.config_hash)?,
            repriced: self.repriced,
        };
        Ok((self.trading_date, winner))
    }
}

/// The winning days of `portfolio` from the latest before `from` to `to`, and how many there are before `from`.
pub async fn history(
    pool: &PgPool,
    portfolio: PortfolioId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<PortfolioHistory> {
    let (count, latest): (i64, Option<NaiveDate>) = sqlx::query_as(
        "-- history::history before
        SELECT count(DISTINCT trading_date), max(trading_date)
        FROM execution.model_days
        WHERE portfolio_id = $1 AND trading_date < $2 AND state = 'completed'",
    )
    .bind(portfolio.0)
    .bind(from)
    .fetch_one(pool)
    .await?;
    let rows: Vec<WinnerRow> = sqlx::query_as(
        "-- history::history
        SELECT portfolio_id, trading_date, revision, base_date, base_revision, config_hash, repriced
        FROM execution.winning_days
        WHERE portfolio_id = $1 AND trading_date BETWEEN $2 AND $3",
    )
    .bind(portfolio.0)
    .bind(latest.unwrap_or(from))
    .bind(to)
    .fetch_all(pool)
    .await?;
    Ok(PortfolioHistory {
        winners: rows.into_iter().map(WinnerRow::winner).collect::<Result<_>>()?,
        completed_before: u32::try_from(count).unwrap_or(u32::MAX),
    })
}

/// The winning days of these portfolios, up to `to` if it is given.
pub async fn winning_days(
    connection: &mut Connection,
    portfolios: &[PortfolioId],
    to: Option<NaiveDate>,
) -> Result<BTreeMap<PortfolioId, Winners>> {
    let ids: Vec<Uuid> = portfolios.iter().map(|portfolio| portfolio.0).collect();
    let rows: Vec<WinnerRow> = sqlx::query_as(
        "-- history::winning_days
        SELECT portfolio_id, trading_date, revision, base_date, base_revision, config_hash, repriced
        FROM execution.winning_days
        WHERE portfolio_id = ANY($1) AND trading_date <= coalesce($2, 'infinity'::date)",
    )
    .bind(ids)
    .bind(to)
    .fetch_all(connection)
    .await?;
    let mut winners: BTreeMap<PortfolioId, Winners> = BTreeMap::new();
    for row in rows {
        let portfolio = PortfolioId(row.portfolio_id);
        let (date, winner) = row.winner()?;
        winners.entry(portfolio).or_default().insert(date, winner);
    }
    Ok(winners)
}

/// The position after one completed day.
pub async fn position_after(pool: &PgPool, portfolio: PortfolioId, day: DayRef) -> Result<PortfolioDay> {
    let (cash, holdings, value_at_open): (Decimal, serde_json::Value, Decimal) = sqlx::query_as(
        "-- history::position_after
        SELECT cash, holdings, value_at_open
        FROM execution.model_days
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3",
    )
    .bind(portfolio.0)
    .bind(day.date)
    .bind(day.revision.cast_signed())
    .fetch_one(pool)
    .await?;
    let position = position(cash, holdings)?;
    Ok(PortfolioDay { day, position, value_at_open: value_at_open.normalize() })
}

pub(super) fn position(cash: Decimal, holdings: serde_json::Value) -> Result<Portfolio> {
    let holdings = serde_json::from_value(holdings).map_err(corrupt("execution.model_days"))?;
    Portfolio::new(cash.normalize(), holdings).map_err(corrupt("execution.model_days"))
}

/// How many days a job found completed, by model and by the configuration of the winning day.
pub async fn kept_days(connection: &mut Connection, job: JobId) -> Result<Vec<(String, String, usize)>> {
    let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "-- history::kept_days
        SELECT winner.model, winner.config_hash, count(*)
        FROM execution.model_days AS kept
        CROSS JOIN LATERAL (
            SELECT model, config_hash
            FROM execution.winning_days
            WHERE portfolio_id = kept.portfolio_id AND trading_date = kept.trading_date
            LIMIT 1
        ) AS winner
        WHERE kept.job_id = $1 AND kept.state = 'skipped' AND kept.detail = $2
        GROUP BY 1, 2
        ORDER BY 1, 2",
    )
    .bind(job.0)
    .bind(SkipReason::AlreadyCompleted.as_str())
    .fetch_all(connection)
    .await?;
    let kept = |(model, hash, days): (_, _, i64)| {
        let hash = present("execution.winning_days", "config_hash", hash)?;
        Ok((model, hash, usize::try_from(days).unwrap_or(usize::MAX)))
    };
    rows.into_iter().map(kept).collect()
}

/// Portfolios of a job with their models, also those that have no day to run.
pub async fn portfolios_of(connection: &mut Connection, job: JobId) -> Result<Vec<(PortfolioId, String)>> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "-- history::portfolios_of
        SELECT portfolio.id, portfolio.model
        FROM execution.portfolios AS portfolio
        WHERE portfolio.id IN (
            SELECT portfolio_id FROM execution.lanes WHERE job_id = $1
            UNION
            SELECT portfolio_id FROM execution.model_days WHERE job_id = $1
        )
        ORDER BY portfolio.id",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(id, model)| (PortfolioId(id), model)).collect())
}
