//! Probes of the dependencies that every service has: Postgres and the broker.

use std::sync::Arc;

use messaging::Probe;
use storage::PgPool;

use crate::http::Health;
use crate::infrastructure::Infrastructure;

/// Checks Postgres by a query, and the broker by a connection.
pub fn health(pool: &PgPool, infrastructure: &Infrastructure) -> Health {
    let pool = pool.clone();
    let broker = Arc::new(Probe::new(infrastructure.broker.clone()));
    Health {
        database: Arc::new(move || {
            let pool = pool.clone();
            Box::pin(async move { storage::ping(&pool).await.is_ok() })
        }),
        broker: Arc::new(move || {
            let broker = broker.clone();
            Box::pin(async move { broker.answers().await })
        }),
        deployment: infrastructure.deployment,
    }
}
