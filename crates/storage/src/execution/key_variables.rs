//! Which keys of endpoints this executor has.

use crate::error::Result;
use crate::pool::PgPool;

/// Records for each variable that may hold a key whether it is set, in place of what was recorded before.
pub async fn record_key_variables(pool: &PgPool, variables: &[(&str, bool)]) -> Result<()> {
    let mut transaction = pool.begin().await?;
    // Replicas that start at the same time follow one another.
    sqlx::query(
        "-- key_variables::record lock\nSELECT pg_advisory_xact_lock(hashtext('execution.key_variables'))",
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query("-- key_variables::record former\nDELETE FROM execution.key_variables")
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "-- key_variables::record
        INSERT INTO execution.key_variables (variable, is_set)
        SELECT variable, is_set FROM UNNEST($1::text[], $2::boolean[]) AS given (variable, is_set)",
    )
    .bind(variables.iter().map(|(variable, _)| *variable).collect::<Vec<_>>())
    .bind(variables.iter().map(|(_, is_set)| *is_set).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
