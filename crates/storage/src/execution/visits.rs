//! Visits: turns that a client takes which decides a lane's days by itself.

use super::lanes::{LaneRow, Take, Taker};
use crate::error::Result;
use crate::pool::PgPool;
use crate::sql::is_free;

/// Takes the turn of the lane that holds a portfolio and whose days a client decides, due or not, for three seconds.
/// [`Take::Held`]: a worker or another visit has it; [`Take::Over`]: there is no such lane.
pub async fn take_for_visit(
    pool: &PgPool,
    (experiment, model, trial): (&str, &str, u32),
    taker: Taker,
) -> Result<Take> {
    let taken: Option<LaneRow> = sqlx::query_as(concat!(
        "-- visits::take
        UPDATE execution.lanes
        SET epoch = epoch + 1, lease_until = now() + interval '3 s', not_before = NULL, crashes = crashes + 1,
            holder = $4, state = 'ready'
        WHERE id = (SELECT holder FROM execution.portfolios WHERE experiment = $1 AND model = $2 AND trial = $3)
            AND endpoint LIKE 'mcp:%' AND (
                state = 'ready'
                -- The lanes of a job run when all of them are planned.
                OR state = 'parked' AND EXISTS (
                    SELECT FROM execution.jobs WHERE jobs.id = lanes.job_id AND planned_portfolios IS NULL
                )
            )
            AND ",
        is_free!(),
        "
        RETURNING id, job_id, portfolio_id, model, trial, routing_key, dates, done, turn, epoch, crashes, endpoint,
            traceparent"
    ))
    .bind(experiment)
    .bind(model)
    .bind(trial.cast_signed())
    .bind(taker.holder)
    .fetch_optional(pool)
    .await?;
    if let Some(row) = taken {
        return Ok(Take::Taken(row.lane(None)?));
    }
    let (is_open,): (bool,) = sqlx::query_as(
        "-- visits::take held
        SELECT EXISTS (
            SELECT FROM execution.portfolios AS portfolio
            JOIN execution.lanes AS lane ON lane.id = portfolio.holder
            WHERE portfolio.experiment = $1 AND portfolio.model = $2 AND portfolio.trial = $3
                AND lane.state IN ('ready', 'parked') AND lane.endpoint LIKE 'mcp:%'
        )",
    )
    .bind(experiment)
    .bind(model)
    .bind(trial.cast_signed())
    .fetch_one(pool)
    .await?;
    Ok(if is_open { Take::Held } else { Take::Over })
}
