//! Renews the leases of a worker: on its preparation, and on the downloads that it has claimed.

use std::time::Duration;

use storage::market::{self, Preparation};
use storage::{PgPool, StorageError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::cancellation::CancelHints;
use crate::download::fetch::CLAIM_SECONDS;

/// Time between two renewals.
const INTERVAL: Duration = Duration::from_secs(1);

/// Renews the leases of `holder` until the future is dropped.
///
/// When another worker has claimed the preparation, or its job was cancelled, `halt` is cancelled. The downloads
/// are renewed all the same: each is claimed separately, so the responses to calls in progress are still stored.
pub(super) async fn renew(
    pool: &PgPool,
    preparation: &Preparation,
    holder: Uuid,
    halt: &CancellationToken,
    hints: &CancelHints,
) {
    let mut is_ours = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = hints.preparations_ended() => {}
        }
        if is_ours {
            match market::renew(pool, preparation).await {
                Ok(()) => {}
                Err(StorageError::Fenced) => {
                    is_ours = false;
                    halt.cancel();
                }
                // Every write checks the epoch, so nothing is lost when the lease expires meanwhile.
                Err(problem) => tracing::warn!("the lease of a preparation could not be renewed: {problem}"),
            }
        }
        if let Err(problem) = market::renew_downloads(pool, holder, CLAIM_SECONDS).await {
            tracing::warn!("the claims of downloads could not be renewed: {problem}");
        }
    }
}
