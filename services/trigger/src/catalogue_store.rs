//! The stored catalogue: what is written to it, and its present state. The database is the truth, so that all trigger
//! processes agree.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::agent::EndpointRules;
use domain::agent::endpoint::KeyHost;
use domain::market::instruments::Universe;
use storage::trigger::catalogue::{self as rows, Change, EntryKind, EntryVersion, NewEntry};
use storage::{PgPool, Result};

use crate::agents_on_offer::agents;
use crate::catalogue::{Catalogue, Endpoints, Entry, universe_hash};
use crate::current::Current;

/// How many versions of an entry are shown.
const SHOWN_VERSIONS: u32 = 100;

/// The stored catalogue. Clones share what they have read.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueStore {
    pool: PgPool,
    /// With the hosts of keys that were read last.
    endpoints: Arc<RwLock<Arc<Endpoints>>>,
    /// The state that was read last.
    read: Arc<Mutex<Arc<Current>>>,
}

impl CatalogueStore {
    pub(crate) fn new(pool: PgPool, endpoints: Endpoints) -> Self {
        Self { pool, endpoints: Arc::new(RwLock::new(Arc::new(endpoints))), read: Arc::default() }
    }

    /// The same over other connections.
    pub(crate) fn over(&self, pool: PgPool) -> Self {
        Self { pool, ..self.clone() }
    }

    /// Its connections.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How this deployment calls the endpoints of models.
    pub(crate) fn endpoints(&self) -> Arc<Endpoints> {
        Arc::clone(&self.endpoints.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on, keys belong to these hosts and those of common providers.
    pub(crate) fn renew_key_hosts(&self, hosts: Vec<KeyHost>) {
        let former = self.endpoints();
        let rules = EndpointRules::new(former.rules.addresses.clone(), hosts);
        let renewed = Endpoints { rules, ..Endpoints::clone(&former) };
        *self.endpoints.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
        // What counts of the models depends on it.
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// The state that was read last, by this process. There may be a newer one.
    pub(crate) async fn last_read(&self) -> Result<Arc<Current>> {
        let read = Arc::clone(&self.read.lock().unwrap_or_else(PoisonError::into_inner));
        if read.state == 0 { self.current().await } else { Ok(read) }
    }

    /// The present state. It is read again only when it has changed.
    pub(crate) async fn current(&self) -> Result<Arc<Current>> {
        let state = rows::state(&self.pool).await?;
        let read = Arc::clone(&self.read.lock().unwrap_or_else(PoisonError::into_inner));
        if read.state == state {
            return Ok(read);
        }
        // These may be newer than `state`; then they are read once more for the next caller.
        let models = rows::entries(&self.pool, EntryKind::Model).await?;
        let universes = rows::entries(&self.pool, EntryKind::Universe).await?;
        let current = Arc::new(Current::of(state, models, universes, &self.endpoints()));
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&current);
        Ok(current)
    }

    /// Makes these models all that the file has.
    pub(crate) async fn take_models(&self, catalogue: &Catalogue, by: &str) -> Result<Vec<(String, Change)>> {
        let models: Vec<NewEntry> = catalogue.entries().iter().map(model_row).collect();
        let changes = rows::take_file(&self.pool, EntryKind::Model, &models, by).await?;
        self.offer_agents().await?;
        Ok(changes)
    }

    /// Makes this universe the one that the file has.
    pub(crate) async fn take_universe(&self, universe: &Universe, by: &str) -> Result<Vec<(String, Change)>> {
        rows::take_file(&self.pool, EntryKind::Universe, &[universe_row(universe)], by).await
    }

    /// Stores a model of the API.
    pub(crate) async fn put_model(&self, entry: &Entry, by: &str) -> Result<Change> {
        let change = rows::put(&self.pool, EntryKind::Model, &model_row(entry), by).await?;
        self.offer_agents().await?;
        Ok(change)
    }

    /// Stores a universe of the API.
    pub(crate) async fn put_universe(&self, universe: &Universe, by: &str) -> Result<Change> {
        rows::put(&self.pool, EntryKind::Universe, &universe_row(universe), by).await
    }

    /// Removes what the API has stored; `Unchanged` when it has stored nothing of that name.
    pub(crate) async fn remove(&self, kind: EntryKind, name: &str, by: &str) -> Result<Change> {
        let change = rows::remove(&self.pool, kind, name, by).await?;
        self.offer_agents().await?;
        Ok(change)
    }

    /// Hands the present agents to executor, which tries them by hand. A change in between repeats it, so that the newest
    /// state is handed over last.
    async fn offer_agents(&self) -> Result<()> {
        loop {
            let current = self.current().await?;
            storage::trigger::store_agents(&self.pool, &agents(&current)).await?;
            if rows::state(&self.pool).await? == current.state {
                return Ok(());
            }
        }
    }

    /// The versions of an entry, newest first.
    pub(crate) async fn versions(&self, kind: EntryKind, name: &str) -> Result<Vec<EntryVersion>> {
        rows::versions(&self.pool, kind, name, SHOWN_VERSIONS).await
    }
}

fn model_row(entry: &Entry) -> NewEntry {
    NewEntry {
        name: entry.model.signature.clone(),
        definition: entry.members.to_string(),
        config_hash: entry.model.config_hash.clone(),
    }
}

fn universe_row(universe: &Universe) -> NewEntry {
    NewEntry {
        name: universe.name.clone(),
        definition: serde_json::json!(universe).to_string(),
        config_hash: universe_hash(universe),
    }
}
