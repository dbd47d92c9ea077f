//! What downloader reads of portfolios in schema `execution`: the days that they have completed, and what they hold.

use chrono::NaiveDate;
use domain::market::instruments::Symbol;

use crate::columns::symbol;
use crate::error::Result;
use crate::pool::PgPool;

/// The dates of `experiment` that each of these portfolios has completed, from `from` to `to`.
pub async fn completed_days(
    pool: &PgPool,
    experiment: &str,
    models: &[String],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(String, u32, NaiveDate)>> {
    let rows: Vec<(String, i32, NaiveDate)> = sqlx::query_as(
        "-- portfolios::completed_days
        SELECT model, trial, trading_date
        FROM execution.completed_days
        WHERE experiment = $1 AND model = ANY($2) AND trading_date BETWEEN $3 AND $4",
    )
    .bind(experiment)
    .bind(models)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(model, trial, date)| (model, trial.cast_unsigned(), date)).collect())
}

/// The symbols that each of these portfolios of `experiment` holds after its last completed day.
pub async fn held_symbols(
    pool: &PgPool,
    experiment: &str,
    models: &[String],
) -> Result<Vec<(String, u32, Symbol)>> {
    let rows: Vec<(String, i32, String)> = sqlx::query_as(
        "-- portfolios::held_symbols
        SELECT model, trial, symbol
        FROM execution.held_symbols
        WHERE experiment = $1 AND model = ANY($2)
        ORDER BY symbol, model, trial",
    )
    .bind(experiment)
    .bind(models)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(model, trial, name)| {
            Ok((model, trial.cast_unsigned(), symbol("execution.held_symbols", name)?))
        })
        .collect()
}

/// How many completed days rest on prices that were replaced after they ran: those that ran on them, and all later ones
/// of their portfolios.
pub async fn repriced_days(pool: &PgPool) -> Result<u64> {
    let (days,): (i64,) = sqlx::query_as(
        "-- portfolios::repriced_days
        WITH first AS (
            SELECT experiment, model, trial, min(trading_date) AS trading_date
            FROM execution.repriced_days
            GROUP BY experiment, model, trial
        )
        SELECT count(*)
        FROM execution.completed_days AS day
        JOIN first USING (experiment, model, trial)
        WHERE day.trading_date >= first.trading_date",
    )
    .fetch_one(pool)
    .await?;
    Ok(days.cast_unsigned())
}
