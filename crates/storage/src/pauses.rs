//! What is paused, as every service reads it.

use chrono::{DateTime, Utc};
use domain::job::pause::Pause;
use sqlx::FromRow;

use crate::columns::corrupt;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

#[derive(FromRow)]
pub(crate) struct PauseColumns {
    kind: String,
    name: String,
    reason: Option<String>,
    paused_by: String,
    paused_at: DateTime<Utc>,
}

impl TryFrom<PauseColumns> for Pause {
    type Error = StorageError;

    fn try_from(row: PauseColumns) -> Result<Self> {
        let PauseColumns { kind, name, reason, paused_by, paused_at } = row;
        let kind = kind.parse().map_err(corrupt("trigger.pauses"))?;
        Ok(Self { kind, name, reason, paused_by, paused_at })
    }
}

/// Everything that is paused, the oldest pause first.
pub async fn pauses(pool: &PgPool) -> Result<Vec<Pause>> {
    let rows: Vec<PauseColumns> = sqlx::query_as(
        "-- pauses::pauses
        SELECT kind, name, reason, paused_by, paused_at
        FROM trigger.pauses
        ORDER BY paused_at, kind, name",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
