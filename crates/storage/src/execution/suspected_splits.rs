//! Overnight moves of held symbols that look like splits that were not imported.

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;

use crate::columns::symbol;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// Records suspected splits of a session for the warnings of a job, each once.
pub async fn record_suspected_splits(
    pool: &PgPool,
    job: JobId,
    date: NaiveDate,
    splits: &[(&Symbol, &str)],
) -> Result<()> {
    sqlx::query(
        "-- suspected_splits::record_suspected_splits
        INSERT INTO execution.suspected_splits (job_id, symbol, trading_date, ratio)
        SELECT $1, symbol, $2, ratio FROM UNNEST($3::text[], $4::text[]) AS given (symbol, ratio)
        ON CONFLICT DO NOTHING",
    )
    .bind(job.0)
    .bind(date)
    .bind(splits.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>())
    .bind(splits.iter().map(|(_, ratio)| *ratio).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// Symbol, date and ratio of each suspected split of a job, by date and symbol.
pub async fn suspected_splits(
    connection: &mut Connection,
    job: JobId,
) -> Result<Vec<(Symbol, NaiveDate, String)>> {
    let rows: Vec<(String, NaiveDate, String)> = sqlx::query_as(
        "-- suspected_splits::suspected_splits
        SELECT symbol, trading_date, ratio
        FROM execution.suspected_splits
        WHERE job_id = $1
        ORDER BY trading_date, symbol",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(name, date, ratio)| Ok((symbol("execution.suspected_splits", name)?, date, ratio)))
        .collect()
}
