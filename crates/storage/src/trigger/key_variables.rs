//! Which keys of endpoints the executor has.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::pool::PgPool;

/// Whether each variable that may hold a key is set where the executor runs; empty before an executor has reported.
pub async fn key_variables(pool: &PgPool) -> Result<BTreeMap<String, bool>> {
    let rows: Vec<(String, bool)> = sqlx::query_as(
        "-- key_variables::key_variables\nSELECT variable, is_set FROM execution.key_variables",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().collect())
}
