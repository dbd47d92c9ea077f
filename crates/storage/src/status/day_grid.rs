//! All model-days of a job at a glance: their states, and why days failed.

use chrono::NaiveDate;
use domain::events::job_view::days::DayState;
use domain::values::ids::JobId;
use sqlx::FromRow;

use super::model_days::parse;
use crate::error::Result;
use crate::pool::PgPool;

/// The state of a model-day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCell {
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
    /// The date.
    pub date: NaiveDate,
    /// How far it is.
    pub state: DayState,
    /// Why it is not run; `None` for other states.
    pub skip_reason: Option<String>,
}

#[derive(FromRow)]
struct CellColumns {
    model: String,
    trial: i32,
    trading_date: NaiveDate,
    state: String,
    skip_reason: Option<String>,
}

/// The model-days of `job` that have an event, of these lanes only: each a model and a trial.
pub async fn day_cells(pool: &PgPool, job: JobId, lanes: &[(String, u32)]) -> Result<Vec<DayCell>> {
    let rows: Vec<CellColumns> = sqlx::query_as(
        "-- day_grid::day_cells
        SELECT day.model, day.trial, day.trading_date, day.state,
            CASE WHEN day.state = 'skipped' THEN day.detail END AS skip_reason
        FROM status.model_days day
        JOIN UNNEST($2::text[], $3::int[]) AS lane (model, trial)
            ON lane.model COLLATE \"C\" = day.model AND lane.trial = day.trial
        WHERE day.job_id = $1",
    )
    .bind(job.0)
    .bind(lanes.iter().map(|(model, _)| model.as_str()).collect::<Vec<_>>())
    .bind(lanes.iter().map(|(_, trial)| trial.cast_signed()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let cell = |row: CellColumns| {
        Ok(DayCell {
            model: row.model,
            trial: row.trial.cast_unsigned(),
            date: row.trading_date,
            state: parse(&row.state)?,
            skip_reason: row.skip_reason,
        })
    };
    rows.into_iter().map(cell).collect()
}

/// Failed days of a job with one cause.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FailureRow {
    /// Why the first of them failed.
    pub error: String,
    /// How many they are.
    pub days: i64,
    /// The models concerned, by name.
    pub models: Vec<String>,
    /// The first date.
    pub first_date: NaiveDate,
    /// The last date.
    pub last_date: NaiveDate,
    /// The model of the first of them.
    pub model: String,
    /// Its trial.
    #[sqlx(try_from = "i32")]
    pub trial: u32,
}

/// The failed days of `job` by cause, the most frequent first. Errors that differ only in dates, ids and long numbers have one
/// cause.
pub async fn failures_by_cause(pool: &PgPool, job: JobId, limit: i64) -> Result<Vec<FailureRow>> {
    let rows = sqlx::query_as(
        "-- day_grid::failures_by_cause
        SELECT (array_agg(error ORDER BY trading_date, model, trial))[1] AS error, count(*) AS days,
            array_agg(DISTINCT model) AS models, min(trading_date) AS first_date, max(trading_date) AS last_date,
            (array_agg(model ORDER BY trading_date, model, trial))[1] AS model,
            (array_agg(trial ORDER BY trading_date, model, trial))[1] AS trial
        FROM (
            SELECT model, trial, trading_date, coalesce(detail, '') AS error
            FROM status.model_days
            WHERE job_id = $1 AND state = 'failed'
        ) failed
        GROUP BY regexp_replace(error,
            '[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]{6,}', '#', 'g')
        ORDER BY days DESC, first_date, model, trial
        LIMIT $2",
    )
    .bind(job.0)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
