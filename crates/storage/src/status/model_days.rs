//! Model-days of the read model: one row for each that has an event.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::agent::conversation::StoredUsage;
use domain::events::job_view::RequestedDay;
use domain::events::job_view::days::{DayFact, DayFacts, DayFigures, DayState, DayUsage};
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::job_views::Counts;
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

/// The event of a fact, which has the rest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventRef<'a> {
    pub(super) source: &'a str,
    pub(super) id: Uuid,
}

/// Stores the facts that replace what is known, by the rule of [`DayFact::beats`], and returns how many model-days of each
/// job end by them.
pub(super) async fn upsert(
    connection: &mut Connection,
    days: &DayFacts<EventRef<'_>>,
) -> Result<BTreeMap<JobId, Counts>> {
    if days.iter().len() == 0 {
        return Ok(BTreeMap::new());
    }
    let facts: Vec<&DayFact> = days.iter().map(|(fact, _)| fact).collect();
    let sources = days.iter().map(|(fact, event)| fact.result.map(|_| event.source)).collect::<Vec<_>>();
    let events = days.iter().map(|(fact, event)| fact.result.map(|_| event.id)).collect::<Vec<_>>();
    let figures: Vec<Option<&DayFigures>> = facts.iter().map(|fact| fact.result.as_ref()).collect();
    let amounts = |pick: fn(&DayFigures) -> Decimal| -> Vec<Option<Decimal>> {
        figures.iter().map(|figures| figures.map(pick)).collect()
    };
    let numbers = |pick: fn(&DayFigures) -> Option<u32>| -> Vec<Option<i32>> {
        figures.iter().map(|figures| figures.and_then(pick).map(u32::cast_signed)).collect()
    };
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "-- model_days::upsert
        INSERT INTO status.model_days AS known (job_id, experiment, model, trial, trading_date, state, detail, attempt,
            started_at, ended_at, event_source, event_id, revision, base_date, base_revision, starting_value,
            value_at_open, value_at_close, trades, traded, usage)
        SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::int[], $5::date[], $6::text[], $7::text[],
            $8::int[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::uuid[], $13::int[], $14::date[],
            $15::int[], $16::numeric[], $17::numeric[], $18::numeric[], $19::int[], $20::numeric[], $21::jsonb[])
        ON CONFLICT (job_id, trading_date, model, trial) DO UPDATE
        SET state = excluded.state, detail = excluded.detail, attempt = excluded.attempt,
            started_at = excluded.started_at, ended_at = excluded.ended_at, event_source = excluded.event_source,
            event_id = excluded.event_id, revision = excluded.revision, base_date = excluded.base_date,
            base_revision = excluded.base_revision, starting_value = excluded.starting_value,
            value_at_open = excluded.value_at_open, value_at_close = excluded.value_at_close,
            trades = excluded.trades, traded = excluded.traded, usage = excluded.usage
        WHERE known.state = 'running' AND (excluded.state <> 'running' OR excluded.attempt > known.attempt)
        RETURNING job_id, state",
    )
    .bind(facts.iter().map(|fact| fact.key.job.0).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.key.experiment.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.key.model.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.key.trial.cast_signed()).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.key.date).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.state.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.detail.as_deref()).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.attempt.cast_signed()).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.started_at).collect::<Vec<_>>())
    .bind(facts.iter().map(|fact| fact.ended_at).collect::<Vec<_>>())
    .bind(sources)
    .bind(events)
    .bind(numbers(|figures| Some(figures.revision)))
    .bind(figures.iter().map(|figures| figures.and_then(|figures| figures.base).map(|base| base.date)).collect::<Vec<_>>())
    .bind(numbers(|figures| figures.base.map(|base| base.revision)))
    .bind(amounts(|figures| figures.starting_value))
    .bind(amounts(|figures| figures.value_at_open))
    .bind(amounts(|figures| figures.value_at_close))
    .bind(numbers(|figures| Some(figures.trades)))
    .bind(amounts(|figures| figures.traded))
    .bind(facts.iter().map(|fact| fact.usage.as_ref().map(stored)).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut ended: BTreeMap<JobId, Counts> = BTreeMap::new();
    for (job, state) in rows {
        ended.entry(JobId(job)).or_default().count(parse(&state)?);
    }
    Ok(ended)
}

fn stored(usage: &DayUsage) -> Json<StoredUsage> {
    Json(StoredUsage::new(&usage.spent, usage.possibly_paid_twice, usage.tool_calls))
}

pub(super) fn parse(state: &str) -> Result<DayState> {
    DayState::parse(state)
        .ok_or_else(|| StorageError::corrupt("status.model_days", format_args!("state {state:?}")))
}

/// Selects model-days of a job.
#[derive(Debug, Clone, Copy, Default)]
pub struct DayFilter<'a> {
    /// Of this model only.
    pub model: Option<&'a str>,
    /// In this state only.
    pub state: Option<DayState>,
    /// After this one.
    pub after: Option<&'a RequestedDay>,
    /// Up to this one, included.
    pub until: Option<&'a RequestedDay>,
}

/// A model-day, as far as its events say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// Which.
    pub day: RequestedDay,
    /// How far it is.
    pub state: DayState,
    /// Why it failed or is not run.
    pub detail: Option<String>,
    /// When the attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the attempt ended.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct DayColumns {
    trading_date: NaiveDate,
    model: String,
    trial: i32,
    state: String,
    detail: Option<String>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

/// Up to `limit` model-days of `job`, by date, then model, then trial.
pub async fn day_rows(pool: &PgPool, job: JobId, filter: &DayFilter<'_>, limit: i64) -> Result<Vec<DayRow>> {
    let (after, until) = (filter.after, filter.until);
    let rows: Vec<DayColumns> = sqlx::query_as(
        "-- model_days::day_rows
        SELECT trading_date, model, trial, state, detail, started_at, ended_at
        FROM status.model_days
        WHERE job_id = $1
            AND ($2::text IS NULL OR model = $2)
            AND ($3::text IS NULL OR state = $3)
            AND ($4::date IS NULL OR (trading_date, model, trial) > ($4, $5, $6))
            AND ($7::date IS NULL OR (trading_date, model, trial) <= ($7, $8, $9))
        ORDER BY trading_date, model, trial
        LIMIT $10",
    )
    .bind(job.0)
    .bind(filter.model)
    .bind(filter.state.map(DayState::as_str))
    .bind(after.map(|day| day.date))
    .bind(after.map(|day| day.model.as_str()))
    .bind(after.map(|day| day.trial.cast_signed()))
    .bind(until.map(|day| day.date))
    .bind(until.map(|day| day.model.as_str()))
    .bind(until.map(|day| day.trial.cast_signed()))
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let row = |row: DayColumns| {
        Ok(DayRow {
            day: RequestedDay { date: row.trading_date, model: row.model, trial: row.trial.cast_unsigned() },
            state: parse(&row.state)?,
            detail: row.detail,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
    };
    rows.into_iter().map(row).collect()
}
