//! Bringing the schema up to date.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;

use crate::error::Result;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Applies the migrations that the database lacks. Safe to run by several processes at once.
///
/// # Errors
/// When Postgres does not answer, or a migration was changed after it had been applied.
pub async fn migrate(url: &str) -> Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    MIGRATIONS.run(&pool).await?;
    pool.close().await;
    Ok(())
}
