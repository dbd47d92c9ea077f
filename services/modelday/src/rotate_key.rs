//! `modelday rotate-key`: replaces the key that messages are signed with.

use anyhow::Context as _;
use runtime::deployment::Deployment;
use runtime::settings::Settings;
use storage::{Development, Rotation};

#[expect(clippy::print_stdout, reason = "a command for people")]
pub(crate) async fn rotate_key() -> anyhow::Result<()> {
    let mut settings = Settings::load();
    let url = settings
        .text("DATABASE_URL")
        .context("DATABASE_URL is not set; set it to postgres://owner:password@host:port/database")?;
    let deployment = Deployment::from_settings(&mut settings);
    settings.finish(Some(()))?;
    let url = if deployment.is_dev_mode { Development::beside(&url)?.url().to_owned() } else { url };
    let Rotation { added, deleted } =
        storage::rotate_key(&url).await.context("replacing the key that messages are signed with")?;
    println!("Key {added} signs messages in two minutes; older keys still verify.");
    if !deleted.is_empty() {
        println!("Deleted keys that are not needed any more: {}.", deleted.join(", "));
    }
    Ok(())
}
