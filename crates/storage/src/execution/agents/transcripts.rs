//! The conversations of days that have ended.

use chrono::{DateTime, NaiveDate, Utc};
use domain::values::ids::JobId;
use serde_json::Value;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// Which day of which job.
#[derive(Debug, Clone)]
pub struct DayKey {
    /// The job that ran it.
    pub job: JobId,
    /// The model's signature.
    pub model: String,
    /// Which of its portfolios.
    pub trial: u32,
    /// The session.
    pub date: NaiveDate,
}

/// How a day ended, with the conversation of an agent's.
#[derive(Debug, Clone, FromRow)]
pub struct EndedDay {
    /// `completed`, `failed` or `skipped`.
    pub state: String,
    /// Why it failed or was skipped.
    pub detail: Option<String>,
    /// Counted from 1; 0 when it was not run.
    pub attempt: i32,
    /// The revision it wrote.
    pub revision: Option<i32>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// Of agents: why the conversation ended.
    pub reason: Option<String>,
    /// Of agents: summary, usage and turns.
    pub conversation: Option<Value>,
}

/// A day of a job; `None` when it has not ended, or the job does not have it.
pub async fn ended_day(pool: &PgPool, key: &DayKey) -> Result<Option<EndedDay>> {
    let row = sqlx::query_as(
        "-- transcripts::ended_day
        SELECT day.state, day.detail, day.attempt, day.revision, day.ended_at, said.reason, said.body AS conversation
        FROM execution.model_days day
        JOIN execution.portfolios portfolio ON portfolio.id = day.portfolio_id
        LEFT JOIN execution.transcripts said
            ON said.job_id = day.job_id AND said.portfolio_id = day.portfolio_id
                AND said.trading_date = day.trading_date
        WHERE day.job_id = $1 AND portfolio.model = $2 AND portfolio.trial = $3 AND day.trading_date = $4",
    )
    .bind(key.job.0)
    .bind(&key.model)
    .bind(key.trial.cast_signed())
    .bind(key.date)
    .fetch_optional(pool)
    .await?;
    Ok(row)
}
