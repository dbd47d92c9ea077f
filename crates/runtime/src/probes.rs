//! Probes of what every service needs: Postgres and the broker.

use std::sync::Arc;

use storage::PgPool;

use crate::http::Health;
use crate::infrastructure::Infrastructure;

/// Postgres answers a query; the broker takes connections.
pub fn health(pool: &PgPool, infrastructure: &Infrastructure) -> Health {
    let pool = pool.clone();
    let broker = (infrastructure.broker.host().to_owned(), infrastructure.broker.port());
    Health {
        database: Arc::new(move || {
            let pool = pool.clone();
            Box::pin(async move { storage::ping(&pool).await.is_ok() })
        }),
        broker: Arc::new(move || {
            let broker = broker.clone();
            Box::pin(async move { tokio::net::TcpStream::connect(broker).await.is_ok() })
        }),
        deployment: infrastructure.deployment,
    }
}
