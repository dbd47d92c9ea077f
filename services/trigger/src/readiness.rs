//! Whether models can run: their endpoints may be called, and the executor has their keys.

use std::collections::BTreeMap;

use domain::job::{Model, ModelKind};
use storage::PgPool;

use crate::catalogue_store::CatalogueStore;
use crate::current::ListedModel;

/// Which keys the executor has reported.
#[derive(Debug, Default)]
pub(crate) struct Keys(BTreeMap<String, bool>);

impl Keys {
    /// Reads them, if one of `models` needs a key.
    pub(crate) async fn of_executor(pool: &PgPool, models: &[&Model]) -> storage::Result<Self> {
        if models.iter().all(|model| variable(model).is_none()) {
            return Ok(Self::default());
        }
        Ok(Self(storage::trigger::key_variables(pool).await?))
    }

    /// Why a model has no key although it needs one. `None` also before an executor has reported its keys.
    pub(crate) fn missing(&self, model: &Model) -> Option<String> {
        let variable = variable(model)?;
        match self.0.get(variable) {
            Some(true) => None,
            None if self.0.is_empty() => None,
            Some(false) => Some(format!(
                "the executor has no {variable}, which api_key_env names; write it to KEYS_FILE and run `modelday reload`, or \
                 set it and restart the executor"
            )),
            None => Some(format!(
                "the executor's ENDPOINT_KEYS gives {variable} to no host; give executor and trigger the same entries"
            )),
        }
    }
}

fn variable(model: &Model) -> Option<&str> {
    match &model.kind {
        ModelKind::Agent(agent) => agent.key_variable.as_deref(),
        ModelKind::Recorded(_) | ModelKind::Policy(_) => None,
    }
}

/// Why a listed model cannot run; `None` when it can.
pub(crate) fn why_not_ready(listed: &ListedModel, keys: &Keys) -> Option<String> {
    let refusal = listed.refusal.as_ref();
    refusal.map(ToString::to_string).or_else(|| keys.missing(&listed.entry.model))
}

/// Writes a line to the log for each model that cannot run.
pub(crate) async fn report(store: &CatalogueStore) -> storage::Result<()> {
    let current = store.current().await?;
    let models: Vec<&Model> = current.models.iter().map(|listed| &listed.entry.model).collect();
    let keys = Keys::of_executor(store.pool(), &models).await?;
    for listed in &current.models {
        if let Some(why) = why_not_ready(listed, &keys) {
            tracing::warn!("model {} is not ready: {why}", listed.version.name);
        }
    }
    Ok(())
}
