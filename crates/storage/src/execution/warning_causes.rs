//! What the warnings of a job can be about.

use domain::values::ids::JobId;
use sqlx::FromRow;

use crate::connection::Connection;
use crate::error::Result;

/// Of which warnings a job may have any. Most jobs have none, and need no further statement to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct WarningCauses {
    /// An overnight move looked like a split.
    pub suspected_splits: bool,
    /// There are symbols whose prices are total returns.
    pub total_returns: bool,
    /// A day of an agent did not end as the agent decided.
    pub odd_ends: bool,
    /// A held symbol had no price for many sessions.
    pub unpriced_holdings: bool,
    /// Prices were replaced after the job was planned, or another job has completed days of one of its portfolios. The days
    /// of one job follow each other, and are not stale otherwise.
    pub stale_days: bool,
}

/// The causes of a job's warnings.
pub async fn warning_causes(connection: &mut Connection, job: JobId) -> Result<WarningCauses> {
    let causes = sqlx::query_as(
        "-- warning_causes::warning_causes
        SELECT EXISTS (SELECT FROM execution.suspected_splits WHERE job_id = $1) AS suspected_splits,
            EXISTS (SELECT FROM market.total_return_symbols) AS total_returns,
            EXISTS (SELECT FROM execution.transcripts WHERE job_id = $1 AND reason <> 'finished') AS odd_ends,
            EXISTS (SELECT FROM execution.unpriced_holdings WHERE job_id = $1) AS unpriced_holdings,
            (SELECT price_version FROM execution.jobs WHERE id = $1) < (SELECT version FROM market.price_version)
            OR EXISTS (
                SELECT FROM (
                    SELECT portfolio_id FROM execution.lanes WHERE job_id = $1
                    UNION
                    SELECT portfolio_id FROM execution.model_days WHERE job_id = $1
                ) AS portfolio
                JOIN execution.model_days AS day USING (portfolio_id)
                WHERE day.job_id <> $1 AND day.state = 'completed'
            ) AS stale_days",
    )
    .bind(job.0)
    .fetch_one(connection)
    .await?;
    Ok(causes)
}
