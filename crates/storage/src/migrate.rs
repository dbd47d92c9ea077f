//! Bringing the schema up to date.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx_postgres::PgPoolOptions;
use tokio::time::timeout;

use crate::error::{Result, StorageError};
use crate::pool::MAX_ACQUIRE;
use crate::servers::Servers;

/// How long all migrations may take together. A server that is gone without a word is given up then.
const MAX_MIGRATION: Duration = Duration::from_secs(3600);

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Applies the migrations that the database at `url` lacks, which may be several addresses. Several processes may do so at once.
///
/// # Errors
/// [`StorageError::BeforeBaseline`] for a database of an earlier development version; otherwise when Postgres does not
/// answer, or a migration was changed after it was applied.
pub async fn migrate(url: &str) -> Result<()> {
    let primary = Servers::of(url)?.primary().await?;
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(MAX_ACQUIRE).connect_with(primary).await?;
    let migrated = timeout(MAX_MIGRATION, MIGRATIONS.run(&pool)).await;
    migrated.unwrap_or(Err(MigrateError::Execute(sqlx::Error::PoolTimedOut))).map_err(
        |error| match error {
            MigrateError::VersionMissing(applied) if is_before_baseline(applied) => {
                StorageError::BeforeBaseline
            }
            other => StorageError::Migration(other),
        },
    )?;
    pool.close().await;
    Ok(())
}

/// Whether a migration is older than all of ours, which replaced it.
fn is_before_baseline(version: i64) -> bool {
    MIGRATIONS.iter().all(|migration| version < migration.version)
}
