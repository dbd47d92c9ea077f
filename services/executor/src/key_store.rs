//! The keys of endpoints, read again on request: what a file has gained or lost since the process began.

use runtime::reloaded::ReloadedFile;
use runtime::settings::Settings;
use runtime::{CancellationToken, audit};
use storage::PgPool;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::Endpoints;

/// Reads the keys again. Clones share what was read.
#[derive(Clone)]
pub(crate) struct KeyStore {
    pub(crate) pool: PgPool,
    pub(crate) endpoints: Endpoints,
}

impl KeyStore {
    /// Records which keys there are, since trigger refuses jobs of models that lack theirs.
    pub(crate) async fn record(&self) -> storage::Result<()> {
        let variables = self.endpoints.keys().key_variables();
        let rows: Vec<(&str, bool)> =
            variables.iter().map(|(name, is_set)| (name.as_str(), *is_set)).collect();
        storage::execution::record_key_variables(&self.pool, &rows).await
    }

    /// Reads the file of `KEYS_FILE` again and takes what has changed. Nothing is taken of a file with a mistake. `None`
    /// when there is no such file: the environment of a process does not change.
    pub(crate) async fn reload(&self) -> storage::Result<Option<ReloadedFile>> {
        let mut settings = Settings::load();
        let Some(file) = settings.keys_file() else { return Ok(None) };
        let former = self.endpoints.keys();
        let renewed = former.renewed(&mut settings);
        let taken = match settings.finish(Some(renewed)) {
            Err(mistakes) => Err(mistakes.0),
            Ok(renewed) => {
                let changes = renewed.changes_since(&former);
                self.endpoints.renew(renewed);
                self.record().await?;
                Ok(changes)
            }
        };
        Ok(Some(ReloadedFile { file: file.display().to_string(), kind: "key", taken }))
    }

    /// Reads the file again whenever the process gets SIGHUP, until shutdown.
    pub(crate) async fn on_hangup(self, shutdown: CancellationToken) -> std::io::Result<()> {
        const BY: &str = "SIGHUP";
        let mut hangups = signal(SignalKind::hangup())?;
        while let Some(Some(())) = shutdown.run_until_cancelled(hangups.recv()).await {
            match self.reload().await {
                Ok(None) => {}
                Ok(Some(reloaded)) => {
                    reloaded.log(|action, subject| audit::record_of_process(BY, action, subject));
                }
                Err(problem) => tracing::error!("the keys could not be read again: {problem}"),
            }
        }
        Ok(())
    }
}
