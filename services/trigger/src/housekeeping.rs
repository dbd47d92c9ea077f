//! What is kept for a time only: idempotency keys, for a day.

use std::time::Duration;

use runtime::CancellationToken;
use storage::PgPool;

/// How often it is looked after. A key counts as absent once it is a day old, gone or not.
const EVERY: Duration = Duration::from_secs(60);

/// Removes what is past its time, at once and then again and again until shutdown.
pub(crate) async fn keep_house(pool: PgPool, shutdown: CancellationToken) {
    let mut rounds = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = rounds.tick() => {}
        }
        match storage::trigger::prune_keys(&pool).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!("forgot {count} idempotency keys"),
            Err(problem) => tracing::warn!("old idempotency keys could not be pruned: {problem}"),
        }
    }
}
