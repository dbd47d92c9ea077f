//! Rebuilding the read model from the event log. The numbers of events stay, so that streams go on.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::events::event::Event;
use domain::events::job_view::days::{DayFacts, facts};
use domain::values::ids::JobId;
use uuid::Uuid;

use super::chains::{self, Changes};
use super::model_days::{self, EventRef};
use super::{event_log, projection};
use crate::columns::corrupt;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

const PAGE: i64 = 500;

/// Rebuilds one job in one transaction; readers see the old rows until it commits. `decode` takes the kind and the body of
/// an event.
///
/// # Errors
/// [`StorageError::Corrupt`] when a logged event cannot be read.
///
/// [`StorageError::Corrupt`]: crate::StorageError::Corrupt
pub async fn rebuild(
    pool: &PgPool,
    id: JobId,
    decode: impl Fn(&str, &str) -> std::result::Result<Event, String>,
) -> Result<()> {
    let Some((mut transaction, mut jobs)) = projection::lock(pool, &BTreeSet::from([id])).await? else {
        return Ok(());
    };
    let mut changes = delete_days(&mut transaction, id).await?;
    if let Some(job) = jobs.get_mut(&id) {
        job.clear();
        let mut after = 0;
        loop {
            let logged = event_log::page(&mut transaction, id, after, PAGE).await?;
            let Some(last) = logged.last() else { break };
            after = last.seq;
            let mut days = DayFacts::default();
            for row in &logged {
                let event = decode(&row.kind, &row.body).map_err(corrupt("status.events"))?;
                job.add(&event, row.occurred_at, row.traceparent.as_deref());
                for fact in facts(&event) {
                    days.add(fact, EventRef { source: &row.source, id: row.id });
                }
            }
            changes.merge(Changes::of(days.iter().map(|(fact, _)| fact)));
            for ended in model_days::upsert(&mut transaction, &days).await?.into_values() {
                job.counts.add(ended);
            }
        }
    }
    chains::follow(&mut transaction, &changes).await?;
    projection::store(&mut transaction, &jobs).await?;
    transaction.commit().await?;
    Ok(())
}

/// Deletes the rows of a job's model-days; returns the chains that this changes.
async fn delete_days(connection: &mut Connection, id: JobId) -> Result<Changes> {
    let rows: Vec<(String, String, i32, NaiveDate)> = sqlx::query_as(
        "-- rebuild::delete_days
        WITH deleted AS (
            DELETE FROM status.model_days WHERE job_id = $1 RETURNING experiment, model, trial, trading_date, state
        )
        SELECT experiment, model, trial, min(trading_date)
        FROM deleted
        WHERE state = 'completed'
        GROUP BY experiment, model, trial",
    )
    .bind(id.0)
    .fetch_all(connection)
    .await?;
    let mut changes = Changes::default();
    for (experiment, model, trial, first) in rows {
        changes.add((experiment, model, trial.cast_unsigned()), first);
    }
    Ok(changes)
}

/// Rebuilds every job, one after another; returns how many.
///
/// # Errors
/// As [`rebuild`]; the jobs before the one that failed are rebuilt.
pub async fn rebuild_all(
    pool: &PgPool,
    decode: impl Fn(&str, &str) -> std::result::Result<Event, String>,
) -> Result<usize> {
    let ids: Vec<(Uuid,)> = sqlx::query_as("-- rebuild::rebuild_all\nSELECT id FROM status.jobs ORDER BY id")
        .fetch_all(pool)
        .await?;
    for (id,) in &ids {
        rebuild(pool, JobId(*id), &decode).await?;
    }
    Ok(ids.len())
}
