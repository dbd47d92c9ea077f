//! Replacing the key that messages are signed with. Only the owner of the database may.

use crate::connect::open;
use crate::error::Result;
use crate::servers::Servers;
use crate::transaction::Transaction;

/// What became of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The name of the new key, which signs after two minutes.
    pub added: String,
    /// The names of the keys that were deleted.
    pub deleted: Vec<String>,
}

/// Adds a key, as the owner of the database. It signs after two minutes, when every running service has read it. Deletes
/// the keys that were replaced more than seven days ago, which is how long an outbox keeps messages, and that no
/// unresolved dead letter was signed with.
pub async fn rotate_key(url: &str) -> Result<Rotation> {
    let mut transaction = Transaction::begin(open(&Servers::of(url)?).await?).await?;
    let deleted: Vec<(String,)> = sqlx::query_as(
        "-- key_rotation::rotate_key delete
        DELETE FROM signing.keys AS key
        WHERE EXISTS (
                SELECT FROM signing.keys AS later
                WHERE later.signs_from > key.signs_from AND later.signs_from < now() - interval '7 days'
            )
            AND NOT EXISTS (
                SELECT FROM status.dead_letters
                WHERE replayed_at IS NULL AND discarded_at IS NULL
                    AND split_part(headers ->> 'x-modelday-signature', ' ', 1) = key.id
            )
        RETURNING id",
    )
    .fetch_all(&mut *transaction)
    .await?;
    let (added,) = sqlx::query_as(
        "-- key_rotation::rotate_key add\nSELECT signing.add_key(now() + interval '2 minutes')",
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Rotation { added, deleted: deleted.into_iter().map(|(id,)| id).collect() })
}
