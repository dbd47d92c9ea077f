//! Keeping what a worker has claimed while it works.

use std::time::Duration;

use storage::market::{self, Preparation};
use storage::{PgPool, StorageError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cancelled::Hints;

/// How often leases are renewed.
const RENEWAL: Duration = Duration::from_secs(1);

/// How long a download stays its holder's after the last renewal, in seconds.
pub(crate) const FLIGHT_SECONDS: f64 = 10.0;

/// Renews a preparation and the downloads of `holder` for as long as it is polled. Once somebody else has
/// claimed the preparation, or its job was cancelled, `halt` is cancelled: calls under way are still landed, since each is its holder's
/// own, and nothing new is begun.
pub(crate) async fn keep(
    pool: &PgPool,
    preparation: &Preparation,
    holder: Uuid,
    halt: &CancellationToken,
    hints: &Hints,
) {
    let mut is_ours = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEWAL) => {}
            () = hints.taken_away() => {}
        }
        if is_ours {
            match market::renew(pool, preparation).await {
                Ok(()) => {}
                Err(StorageError::Fenced) => {
                    is_ours = false;
                    halt.cancel();
                }
                // Every write is fenced, so nothing is lost when the lease runs out meanwhile.
                Err(problem) => tracing::warn!("a claim could not be renewed: {problem}"),
            }
        }
        if let Err(problem) = market::renew_flights(pool, holder, FLIGHT_SECONDS).await {
            tracing::warn!("downloads in hand could not be renewed: {problem}");
        }
    }
}
