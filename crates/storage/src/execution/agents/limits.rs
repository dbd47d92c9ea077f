//! What a call may take: tokens of its endpoint's minute, dollars of its job's budget.

use sqlx::PgConnection;

use super::super::lanes::Lane;
use super::attempts::Attempt;
use super::journal::{Call, Intent};
use crate::error::Result;

/// Takes tokens of the endpoint's current minute; a call larger than a whole minute has one to itself.
pub(super) async fn take_tokens(
    connection: &mut PgConnection,
    endpoint: &str,
    a_minute: i64,
    needed: i64,
) -> Result<bool> {
    let taken = sqlx::query(
        "-- journal::take_tokens
        INSERT INTO execution.endpoint_minutes AS used (endpoint, minute, tokens)
        VALUES ($1, date_trunc('minute', now()), $3)
        ON CONFLICT (endpoint, minute) DO UPDATE SET tokens = used.tokens + EXCLUDED.tokens
        WHERE used.tokens = 0 OR used.tokens + EXCLUDED.tokens <= $2",
    )
    .bind(endpoint)
    .bind(a_minute)
    .bind(needed)
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Holds dollars of the job's budget back; what an earlier copy of the call holds back already counts as
/// spent when that copy may have been billed.
pub(super) async fn reserve(
    connection: &mut PgConnection,
    lane: &Lane,
    attempt: &Attempt,
    intent: &Intent<'_>,
) -> Result<Call> {
    let (limited, for_good): (bool, bool) = sqlx::query_as(
        "-- journal::reserve
        WITH held AS (
            SELECT reserved
            FROM execution.journal
            WHERE portfolio_id = $2 AND trading_date = $3 AND revision = $4 AND attempt = $5 AND step = $6 AND index = $7
        ), earlier AS (
            SELECT coalesce((SELECT reserved FROM held), 0) AS held
        ), budget AS (
            UPDATE execution.budgets
            SET reserved = reserved - earlier.held + $8, spent = spent + earlier.held
            FROM earlier
            WHERE job_id = $1 AND spent + reserved + $8 <= allowed
            RETURNING job_id
        )
        SELECT EXISTS (SELECT FROM execution.budgets WHERE job_id = $1) AND NOT EXISTS (SELECT FROM budget),
            EXISTS (SELECT FROM execution.budgets WHERE job_id = $1 AND spent + $8 > allowed)",
    )
    .bind(lane.job.0)
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(intent.step.cast_signed())
    .bind(intent.index.cast_signed())
    .bind(intent.reserve)
    .fetch_one(connection)
    .await?;
    Ok(match (limited, for_good) {
        (false, _) => Call::Allowed,
        (true, true) => Call::OverBudget,
        (true, false) => Call::BudgetBusy,
    })
}
