//! The agents of the catalogue, for executor.

use crate::error::Result;
use crate::pool::PgPool;

/// Replaces the agents by these: signatures, and bodies as messages carry them.
pub async fn store_agents(pool: &PgPool, agents: &[(String, String)]) -> Result<()> {
    let (signatures, bodies): (Vec<&str>, Vec<&str>) =
        agents.iter().map(|(signature, body)| (signature.as_str(), body.as_str())).unzip();
    let mut transaction = pool.begin().await?;
    sqlx::query("-- agents::store_agents remove\nDELETE FROM trigger.agents WHERE signature <> ALL($1)")
        .bind(&signatures)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "-- agents::store_agents
        INSERT INTO trigger.agents (signature, body)
        SELECT signature, body FROM UNNEST($1::text[], $2::text[]) AS agent (signature, body)
        ORDER BY signature
        ON CONFLICT (signature) DO UPDATE SET body = excluded.body",
    )
    .bind(&signatures)
    .bind(&bodies)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
