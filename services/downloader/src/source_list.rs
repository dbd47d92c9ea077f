//! The sources of prices as they were read last: at start, and again on request. A job that is being prepared keeps those
//! that it began with.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use runtime::reloaded::{Changes, ReloadedFile};
use runtime::settings::Settings;
use runtime::{CancellationToken, audit};
use storage::PgPool;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::source_config::SourceConfig;
use crate::config::sources::{self, ReadSources};
use crate::download::source::{self, PriceSource, quota_key};
use crate::download::source_name::HandOver;
use crate::metrics::declare_calls;

/// The sources at a moment.
pub(crate) struct SourceList {
    /// All that are configured, in order of preference.
    pub(crate) configured: Vec<SourceConfig>,
    /// Those of them that have a key.
    pub(crate) sources: Vec<Arc<PriceSource>>,
    pub(crate) hand_over: HandOver,
}

/// The sources. Clones share them.
#[derive(Clone)]
pub(crate) struct Sources {
    pool: PgPool,
    /// A call that would wait longer for its quota counts as exhausted.
    max_wait: Duration,
    read: Arc<RwLock<Arc<SourceList>>>,
}

/// Why the sources could not be read again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    /// The client of a source cannot be built.
    #[error("{0:#}")]
    Client(#[from] anyhow::Error),
    /// Dry runs could not be given the new list.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
}

impl SourceList {
    /// The settings that hold the keys.
    pub(crate) fn key_variables(&self) -> String {
        let names: Vec<&str> = self.configured.iter().map(|source| source.key_variable.as_str()).collect();
        names.join(" or ")
    }
}

impl Sources {
    /// Begins with the sources of the configuration.
    pub(crate) fn new(pool: PgPool, max_wait: Duration, configured: ReadSources) -> anyhow::Result<Self> {
        let list = list(&pool, max_wait, configured, None)?;
        Ok(Self { pool, max_wait, read: Arc::new(RwLock::new(Arc::new(list))) })
    }

    /// Those of this moment.
    pub(crate) fn current(&self) -> Arc<SourceList> {
        Arc::clone(&self.read.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes the sources for dry runs.
    pub(crate) async fn record(&self) -> storage::Result<()> {
        source::record(&self.pool, &self.current().sources).await
    }

    /// Reads the file again and takes what has changed. Nothing is taken of a file with a mistake.
    pub(crate) async fn reload(&self) -> Result<ReloadedFile, ReloadError> {
        let mut settings = Settings::load();
        let (file, kind) = (sources::file(&mut settings), "source");
        let read = sources::read_all(&mut settings);
        let read = match settings.finish(Some(read)) {
            Ok(read) => read,
            Err(mistakes) => return Ok(ReloadedFile { file, kind, taken: Err(mistakes.0) }),
        };
        let former = self.current();
        let new = list(&self.pool, self.max_wait, read, Some(&former))?;
        let changes = changes(&former, &new);
        declare_calls(&new.sources);
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        self.record().await?;
        Ok(ReloadedFile { file, kind, taken: Ok(changes) })
    }

    /// Reads the file again whenever the process gets SIGHUP, until shutdown.
    pub(crate) async fn on_hangup(self, shutdown: CancellationToken) -> std::io::Result<()> {
        const BY: &str = "SIGHUP";
        let mut hangups = signal(SignalKind::hangup())?;
        while let Some(Some(())) = shutdown.run_until_cancelled(hangups.recv()).await {
            match self.reload().await {
                Ok(reloaded) => reloaded.log(|action, subject| audit::record_of_process(BY, action, subject)),
                Err(problem) => tracing::error!("the sources of prices could not be read again: {problem}"),
            }
        }
        Ok(())
    }
}

/// The sources of a configuration; one that is as it was stays, with what it knows of its provider.
fn list(
    pool: &PgPool,
    max_wait: Duration,
    (configured, hand_over): ReadSources,
    former: Option<&SourceList>,
) -> anyhow::Result<SourceList> {
    let mut sources = Vec::new();
    for config in &configured {
        let Some(access) = config.access.clone() else { continue };
        let key = quota_key(config.kind, &access);
        let is_same = |one: &&SourceConfig| described(one) == described(config);
        let same = former.filter(|former| former.configured.iter().any(|one| is_same(&one)));
        let same = same.and_then(|former| former.sources.iter().find(|source| source.quota.key == key));
        sources.push(match same {
            Some(same) => Arc::clone(same),
            None => Arc::new(PriceSource::new(config, access, pool, max_wait)?),
        });
    }
    Ok(SourceList { configured, sources, hand_over })
}

/// What became of the sources, by name. `order` and `hand_over` are among the changed when these are.
fn changes(former: &SourceList, new: &SourceList) -> Changes {
    let names = |list: &SourceList| -> Vec<&'static str> {
        list.configured.iter().map(|source| source.kind.name()).collect()
    };
    let of = |list: &SourceList, name: &str| {
        list.configured.iter().find(|source| source.kind.name() == name).map(described)
    };
    let mut changes = Changes::default();
    for name in names(new) {
        match of(former, name) {
            None => changes.added.push(name.to_owned()),
            Some(known) if Some(&known) != of(new, name).as_ref() => changes.changed.push(name.to_owned()),
            Some(_) => changes.unchanged += 1,
        }
    }
    let gone = names(former).into_iter().filter(|name| of(new, name).is_none());
    changes.removed = gone.map(str::to_owned).collect();
    let kept = |list: &SourceList, other: &SourceList| -> Vec<&'static str> {
        names(list).into_iter().filter(|name| of(other, name).is_some()).collect()
    };
    if kept(former, new) != kept(new, former) {
        changes.changed.push("order".to_owned());
    }
    if former.hand_over != new.hand_over {
        changes.changed.push("hand_over".to_owned());
    }
    changes
}

/// Everything about a source that calls depend on; its key as a fingerprint.
fn described(source: &SourceConfig) -> String {
    let SourceConfig { kind, access, key_variable, history, with_actions, windows, plan, .. } = source;
    let key = access.as_ref().map(|access| quota_key(*kind, access));
    format!("{kind:?} {key:?} {key_variable} {history:?} {with_actions} {windows:?} {plan}")
}
