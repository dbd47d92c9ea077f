//! Jobs that leave the database for files, and that come back. It concerns the schemas of all services, so the owner of the
//! database does it, beside the services.

mod job_tables;
mod removal;
mod return_of_jobs;
mod rows;
mod selection;

use std::sync::Arc;
use std::time::Duration;

use sqlx_postgres::PgPoolOptions;

use crate::connection::{Patience, Seen};
use crate::error::Result;
use crate::pool::{MAX_ACQUIRE, PgPool};
use crate::servers::Servers;

pub use job_tables::{JOB_TABLES, JobTable};
pub use removal::{Removal, remove};
pub use return_of_jobs::{Return, put_back};
pub use rows::{Rows, columns, count_rows, rows};
pub use selection::{Archivable, NamedPortfolio, archivable};

/// How long a statement may take: a job may have millions of rows.
const MAX_ANSWER: Duration = Duration::from_secs(3_600);
/// Connections: one that holds the lock, one that reads and writes.
const CONNECTIONS: u32 = 2;

/// Connections of the owner of the database at `url`, to the server of it that takes writes.
///
/// # Errors
/// When Postgres does not answer.
pub async fn connect(url: &str) -> Result<PgPool> {
    let options = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(MAX_ACQUIRE);
    let options = options.after_connect(|connection, _| {
        Box::pin(async move {
            // Rows are read as texts.
            sqlx::query("SET TIME ZONE 'UTC'").execute(&mut *connection).await?;
            sqlx::query("SET datestyle TO ISO, YMD").execute(&mut *connection).await?;
            Ok(())
        })
    });
    let patience = Patience { limit: MAX_ANSWER, seen: Arc::new(Seen::new()) };
    let primary = Servers::of(url)?.primary().await?;
    Ok(PgPool::from(options.connect_with(primary).await?).with_patience(patience))
}

/// The lock of the one process that archives or brings jobs back. It ends with the connection.
///
/// # Errors
/// When Postgres does not answer.
pub async fn lock(pool: &PgPool) -> Result<Option<crate::Connection>> {
    let mut connection = pool.open().await?;
    let taken: bool =
        sqlx::query_scalar("-- archive::lock\nSELECT pg_try_advisory_lock(hashtext('archive'), 0)")
            .fetch_one(&mut connection)
            .await?;
    Ok(taken.then_some(connection))
}
