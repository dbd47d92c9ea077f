//! Keeping what a worker has claimed while it works.

use std::time::Duration;

use storage::market::{self, Preparation};
use storage::{PgPool, StorageError};
use uuid::Uuid;

/// How often leases are renewed.
const RENEWAL: Duration = Duration::from_secs(1);

/// How long a download stays its holder's after the last renewal, in seconds.
pub(crate) const FLIGHT_SECONDS: f64 = 5.0;

/// Renews a preparation and the downloads of `holder` until somebody else has claimed the preparation.
pub(crate) async fn keep(pool: &PgPool, preparation: &Preparation, holder: Uuid) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match renew(pool, preparation, holder).await {
            Ok(()) => {}
            Err(StorageError::Fenced) => return,
            // Every write is fenced, so nothing is lost when the lease runs out meanwhile.
            Err(problem) => tracing::warn!("a lease could not be renewed: {problem}"),
        }
    }
}

async fn renew(pool: &PgPool, preparation: &Preparation, holder: Uuid) -> storage::Result<()> {
    market::renew(pool, preparation).await?;
    market::renew_flights(pool, holder, FLIGHT_SECONDS).await
}
