//! Tries of agents by hand, as far as other executors have to know of them: they count against an endpoint's concurrency.

use std::time::Duration;

use chrono::NaiveDate;
use domain::simulation::model_day::DayRef;
use domain::simulation::run::PortfolioDay;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::history::position;
use crate::error::Result;
use crate::pool::PgPool;

/// The model of that name in the catalogue, if it is an agent: the text that messages carry.
pub async fn configured_agent(pool: &PgPool, signature: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sqlx::query_as(
        "-- rehearsals::configured_agent\nSELECT body FROM trigger.agents WHERE signature = $1",
    )
    .bind(signature)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(body,)| body))
}

/// The position of (experiment, model, trial) after its last completed day before `date`; `None` when it has none.
pub async fn kept_position(
    pool: &PgPool,
    (experiment, model, trial): (&str, &str, u32),
    date: NaiveDate,
) -> Result<Option<PortfolioDay>> {
    let row: Option<(NaiveDate, i32, Decimal, serde_json::Value, Decimal)> = sqlx::query_as(
        "-- rehearsals::kept_position
        SELECT d.trading_date, d.revision, d.cash, d.holdings, d.value_at_open
        FROM execution.portfolios p
        JOIN execution.model_days d ON d.portfolio_id = p.id
        WHERE p.experiment = $1 AND p.model = $2 AND p.trial = $3
            AND d.state = 'completed' AND d.trading_date < $4
        ORDER BY d.trading_date DESC, d.revision DESC
        LIMIT 1",
    )
    .bind(experiment)
    .bind(model)
    .bind(trial.cast_signed())
    .bind(date)
    .fetch_optional(pool)
    .await?;
    let day = |(date, revision, cash, holdings, value): (_, i32, _, _, Decimal)| {
        Ok(PortfolioDay {
            day: DayRef { date, revision: revision.cast_unsigned() },
            position: position(cash, holdings)?,
            value_at_open: value.normalize(),
        })
    };
    row.map(day).transpose()
}

/// The version of the stored prices.
pub async fn price_version(pool: &PgPool) -> Result<i64> {
    let (version,): (i64,) =
        sqlx::query_as("-- rehearsals::price_version\nSELECT version FROM market.price_version")
            .fetch_one(pool)
            .await?;
    Ok(version)
}

/// Takes a place at `endpoint` for at most `time`, unless `limit` lanes and tries call it already; false then.
pub async fn begin_rehearsal(
    pool: &PgPool,
    id: Uuid,
    (endpoint, limit): (&str, u32),
    holder: Option<i64>,
    time: Duration,
) -> Result<bool> {
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "-- rehearsals::begin lock
        SELECT pg_advisory_xact_lock(hashtext('endpoint'), hashtext($1))",
    )
    .bind(endpoint)
    .execute(&mut *transaction)
    .await?;
    let begun = sqlx::query(
        "-- rehearsals::begin
        INSERT INTO execution.rehearsals (id, endpoint, holder, lease_until)
        SELECT $1, $2, $4, now() + make_interval(secs => $5)
        WHERE $3 > (
            SELECT count(*) FROM execution.lanes
            WHERE endpoint = $2 AND state = 'ready'
                AND CASE WHEN lease_until > now() THEN NOT execution.is_gone(holder) ELSE false END
        ) + (
            SELECT count(*) FROM execution.rehearsals
            WHERE endpoint = $2
                AND CASE WHEN lease_until > now() THEN NOT execution.is_gone(holder) ELSE false END
        )",
    )
    .bind(id)
    .bind(endpoint)
    .bind(i64::from(limit))
    .bind(holder)
    .bind(time.as_secs_f64())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(begun.rows_affected() > 0)
}

/// Gives the place up, and those of tries that ended with their processes.
pub async fn end_rehearsal(pool: &PgPool, id: Uuid) -> Result<()> {
    sqlx::query("-- rehearsals::end\nDELETE FROM execution.rehearsals WHERE id = $1 OR lease_until < now()")
        .bind(id)
        .execute(pool)
        .await?;
    Ok(())
}
