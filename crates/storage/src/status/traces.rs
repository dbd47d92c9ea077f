//! In which trace a model-day was run: that of its event.

use chrono::NaiveDate;
use domain::values::ids::JobId;
use sqlx::types::Json;

use crate::error::Result;
use crate::pool::PgPool;

/// The types of events that a model-day is run in, without those of days that are not run.
const KINDS: [&str; 3] =
    ["modelday.model_day.started.v1", "modelday.model_day.completed.v1", "modelday.model_day.failed.v1"];

/// A model-day of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracedDay<'a> {
    /// The model.
    pub model: &'a str,
    /// The trial, from 0.
    pub trial: u32,
    /// The session.
    pub date: NaiveDate,
}

/// The trace context of the last event of a model-day; `None` when it has none.
pub async fn day_traceparent(pool: &PgPool, job: JobId, day: TracedDay<'_>) -> Result<Option<String>> {
    let TracedDay { model, trial, date } = day;
    // The row of a completed day names its event.
    let named: Option<(Option<String>,)> = sqlx::query_as(
        "-- traces::of_completed
        SELECT event.traceparent
        FROM status.model_days day
        JOIN status.events event ON event.source = day.event_source AND event.id = day.event_id
        WHERE day.job_id = $1 AND day.trading_date = $2 AND day.model = $3 AND day.trial = $4",
    )
    .bind(job.0)
    .bind(date)
    .bind(model)
    .bind(trial.cast_signed())
    .fetch_optional(pool)
    .await?;
    if let Some((traceparent,)) = named {
        return Ok(traceparent);
    }
    let key = serde_json::json!({ "model": model, "trading_date": date.to_string() });
    let last: Option<(Option<String>,)> = sqlx::query_as(
        "-- traces::of_last_event
        SELECT traceparent
        FROM status.events
        WHERE job_id = $1 AND kind = ANY($2) AND strpos(body, $3) > 0 AND body::jsonb -> 'key' @> $4
            -- A trial of 0 is omitted.
            AND coalesce((body::jsonb #>> '{key,trial}')::bigint, 0) = $5
        ORDER BY seq DESC
        LIMIT 1",
    )
    .bind(job.0)
    .bind(KINDS.to_vec())
    .bind(date.to_string())
    .bind(Json(key))
    .bind(i64::from(trial))
    .fetch_optional(pool)
    .await?;
    Ok(last.and_then(|(traceparent,)| traceparent))
}
