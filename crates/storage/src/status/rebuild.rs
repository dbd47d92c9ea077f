//! The read model again from the event log. Numbers of events stay, so that live streams go on.

use std::collections::BTreeSet;

use domain::event::Event;
use domain::fold::days::{DayFacts, facts};
use domain::ids::JobId;
use sqlx::PgPool;
use uuid::Uuid;

use super::model_days::{self, EventRef};
use super::{event_log, projection};
use crate::error::{Result, StorageError};

const PAGE: i64 = 500;

/// Rebuilds one job in one transaction; readers see the old rows until it commits. `decode` reads a body of
/// a kind.
///
/// # Errors
/// When Postgres refuses, or a logged event cannot be read; the read model is then as it was.
pub async fn rebuild(
    pool: &PgPool,
    id: JobId,
    decode: impl Fn(&str, &str) -> std::result::Result<Event, String>,
) -> Result<()> {
    let Some((mut transaction, mut jobs)) = projection::lock(pool, &BTreeSet::from([id])).await? else {
        return Ok(());
    };
    sqlx::query("-- rebuild::rebuild\nDELETE FROM status.model_days WHERE job_id = $1")
        .bind(id.0)
        .execute(&mut *transaction)
        .await?;
    if let Some(job) = jobs.get_mut(&id) {
        job.forget();
        let mut after = 0;
        loop {
            let logged = event_log::page(&mut transaction, id, after, PAGE).await?;
            let Some(last) = logged.last() else { break };
            after = last.seq;
            let mut days = DayFacts::default();
            for row in &logged {
                let event = decode(&row.kind, &row.body)
                    .map_err(|problem| StorageError::corrupt("status.events", problem))?;
                job.add(&event, row.occurred_at, row.traceparent.as_deref());
                for fact in facts(&event) {
                    days.add(fact, EventRef { source: &row.source, id: row.id });
                }
            }
            for ended in model_days::upsert(&mut transaction, &days).await?.into_values() {
                job.counts.add(ended);
            }
        }
    }
    projection::store(&mut transaction, &jobs).await?;
    transaction.commit().await?;
    Ok(())
}

/// Rebuilds every job, one after another; answers how many.
///
/// # Errors
/// As [`rebuild`]; the jobs before the one in question are done.
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
