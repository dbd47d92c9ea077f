//! The keys that messages are signed with.

use crate::error::Result;
use crate::pool::PgPool;

/// A key of the installation. There is no `Debug` output, since it would show the secret.
pub struct KeyRow {
    /// Its name in signatures.
    pub id: String,
    /// The secret.
    pub secret: [u8; 32],
}

/// All keys: first the one that signs now, then those that only verify.
pub async fn keys(pool: &PgPool) -> Result<Vec<KeyRow>> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "-- signing::keys
        SELECT id, secret
        FROM signing.keys
        ORDER BY signs_from > now(), signs_from DESC, id",
    )
    .fetch_all(pool)
    .await?;
    let key = |(id, secret): (String, Vec<u8>)| Some(KeyRow { id, secret: secret.try_into().ok()? });
    // The table has only secrets of 32 bytes.
    Ok(rows.into_iter().filter_map(key).collect())
}
