//! Held symbols that had no price for many sessions.

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;

use crate::columns::symbol;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// Records held symbols with the sessions of their last known prices for the warnings of a job, each once.
pub async fn record_unpriced_holdings(
    pool: &PgPool,
    job: JobId,
    holdings: &[(Symbol, NaiveDate)],
) -> Result<()> {
    sqlx::query(
        "-- unpriced_holdings::record_unpriced_holdings
        INSERT INTO execution.unpriced_holdings (job_id, symbol, price_date)
        SELECT $1, symbol, price_date FROM UNNEST($2::text[], $3::date[]) AS given (symbol, price_date)
        ON CONFLICT DO NOTHING",
    )
    .bind(job.0)
    .bind(holdings.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>())
    .bind(holdings.iter().map(|(_, date)| *date).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// Symbol and last price's session of each held symbol of a job that had no price for many sessions, by symbol.
pub async fn unpriced_holdings(connection: &mut Connection, job: JobId) -> Result<Vec<(Symbol, NaiveDate)>> {
    let rows: Vec<(String, NaiveDate)> = sqlx::query_as(
        "-- unpriced_holdings::unpriced_holdings
        SELECT symbol, price_date
        FROM execution.unpriced_holdings
        WHERE job_id = $1
        ORDER BY symbol",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(name, date)| Ok((symbol("execution.unpriced_holdings", name)?, date))).collect()
}
