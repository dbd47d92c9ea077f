//! The keys that messages are signed with: read from Postgres, and read again while a service runs.

use std::time::Duration;

use anyhow::Context as _;
use messaging::{Authentication, BrokerConfig, SigningKey, Unsigned};
use storage::PgPool;
use tokio_util::sync::CancellationToken;

use crate::error_text::error_text;
use crate::settings::Settings;

/// How often the keys are read again. A new key signs two minutes after it was made, so that every service has read it
/// by then.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// Reads `MESSAGE_AUTH`. There are no keys yet.
pub(crate) fn from_settings(settings: &mut Settings) -> Authentication {
    let unsigned = match settings.text("MESSAGE_AUTH").as_deref() {
        None | Some("require") => Unsigned::Rejected,
        Some("accept") => Unsigned::Accepted,
        Some(_) => {
            let fix =
                "write require, or accept during the upgrade from a version that does not sign messages";
            settings.invalid("MESSAGE_AUTH", "is neither require nor accept".to_owned(), fix);
            Unsigned::Rejected
        }
    };
    Authentication { unsigned, sends: contract::kind::is_sent_by, ..Authentication::default() }
}

/// The broker with a keyring of its own, which is empty until the service has started. Services of one process read the
/// keys each as itself.
pub fn with_keyring(broker: &BrokerConfig) -> BrokerConfig {
    let keyring = messaging::Keyring::default();
    broker.clone().with_authentication(Authentication { keyring, ..broker.authentication().clone() })
}

/// Reads the keys of the database into the broker's keyring.
///
/// # Errors
/// When the keys cannot be read, or there is none.
pub(crate) async fn read_keys(broker: &BrokerConfig, pool: &PgPool) -> anyhow::Result<()> {
    read(pool, broker.authentication()).await.context("reading the keys that messages are signed with")
}

/// Keeps the broker's keys up to date until `shutdown`.
pub(crate) fn keep_keys(broker: BrokerConfig, pool: PgPool, shutdown: CancellationToken) {
    if broker.authentication().unsigned == Unsigned::Accepted {
        tracing::warn!("MESSAGE_AUTH=accept: messages without a signature are handled too");
    }
    tokio::spawn(async move {
        let wait = || tokio::time::sleep(REFRESH_INTERVAL);
        while shutdown.run_until_cancelled(wait()).await.is_some() {
            if let Err(problem) = read_keys(&broker, &pool).await {
                let problem = error_text(&problem);
                tracing::warn!("the keys of messages could not be read again: {problem}");
            }
        }
    });
}

async fn read(pool: &PgPool, authentication: &Authentication) -> anyhow::Result<()> {
    let keys = storage::signing::keys(pool).await?;
    anyhow::ensure!(!keys.is_empty(), "the table signing.keys is empty; run \"modelday rotate-key\"");
    let keys = keys.iter().map(|key| SigningKey::new(&key.id, &key.secret)).collect();
    authentication.keyring.replace(keys);
    Ok(())
}
