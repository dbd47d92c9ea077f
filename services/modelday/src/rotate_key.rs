//! `modelday rotate-key`: replaces the key that messages are signed with.

use anyhow::Context as _;
use storage::Rotation;

use crate::owner_database;

#[expect(clippy::print_stdout, reason = "a command for people")]
pub(crate) async fn rotate_key() -> anyhow::Result<()> {
    let Rotation { added, deleted } = storage::rotate_key(&owner_database::url()?)
        .await
        .context("replacing the key that messages are signed with")?;
    println!("Key {added} signs messages in two minutes; older keys still verify.");
    if !deleted.is_empty() {
        println!("Deleted keys that are not needed any more: {}.", deleted.join(", "));
    }
    Ok(())
}
