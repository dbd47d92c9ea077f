//! Completed days of one portfolio with their events, page by page.

use chrono::NaiveDate;
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::pool::PgPool;

/// Selects completed days of a portfolio.
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
    /// Whether days without a filled order are among them.
    pub trading: Trading,
}

/// Selects days by their trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trading {
    /// All days.
    Any,
    /// Days with a filled order.
    Filled,
}

/// A completed day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedDayEvent {
    /// The job that completed it.
    pub job: JobId,
    /// Its `model_day.completed`, as it was sent.
    pub body: String,
    /// The portfolio's value at the close of the day from which it continued, in dollars; `None` on a first day.
    pub base_close: Option<Decimal>,
}

#[derive(FromRow)]
struct DayColumns {
    job_id: Uuid,
    trading_date: NaiveDate,
    body: Option<String>,
    base_close: Option<Decimal>,
}

/// Completed days of a portfolio out of `$source`, each with its event.
macro_rules! completed_days {
    ($name:literal, $source:literal) => {
        concat!(
            "-- portfolio_days::completed_days ",
            $name,
            "
        SELECT day.job_id, day.trading_date, event.body, base.value_at_close AS base_close
        FROM (
            SELECT job_id, trading_date, event_source, event_id, base_date, base_revision
            FROM ",
            $source,
            "
            WHERE trades > 0 OR NOT $6
            ORDER BY trading_date
            LIMIT $7
        ) day
        LEFT JOIN status.events event ON event.source = day.event_source AND event.id = day.event_id
        LEFT JOIN status.model_days base
            ON base.state = 'completed' AND base.experiment = $1 AND base.model = $2 AND base.trial = $3
                AND base.trading_date = day.base_date AND base.revision = day.base_revision
        ORDER BY day.trading_date"
        )
    };
}

const WINNING: &str = completed_days!("winning", "status.winning_days($1, $2, $3, $4, $5)");
const OF_JOB: &str = completed_days!(
    "of_job",
    "(
                SELECT job_id, trading_date, event_source, event_id, base_date, base_revision, trades
                FROM status.model_days
                WHERE state = 'completed' AND experiment = $1 AND model = $2 AND trial = $3
                    AND trading_date BETWEEN $4 AND $5 AND job_id = $8
            ) completed"
);

/// Up to `limit` completed days of a portfolio, by date.
///
/// # Errors
/// [`StorageError::Corrupt`] when the log lacks the event of a day.
///
/// [`StorageError::Corrupt`]: crate::StorageError::Corrupt
pub async fn completed_days(pool: &PgPool, of: &DaysOf<'_>, limit: i64) -> Result<Vec<CompletedDayEvent>> {
    let mut query = sqlx::query_as(if of.job.is_some() { OF_JOB } else { WINNING })
        .bind(of.experiment)
        .bind(of.model)
        .bind(of.trial.cast_signed())
        .bind(of.from)
        .bind(of.to)
        .bind(of.trading == Trading::Filled)
        .bind(limit);
    if let Some(job) = of.job {
        query = query.bind(job.0);
    }
    let rows: Vec<DayColumns> = query.fetch_all(pool).await?;
    let day = |row: DayColumns| {
        let missing = || {
            StorageError::corrupt(
                "status.model_days",
                format_args!("{} of {} has no event", row.trading_date, of.model),
            )
        };
        let body = row.body.ok_or_else(missing)?;
        Ok(CompletedDayEvent {
            job: JobId(row.job_id),
            body,
            base_close: row.base_close.map(|value| value.normalize()),
        })
    };
    rows.into_iter().map(day).collect()
}
