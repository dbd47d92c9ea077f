//! How large the tables of a service are, and how far back they reach.
//!
//! The statements name no schema: by its search path, the connection of each service finds its own.

use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// The size of a table.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TableSize {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Its rows, as PostgreSQL estimates them.
    pub rows: i64,
    /// Its bytes, with indexes and long values.
    pub bytes: i64,
}

/// The age of the oldest row of a table whose old rows are removed, or that grows with every job.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct OldestRow {
    /// The table's schema.
    pub schema: String,
    /// The table's name.
    pub table: String,
    /// The age; 0 when there is no row.
    pub age_seconds: f64,
}

/// The sizes of the service's tables. No table is read.
pub async fn sizes(pool: &PgPool) -> Result<Vec<TableSize>> {
    let sizes = sqlx::query_as(
        "-- tables::sizes
        SELECT current_schema()::text AS schema, relname::text AS table,
            greatest(reltuples, pg_stat_get_live_tuples(oid), 0)::bigint AS rows, pg_total_relation_size(oid) AS bytes
        FROM pg_class
        WHERE relnamespace = current_schema()::text::regnamespace AND relkind = 'r'",
    )
    .fetch_all(pool)
    .await?;
    Ok(sizes)
}

/// The oldest row of the service's outbox, by the outbox's first number.
pub async fn oldest_rows(pool: &PgPool) -> Result<Vec<OldestRow>> {
    let rows = sqlx::query_as(
        "-- tables::oldest_rows
        SELECT current_schema()::text AS schema, 'outbox' AS table,
            coalesce(
                (SELECT greatest(extract(epoch FROM now() - created_at), 0) FROM outbox ORDER BY id LIMIT 1), 0
            )::float8 AS age_seconds",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
