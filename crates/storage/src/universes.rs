//! The universes that jobs may name, as services other than trigger read them.

use domain::market::instruments::Universe;

use crate::error::Result;
use crate::pool::PgPool;

/// A universe that jobs may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUniverse {
    /// Its symbols and its benchmark.
    pub universe: Universe,
    /// Whether jobs have it that name none.
    pub is_default: bool,
}

/// All universes by name, without those that only a later program version can read.
pub async fn universes(pool: &PgPool) -> Result<Vec<StoredUniverse>> {
    let rows: Vec<(String, bool)> = sqlx::query_as(
        "-- universes::universes
        SELECT definition, is_default FROM trigger.universes ORDER BY name",
    )
    .fetch_all(pool)
    .await?;
    let stored = |(definition, is_default): (String, bool)| {
        Some(StoredUniverse { universe: serde_json::from_str(&definition).ok()?, is_default })
    };
    Ok(rows.into_iter().filter_map(stored).collect())
}
