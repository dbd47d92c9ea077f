//! Searches the outboxes for events that were not projected, and projects them.

use std::time::Instant;

use messaging::topology;
use storage::PgPool;
use storage::outbox::StoredMessage;
use storage::status::{Upstream, missing_events, outbox_extents};
use tokio::sync::Mutex;

use super::watermark::Watermark;
use crate::projector::{Message, Projector};

/// Ids searched by one statement.
const MAX_IDS: i64 = 5_000;
/// Events projected in one transaction.
const MAX_BATCH: usize = 500;

pub(crate) struct CatchUp {
    pool: PgPool,
    outboxes: Mutex<[Watermark; 3]>,
}

impl CatchUp {
    /// Reads on connections of `pool`.
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, outboxes: Mutex::default() }
    }

    /// Projects every event of an outbox that the log lacks.
    pub(crate) async fn run(&self, projector: &Projector) {
        match self.scan(projector).await {
            Ok(0) => {}
            Ok(count) => tracing::info!("took {count} events from the outboxes"),
            Err(problem) => tracing::warn!("the outboxes could not be looked through: {problem}"),
        }
    }

    async fn scan(&self, projector: &Projector) -> storage::Result<usize> {
        let mut outboxes = self.outboxes.lock().await;
        let begun = Instant::now();
        let extents = outbox_extents(&self.pool).await?;
        let mut count = 0;
        for ((upstream, watermark), extent) in Upstream::ALL.into_iter().zip(outboxes.iter_mut()).zip(extents)
        {
            let Some((mut after, last)) = watermark.due(extent) else { continue };
            while after < last {
                let until = last.min(after + MAX_IDS);
                let mut rows = missing_events(&self.pool, upstream, topology::EVENTS, after, until).await?;
                rows.retain(|row| !watermark.unprojectable.contains(&row.event_id));
                for batch in rows.chunks(MAX_BATCH) {
                    count += take(projector, upstream, batch, watermark).await?;
                }
                after = until;
            }
            watermark.scanned(last, begun);
        }
        Ok(count)
    }
}

/// Projects events of an outbox; returns how many could be.
async fn take(
    projector: &Projector,
    upstream: Upstream,
    rows: &[StoredMessage],
    watermark: &mut Watermark,
) -> storage::Result<usize> {
    let messages: Vec<Message<'_>> = rows.iter().map(|row| Message::stored(upstream, row)).collect();
    let rejected = projector.project(&messages).await?;
    for rejected in &rejected {
        let row = &rows[rejected.index];
        tracing::error!(
            message.id = %row.event_id,
            job.id = %row.job_id,
            reason = rejected.reason,
            "an event of the {upstream:?} outbox cannot be projected"
        );
        watermark.unprojectable.insert(row.event_id);
    }
    Ok(rows.len() - rejected.len())
}
