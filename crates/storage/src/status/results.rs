//! Winning model-days with their figures.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::events::job_view::days::DayFigures;
use domain::simulation::model_day::DayRef;
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use super::portfolios::Portfolio;
use crate::columns::base;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

/// A range of dates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// From this date on.
    pub from: Option<NaiveDate>,
    /// To this date, included.
    pub to: Option<NaiveDate>,
}

/// Selects days that a job completed.
#[derive(Debug, Clone, Copy, Default)]
pub struct JobDays<'a> {
    /// Of this experiment.
    pub experiment: Option<&'a str>,
    /// Of this model.
    pub model: Option<&'a str>,
    /// Of this trial.
    pub trial: Option<u32>,
    /// Of these dates.
    pub dates: Span,
}

/// Identifies a completed day of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WinnerKey {
    /// The portfolio's experiment.
    pub experiment: String,
    /// The portfolio's model.
    pub model: String,
    /// The portfolio's trial.
    pub trial: u32,
    /// Date and revision.
    pub day: DayRef,
}

/// A completed day with its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WinnerRow {
    /// Which.
    pub key: WinnerKey,
    /// The job that completed it.
    pub job: JobId,
    /// Its figures.
    pub figures: DayFigures,
}

#[derive(FromRow)]
struct DayColumns {
    job_id: Uuid,
    experiment: String,
    model: String,
    trial: i32,
    trading_date: NaiveDate,
    revision: i32,
    base_date: Option<NaiveDate>,
    base_revision: Option<i32>,
    starting_value: Decimal,
    value_at_open: Decimal,
    value_at_close: Decimal,
    trades: i32,
    traded: Decimal,
}

impl TryFrom<DayColumns> for WinnerRow {
    type Error = StorageError;

    fn try_from(row: DayColumns) -> Result<Self> {
        let revision = row.revision.cast_unsigned();
        Ok(Self {
            key: WinnerKey {
                experiment: row.experiment,
                model: row.model,
                trial: row.trial.cast_unsigned(),
                day: DayRef { date: row.trading_date, revision },
            },
            job: JobId(row.job_id),
            figures: DayFigures {
                revision,
                base: base("status.model_days", row.base_date, row.base_revision)?,
                starting_value: row.starting_value.normalize(),
                value_at_open: row.value_at_open.normalize(),
                value_at_close: row.value_at_close.normalize(),
                trades: row.trades.cast_unsigned(),
                traded: row.traded.normalize(),
            },
        })
    }
}

