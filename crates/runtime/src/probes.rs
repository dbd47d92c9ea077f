//! Probes of what every service needs: Postgres and the broker.

use std::sync::Arc;

use messaging::Probe;
use storage::PgPool;

use crate::http::Health;
use crate::infrastructure::Infrastructure;

/// Postgres answers a query; the broker has us connected.
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
