//! How far the log and the dead letters go back, for the metrics of status.

use crate::error::Result;
use crate::pool::PgPool;
use crate::tables::OldestRow;

/// The oldest event and the oldest dead letter, by their numbers.
pub async fn oldest_rows(pool: &PgPool) -> Result<Vec<OldestRow>> {
    let rows = sqlx::query_as(
        r#"-- oldest_rows::oldest_rows
        SELECT 'status' AS schema, kept.name AS "table",
            greatest(coalesce(extract(epoch FROM now() - kept.oldest), 0), 0)::float8 AS age_seconds
        FROM (VALUES
            ('events', (SELECT occurred_at FROM status.events ORDER BY position LIMIT 1)),
            ('dead_letters', (SELECT died_at FROM status.dead_letters ORDER BY id LIMIT 1))
        ) AS kept (name, oldest)"#,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
