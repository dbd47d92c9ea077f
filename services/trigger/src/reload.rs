//! Reading the models file and the universe file, at start and again on request.

use std::fmt;
use std::path::Path;

use domain::market::instruments::Universe;
use runtime::outbound::key_hosts;
use runtime::settings::Settings;
use runtime::{CancellationToken, audit};
use storage::trigger::catalogue::{Change, Origin};
use tokio::signal::unix::{SignalKind, signal};

use crate::catalogue::{Catalogue, CatalogueMistake};
use crate::catalogue_store::CatalogueStore;
use crate::files::Files;
use crate::readiness;

/// What reading a file again has changed.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// The file.
    pub(crate) file: String,
    /// What its entries are: `model` or `universe`.
    pub(crate) kind: &'static str,
    /// What became of each entry, or why nothing of the file was taken.
    pub(crate) taken: Result<Vec<TakenEntry>, Vec<CatalogueMistake>>,
}

/// What became of an entry of a file.
#[derive(Debug)]
pub(crate) struct TakenEntry {
    pub(crate) name: String,
    pub(crate) change: Change,
    /// Whether the API has an entry of this name, which counts instead.
    pub(crate) is_covered: bool,
}

/// Reads both files again and takes what has changed. Nothing is taken of a file with a mistake.
pub(crate) async fn reload(
    files: &Files,
    store: &CatalogueStore,
    by: &str,
) -> storage::Result<[FileReport; 2]> {
    renew_key_hosts(store);
    let models = files.models().and_then(|catalogue| catalogue.admitted(&store.endpoints()));
    take(files, models, files.universe().map_err(|mistake| vec![mistake]), store, by).await
}

/// Reads which host each key belongs to from the file of keys, if there is one. No key is read here.
fn renew_key_hosts(store: &CatalogueStore) {
    let mut settings = Settings::load();
    if settings.keys_file().is_none() {
        return;
    }
    let hosts = key_hosts(&mut settings);
    match settings.finish(Some(hosts)) {
        Ok(hosts) => store.renew_key_hosts(hosts),
        Err(mistakes) => tracing::error!("keys belong to the hosts that they belonged to: {mistakes}"),
    }
}

/// Takes what has changed in the files.
pub(crate) async fn take(
    files: &Files,
    models: Result<Catalogue, Vec<CatalogueMistake>>,
    universe: Result<Universe, Vec<CatalogueMistake>>,
    store: &CatalogueStore,
    by: &str,
) -> storage::Result<[FileReport; 2]> {
    let models = match models {
        Ok(catalogue) => Ok(store.take_models(&catalogue, by).await?),
        Err(mistakes) => Err(mistakes),
    };
    let universe = match universe {
        Ok(universe) => Ok(store.take_universe(&universe, by).await?),
        Err(mistakes) => Err(mistakes),
    };
    let current = store.current().await?;
    let of_api = |kind: &str, name: &str| {
        let version = match kind {
            "model" => current.model(name).map(|listed| &listed.version),
            _ => current.universe(name).map(|listed| &listed.version),
        };
        version.is_some_and(|version| version.origin == Origin::Api)
    };
    let report = |file: &Path, kind, taken: Result<Vec<(String, Change)>, _>| {
        let entry =
            |(name, change): (String, Change)| TakenEntry { is_covered: of_api(kind, &name), name, change };
        let taken = taken.map(|entries| entries.into_iter().map(entry).collect());
        FileReport { file: file.display().to_string(), kind, taken }
    };
    Ok([report(&files.models, "model", models), report(&files.universe, "universe", universe)])
}

impl FileReport {
    /// The names of the entries that became this.
    pub(crate) fn names(&self, change: Change) -> Vec<String> {
        let taken = self.taken.iter().flatten();
        taken.filter(|entry| entry.change == change).map(|entry| entry.name.clone()).collect()
    }

    /// The names of entries that do not count, because the API has others of these names.
    pub(crate) fn covered(&self) -> Vec<String> {
        let taken = self.taken.iter().flatten();
        let covered = taken.filter(|entry| entry.is_covered && entry.change != Change::Removed);
        covered.map(|entry| entry.name.clone()).collect()
    }

    /// Writes what changed to the log and the audit log.
    pub(crate) fn record(&self, audit: impl Fn(&'static str, &dyn fmt::Display)) {
        let Self { file, kind, .. } = self;
        for mistake in self.taken.as_ref().err().into_iter().flatten() {
            tracing::error!("nothing of {file} was taken: {mistake}");
        }
        let changes = [(Change::Added, "added"), (Change::Changed, "changed"), (Change::Removed, "removed")];
        for (change, word) in changes {
            for name in self.names(change) {
                audit(word, &format_args!("{kind} {name}, from {file}"));
            }
        }
        for name in self.covered() {
            tracing::info!("{kind} {name} of {file} does not count while the API has one of this name");
        }
    }
}

/// Reads the files again whenever the process gets SIGHUP, until shutdown.
pub(crate) async fn on_hangup(
    files: Files,
    store: CatalogueStore,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    const BY: &str = "SIGHUP";
    let mut hangups = signal(SignalKind::hangup())?;
    while let Some(Some(())) = shutdown.run_until_cancelled(hangups.recv()).await {
        match reload(&files, &store, BY).await {
            Ok(reports) => reports.iter().for_each(|report| {
                report.record(|action, subject| audit::record_of_process(BY, action, subject));
            }),
            Err(problem) => tracing::error!("the files could not be read again: {problem}"),
        }
        if let Err(problem) = readiness::report(&store).await {
            tracing::warn!("which models are ready could not be looked up: {problem}");
        }
    }
    Ok(())
}
