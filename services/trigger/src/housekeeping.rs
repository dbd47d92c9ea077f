//! Removes idempotency keys after a day.

use std::time::Duration;

use runtime::CancellationToken;
use storage::PgPool;

/// Time between two removals. A key that is a day old counts as absent already.
const INTERVAL: Duration = Duration::from_secs(60);

/// Removes old keys, at once and then at intervals until shutdown.
pub(crate) async fn keep_house(pool: PgPool, shutdown: CancellationToken) {
    let mut rounds = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = rounds.tick() => {}
        }
        match storage::trigger::prune_keys(&pool).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!("removed {count} idempotency keys"),
            Err(problem) => tracing::warn!("old idempotency keys could not be pruned: {problem}"),
        }
    }
}
