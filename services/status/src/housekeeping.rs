//! Counts the open dead letters, and deletes old ones.

use std::time::Duration;

use runtime::CancellationToken;
use storage::PgPool;
use storage::status::{count_open_dead_letters, prune_dead_letters};

const INTERVAL: Duration = Duration::from_secs(15);

/// Works at once and then at intervals until shutdown. Letters are kept for `days`.
pub(crate) async fn keep_house(pool: PgPool, days: u32, shutdown: CancellationToken) {
    let mut rounds = tokio::time::interval(INTERVAL);
    while shutdown.run_until_cancelled(rounds.tick()).await.is_some() {
        if let Err(problem) = round(&pool, days).await {
            tracing::warn!("dead letters could not be counted or pruned: {problem}");
        }
    }
}

async fn round(pool: &PgPool, days: u32) -> storage::Result<()> {
    let deleted = prune_dead_letters(pool, days).await?;
    if deleted > 0 {
        tracing::info!("deleted {deleted} dead letters that were older than {days} days");
    }
    let open = count_open_dead_letters(pool).await?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("modelday_dead_letters_open").set(open as f64);
    Ok(())
}
