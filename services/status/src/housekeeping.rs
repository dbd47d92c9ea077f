//! Counts the open dead letters, and deletes old ones.

use std::time::Duration;

use runtime::CancellationToken;
use runtime::retention::{PrunedTable, Retention};
use storage::PgPool;
use storage::status::{count_open_dead_letters, prune_dead_letters};

const INTERVAL: Duration = Duration::from_secs(15);
const DEAD_LETTERS: PrunedTable = PrunedTable { schema: "status", table: "dead_letters" };

/// Describes what is counted.
pub(crate) fn declare() {
    DEAD_LETTERS.declare();
}

/// Works at once and then at intervals until shutdown. Letters are kept for `days`.
pub(crate) async fn keep_house(pool: PgPool, days: u32, shutdown: CancellationToken) {
    let deleting = DEAD_LETTERS.keep_pruning(Retention::days(days), shutdown.clone(), |keep| {
        let pool = pool.clone();
        async move { prune_dead_letters(&pool, keep).await }
    });
    tokio::join!(deleting, keep_counting(&pool, &shutdown));
}

async fn keep_counting(pool: &PgPool, shutdown: &CancellationToken) {
    let mut rounds = tokio::time::interval(INTERVAL);
    while shutdown.run_until_cancelled(rounds.tick()).await.is_some() {
        match count_open_dead_letters(pool).await {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            Ok(open) => metrics::gauge!("modelday_dead_letters_open").set(open as f64),
            Err(problem) => tracing::warn!("dead letters could not be counted: {problem}"),
        }
    }
}
