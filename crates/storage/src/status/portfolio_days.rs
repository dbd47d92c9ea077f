//! Completed days of one portfolio as their events tell them, page by page.

use chrono::NaiveDate;
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::error::{Result, StorageError};

/// Which completed days of a portfolio.
#[derive(Debug, Clone, Copy)]
pub struct DaysOf<'a> {
    /// The portfolio's experiment.
    pub experiment: &'a str,
    /// The portfolio's model.
    pub model: &'a str,
    /// The portfolio's trial.
    pub trial: u32,
    /// Only days that this job completed, whether or not a later job replaced them; otherwise the winners.
    pub job: Option<JobId>,
    /// From this date on.
    pub from: NaiveDate,
    /// To this date, included.
    pub to: NaiveDate,
    /// Which of them.
    pub trading: Trading,
}

/// Whether days without a filled order matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trading {
    /// All days.
    Any,
    /// Days with a filled order.
    Filled,
}

/// A completed day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldDay {
    /// The job that completed it.
    pub job: JobId,
    /// Its `model_day.completed`, as it was sent.
    pub body: String,
    /// What the portfolio was worth at the close of the day that it continued from; `None` on a first day.
    pub base_close: Option<Decimal>,
}

#[derive(FromRow)]
struct Columns {
    job_id: Uuid,
    trading_date: NaiveDate,
    body: Option<String>,
    base_close: Option<Decimal>,
}

/// Up to `limit` completed days of a portfolio, by date.
///
/// # Errors
/// When Postgres refuses, or the log lacks the event of a day.
pub async fn told_days(pool: &PgPool, of: &DaysOf<'_>, limit: i64) -> Result<Vec<ToldDay>> {
    let rows: Vec<Columns> = sqlx::query_as(
        "-- portfolio_days::told_days
        SELECT day.job_id, day.trading_date, event.body, base.value_at_close AS base_close
        FROM (
            SELECT *
            FROM (
                SELECT DISTINCT ON (trading_date)
                    job_id, trading_date, event_source, event_id, base_date, base_revision, trades
                FROM status.model_days
                WHERE state = 'completed'
                    AND experiment = $1 AND model = $2 AND trial = $3
                    AND trading_date BETWEEN $4 AND $5
                    AND ($6::uuid IS NULL OR job_id = $6)
                ORDER BY trading_date, revision DESC
            ) completed
            WHERE trades > 0 OR NOT $7
            ORDER BY trading_date
            LIMIT $8
        ) day
        LEFT JOIN status.events event ON event.source = day.event_source AND event.id = day.event_id
        LEFT JOIN status.model_days base
            ON base.state = 'completed' AND base.experiment = $1 AND base.model = $2 AND base.trial = $3
                AND base.trading_date = day.base_date AND base.revision = day.base_revision
        ORDER BY day.trading_date",
    )
    .bind(of.experiment)
    .bind(of.model)
    .bind(of.trial.cast_signed())
    .bind(of.from)
    .bind(of.to)
    .bind(of.job.map(|job| job.0))
    .bind(of.trading == Trading::Filled)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let told = |row: Columns| {
        let missing = || {
            let day = format_args!("{} of {} has no event", row.trading_date, of.model).to_string();
            StorageError::corrupt("status.model_days", day)
        };
        let body = row.body.ok_or_else(missing)?;
        Ok(ToldDay {
            job: JobId(row.job_id),
            body,
            base_close: row.base_close.map(|value| value.normalize()),
        })
    };
    rows.into_iter().map(told).collect()
}
