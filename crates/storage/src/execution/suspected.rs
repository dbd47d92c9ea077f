//! Overnight moves of held symbols that look like splits nobody told of.

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;
use sqlx::{PgConnection, PgPool};

use crate::error::{Result, StorageError};

/// Notes a job's, each once.
///
/// # Errors
/// When Postgres refuses.
pub async fn note_suspected(
    pool: &PgPool,
    job: JobId,
    date: NaiveDate,
    splits: &[(&Symbol, &str)],
) -> Result<()> {
    sqlx::query(
        "-- suspected::note
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

/// Symbol, date and ratio of a job's, by date and symbol.
///
/// # Errors
/// When Postgres refuses.
pub async fn suspected(
    connection: &mut PgConnection,
    job: JobId,
) -> Result<Vec<(Symbol, NaiveDate, String)>> {
    let rows: Vec<(String, NaiveDate, String)> = sqlx::query_as(
        "-- suspected::of_job
        SELECT symbol, trading_date, ratio
        FROM execution.suspected_splits
        WHERE job_id = $1
        ORDER BY trading_date, symbol",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(symbol, date, ratio)| {
            let symbol = Symbol::try_from(symbol)
                .map_err(|problem| StorageError::corrupt("execution.suspected_splits", problem))?;
            Ok((symbol, date, ratio))
        })
        .collect()
}
