//! What a portfolio has done: its winners, and the position after each.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::portfolio::Portfolio;
use domain::simulation::model_day::{DayRef, SkipReason, Winner, Winners};
use domain::simulation::run::PortfolioDay;
use domain::values::ids::{JobId, PortfolioId};
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::{Result, StorageError};

/// What a lane has to know of its portfolio.
#[derive(Debug, Clone, Default)]
pub struct PortfolioHistory {
    /// Winners from the latest one before `from` on.
    pub winners: Winners,
    /// Completed dates before `from`.
    pub completed_before: u32,
}

type WinnerRow = (Uuid, NaiveDate, i32, Option<NaiveDate>, Option<i32>, Option<String>, bool);

fn winner(
    (_, date, revision, base_date, base_revision, config_hash, repriced): WinnerRow,
) -> (NaiveDate, Winner) {
    let base = base_date
        .zip(base_revision)
        .map(|(date, revision)| DayRef { date, revision: revision.cast_unsigned() });
    let revision = revision.cast_unsigned();
    (date, Winner { revision, base, config_hash: config_hash.unwrap_or_default(), repriced })
}

/// The winners of `portfolio` from the latest before `from` to `to`, and how many there are before `from`.
///
/// # Errors
/// When Postgres refuses.
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
        SELECT DISTINCT ON (trading_date) portfolio_id, trading_date, revision, base_date, base_revision, config_hash,
            (trading_date, revision) IN (
                SELECT trading_date, revision FROM execution.repriced_days WHERE portfolio_id = $1
            ) AS repriced
        FROM execution.model_days
        WHERE portfolio_id = $1 AND trading_date BETWEEN $2 AND $3 AND state = 'completed'
        ORDER BY trading_date, revision DESC",
    )
    .bind(portfolio.0)
    .bind(latest.unwrap_or(from))
    .bind(to)
    .fetch_all(pool)
    .await?;
    Ok(PortfolioHistory {
        winners: rows.into_iter().map(winner).collect(),
        completed_before: u32::try_from(count).unwrap_or(u32::MAX),
    })
}

/// The winners of these portfolios in a range of dates.
///
/// # Errors
/// When Postgres refuses.
pub async fn stale_chain(
    connection: &mut PgConnection,
    portfolios: &[PortfolioId],
    to: Option<NaiveDate>,
) -> Result<BTreeMap<PortfolioId, Winners>> {
    let ids: Vec<Uuid> = portfolios.iter().map(|portfolio| portfolio.0).collect();
    let rows: Vec<WinnerRow> = sqlx::query_as(
        "-- history::stale_chain
        SELECT DISTINCT ON (portfolio_id, trading_date)
            portfolio_id, trading_date, revision, base_date, base_revision, config_hash,
            (portfolio_id, trading_date, revision) IN (
                SELECT portfolio_id, trading_date, revision FROM execution.repriced_days WHERE portfolio_id = ANY($1)
            ) AS repriced
        FROM execution.model_days
        WHERE portfolio_id = ANY($1) AND state = 'completed' AND ($2::date IS NULL OR trading_date <= $2)
        ORDER BY portfolio_id, trading_date, revision DESC",
    )
    .bind(ids)
    .bind(to)
    .fetch_all(connection)
    .await?;
    let mut chains: BTreeMap<PortfolioId, Winners> = BTreeMap::new();
    for row in rows {
        let portfolio = PortfolioId(row.0);
        let (date, winner) = winner(row);
        chains.entry(portfolio).or_default().insert(date, winner);
    }
    Ok(chains)
}

/// The position after one completed day.
///
/// # Errors
/// When Postgres refuses, or the row is not a position.
pub async fn completed_before(pool: &PgPool, portfolio: PortfolioId, day: DayRef) -> Result<PortfolioDay> {
    let (cash, holdings, value_at_open): (Decimal, serde_json::Value, Decimal) = sqlx::query_as(
        "-- history::completed_before
        SELECT cash, holdings, value_at_open
        FROM execution.model_days
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3",
    )
    .bind(portfolio.0)
    .bind(day.date)
    .bind(day.revision.cast_signed())
    .fetch_one(pool)
    .await?;
    let corrupt = |problem: String| StorageError::corrupt("execution.model_days", problem);
    let holdings = serde_json::from_value(holdings).map_err(|problem| corrupt(problem.to_string()))?;
    let position =
        Portfolio::new(cash.normalize(), holdings).map_err(|problem| corrupt(problem.to_string()))?;
    Ok(PortfolioDay { day, position, value_at_open: value_at_open.normalize() })
}

/// The days that a job found completed: how many by model and by the configuration of the day that won.
///
/// # Errors
/// When Postgres refuses.
pub async fn kept(connection: &mut PgConnection, job: JobId) -> Result<Vec<(String, String, usize)>> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "-- history::kept
        SELECT portfolio.model, coalesce(winner.config_hash, ''), count(*)
        FROM execution.model_days AS kept
        JOIN execution.portfolios AS portfolio ON portfolio.id = kept.portfolio_id
        CROSS JOIN LATERAL (
            SELECT config_hash
            FROM execution.model_days
            WHERE portfolio_id = kept.portfolio_id AND trading_date = kept.trading_date AND state = 'completed'
            ORDER BY revision DESC
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
    let count = |count: i64| usize::try_from(count).unwrap_or_default();
    Ok(rows.into_iter().map(|(model, config_hash, days)| (model, config_hash, count(days))).collect())
}

/// Portfolios of a job with their models, those without a day to run among them.
///
/// # Errors
/// When Postgres refuses.
pub async fn portfolios_of(connection: &mut PgConnection, job: JobId) -> Result<Vec<(PortfolioId, String)>> {
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