/// The winning days of portfolios of an experiment, by model, trial and date; of each portfolio also the last one before
/// the dates, from which the first one continued.
pub async fn winners(
    pool: &PgPool,
    experiment: &str,
    portfolios: &[Portfolio],
    dates: Span,
) -> Result<Vec<WinnerRow>> {
    let rows: Vec<DayColumns> = sqlx::query_as(
        "-- results::winners
        WITH portfolio AS MATERIALIZED (
            SELECT given.model, given.trial, coalesce((
                SELECT max(trading_date)
                FROM status.model_days day
                WHERE state = 'completed' AND experiment = $1 AND day.model = given.model
                    AND day.trial = given.trial AND trading_date < $4
            ), $4, '-infinity'::date) AS from_date
            FROM UNNEST($2::text[], $3::int[]) AS given (model, trial)
        )
        SELECT job_id, day.experiment, day.model, day.trial, trading_date, revision, base_date, base_revision,
            starting_value, value_at_open, value_at_close, trades, traded
        FROM portfolio
        CROSS JOIN LATERAL
            status.winning_days($1, portfolio.model, portfolio.trial, from_date, coalesce($5, 'infinity'::date)) AS day
        ORDER BY day.model, day.trial, trading_date",
    )
    .bind(experiment)
    .bind(portfolios.iter().map(|portfolio| portfolio.model.as_str()).collect::<Vec<_>>())
    .bind(portfolios.iter().map(|portfolio| portfolio.trial.cast_signed()).collect::<Vec<_>>())
    .bind(dates.from)
    .bind(dates.to)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The days that a job completed, whether or not a later job replaced them, by experiment, model, trial, date.
pub async fn days_of_job(pool: &PgPool, job: JobId, days: &JobDays<'_>) -> Result<Vec<WinnerRow>> {
    let rows: Vec<DayColumns> = sqlx::query_as(
        "-- results::days_of_job
        SELECT job_id, experiment, model, trial, trading_date, revision, base_date, base_revision, starting_value,
            value_at_open, value_at_close, trades, traded
        FROM status.model_days
        WHERE state = 'completed' AND job_id = $1
            AND ($2::text IS NULL OR experiment = $2)
            AND ($3::text IS NULL OR model = $3)
            AND ($4::int IS NULL OR trial = $4)
            AND trading_date BETWEEN coalesce($5, '-infinity'::date) AND coalesce($6, 'infinity'::date)
        ORDER BY experiment, model, trial, trading_date",
    )
    .bind(job.0)
    .bind(days.experiment)
    .bind(days.model)
    .bind(days.trial.map(u32::cast_signed))
    .bind(days.dates.from)
    .bind(days.dates.to)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The `model_day.completed` bodies of those of these days that are completed.
pub async fn day_bodies(pool: &PgPool, days: &[WinnerKey]) -> Result<BTreeMap<WinnerKey, String>> {
    bodies(pool, days, false).await
}

/// The `model_day.completed` bodies of those of these days that are completed and have holdings without a bar.
pub async fn stale_day_bodies(pool: &PgPool, days: &[WinnerKey]) -> Result<BTreeMap<WinnerKey, String>> {
    bodies(pool, days, true).await
}

async fn bodies(pool: &PgPool, days: &[WinnerKey], only_stale: bool) -> Result<BTreeMap<WinnerKey, String>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "-- results::bodies
        SELECT given.place, event.body
        FROM UNNEST($1::text[], $2::text[], $3::int[], $4::date[], $5::int[])
            WITH ORDINALITY AS given (experiment, model, trial, trading_date, revision, place)
        JOIN status.model_days day
            ON day.experiment = given.experiment AND day.model = given.model AND day.trial = given.trial
                AND day.trading_date = given.trading_date AND day.revision = given.revision
                AND day.state = 'completed'
        JOIN status.events event ON event.source = day.event_source AND event.id = day.event_id
        WHERE NOT $6 OR event.body LIKE '%\"stale_symbols\"%'",
    )
    .bind(days.iter().map(|key| key.experiment.as_str()).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.model.as_str()).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.trial.cast_signed()).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.day.date).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.day.revision.cast_signed()).collect::<Vec<_>>())
    .bind(only_stale)
    .fetch_all(pool)
    .await?;
    let at = |place: i64| usize::try_from(place - 1).ok().and_then(|place| days.get(place)).cloned();
    Ok(rows.into_iter().filter_map(|(place, body)| Some((at(place)?, body))).collect())
}

/// The conversations of agents' days, as JSON; other days have none.
pub async fn conversations(
    pool: &PgPool,
    days: &[(JobId, WinnerKey)],
) -> Result<BTreeMap<WinnerKey, serde_json::Value>> {
    let rows: Vec<(i64, serde_json::Value)> = sqlx::query_as(
        "-- results::conversations
        SELECT given.place, conversation.body -> 'turns'
        FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::int[], $5::date[])
            WITH ORDINALITY AS given (job_id, experiment, model, trial, trading_date, place)
        JOIN execution.conversations conversation
            ON conversation.job_id = given.job_id AND conversation.experiment = given.experiment AND conversation.model = given.model
                AND conversation.trial = given.trial AND conversation.trading_date = given.trading_date",
    )
    .bind(days.iter().map(|(job, _)| job.0).collect::<Vec<_>>())
    .bind(days.iter().map(|(_, key)| key.experiment.as_str()).collect::<Vec<_>>())
    .bind(days.iter().map(|(_, key)| key.model.as_str()).collect::<Vec<_>>())
    .bind(days.iter().map(|(_, key)| key.trial.cast_signed()).collect::<Vec<_>>())
    .bind(days.iter().map(|(_, key)| key.day.date).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let at = |place: i64| usize::try_from(place - 1).ok().and_then(|place| days.get(place));
    Ok(rows.into_iter().filter_map(|(place, turns)| Some((at(place)?.1.clone(), turns))).collect())
}
