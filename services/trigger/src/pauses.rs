//! Which models, sources and queues there are to pause, and the metrics of those that are paused.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::job::pause::{PauseKind, Queue};
use metrics::gauge;
use storage::PgPool;
use storage::trigger::{PauseEffect, has_open_lanes, pause_effects, source_names};

use crate::accept::Acceptor;

/// Most pauses that have metrics.
const MAX_MEASURED: usize = 100;

/// A name that nothing of its kind has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There is no {kind} {name}. Known {kind}s: {}", list(known))]
pub(crate) struct UnknownName {
    kind: PauseKind,
    name: String,
    known: Vec<String>,
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Whether something of that kind has the name: a configured model or one that a job runs, a source with a key, a queue.
pub(crate) async fn check_known(
    acceptor: &Acceptor,
    kind: PauseKind,
    name: &str,
) -> storage::Result<Result<(), UnknownName>> {
    let known: Vec<String> = match kind {
        PauseKind::Model => {
            let current = acceptor.catalogue.current().await?;
            current.known().into_iter().map(|model| model.signature).collect()
        }
        PauseKind::Source => source_names(&acceptor.pool).await?,
        PauseKind::Queue => Queue::ALL.map(|queue| queue.as_str().to_owned()).into(),
    };
    let is_known = known.iter().any(|one| one == name)
        || kind == PauseKind::Model && has_open_lanes(&acceptor.pool, name).await?;
    Ok(if is_known { Ok(()) } else { Err(UnknownName { kind, name: name.to_owned(), known }) })
}

/// The gauges of pauses. Clones share which ones they have shown.
#[derive(Debug, Clone)]
pub(crate) struct PauseGauges(Arc<Mutex<BTreeSet<(PauseKind, String)>>>);

impl Default for PauseGauges {
    fn default() -> Self {
        let queues = Queue::ALL.map(|queue| (PauseKind::Queue, queue.as_str().to_owned()));
        Self(Arc::new(Mutex::new(queues.into())))
    }
}

impl PauseGauges {
    /// Reads what is paused. Queues, and what was paused before, are at 0.
    #[expect(clippy::cast_precision_loss, reason = "gauges")]
    pub(crate) async fn measure(&self, pool: &PgPool) -> storage::Result<()> {
        let effects = pause_effects(pool).await?;
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for PauseEffect { pause, .. } in &effects {
            if shown.len() < MAX_MEASURED {
                shown.insert((pause.kind, pause.name.clone()));
            }
        }
        for (kind, name) in &*shown {
            let effect = effects.iter().find(|one| (one.pause.kind, &one.pause.name) == (*kind, name));
            let lanes = effect.map_or(0, |effect| effect.waiting_lanes);
            let is_paused = if effect.is_some() { 1.0 } else { 0.0 };
            gauge!("modelday_paused", "kind" => kind.as_str(), "name" => name.clone()).set(is_paused);
            gauge!("modelday_paused_lanes", "kind" => kind.as_str(), "name" => name.clone())
                .set(lanes as f64);
        }
        Ok(())
    }
}
