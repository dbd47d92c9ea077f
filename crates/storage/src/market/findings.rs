//! What was unexpected in the answers that a preparation received.

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;

use crate::columns::symbol;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// What was unexpected about one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The symbol.
    pub symbol: Symbol,
    /// Sessions whose stored bar differs from a newer answer, ascending; the stored one stays.
    pub revised: Vec<NaiveDate>,
    /// Rows that are not bars, each with its problem.
    pub rejected: Vec<String>,
}

/// Adds what was unexpected in an answer about a symbol to what earlier answers had.
pub(super) async fn add(
    connection: &mut Connection,
    job: JobId,
    symbol: &Symbol,
    revised: &[NaiveDate],
    rejected: &[&str],
) -> Result<()> {
    if revised.is_empty() && rejected.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "-- findings::add
        INSERT INTO market.findings AS known (job_id, symbol, revised, rejected)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (job_id, symbol) DO UPDATE
        SET revised = ARRAY(SELECT DISTINCT UNNEST(known.revised || excluded.revised) ORDER BY 1),
            rejected = ARRAY(SELECT DISTINCT UNNEST(known.rejected || excluded.rejected) ORDER BY 1)",
    )
    .bind(job.0)
    .bind(symbol.as_str())
    .bind(revised)
    .bind(rejected)
    .execute(connection)
    .await?;
    Ok(())
}

/// What was unexpected in the answers that a job's preparation has received so far, by symbol.
pub async fn findings(pool: &PgPool, job: JobId) -> Result<Vec<Finding>> {
    let rows: Vec<(String, Vec<NaiveDate>, Vec<String>)> = sqlx::query_as(
        "-- findings::findings
        SELECT symbol, revised, rejected
        FROM market.findings
        WHERE job_id = $1
        ORDER BY symbol",
    )
    .bind(job.0)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(name, revised, rejected)| {
            Ok(Finding { symbol: symbol("market.findings", name)?, revised, rejected })
        })
        .collect()
}
