//! Planned jobs, kept in memory while their lanes run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use contract::decode_event;
use domain::events::event::Event;
use domain::job::warning::Warning;
use domain::job::{Job, Model};
use domain::market::rules::MarketRules;
use domain::simulation::decider::Decider;
use domain::values::ids::JobId;
use storage::PgPool;
use storage::execution::{PriceScopeRow, PriceState};

use crate::error::ExecutorError;
use crate::prices_read::PricesRead;

/// Jobs in memory; others are read again when a lane of theirs has its turn.
const MAX_JOBS: usize = 64;

/// A job as its lanes need it.
#[derive(Debug)]
pub(crate) struct PlannedJob {
    pub(crate) job: Job,
    pub(crate) warnings: Vec<Warning>,
    /// Why no date can run, when none can.
    pub(crate) error: Option<String>,
    /// The prices that its days read.
    pub(crate) prices_read: PricesRead,
    /// What its days are shown of the market.
    pub(crate) rules: MarketRules,
    deciders: BTreeMap<String, Decider>,
    /// Whether its first day has begun, as far as this process knows.
    has_begun: AtomicBool,
}

impl PlannedJob {
    pub(crate) fn new(job: Job, warnings: Vec<Warning>, error: Option<String>) -> Self {
        let decider = |model: &Model| (model.signature.clone(), Decider::from(model));
        let deciders: BTreeMap<String, Decider> = job.models.iter().map(decider).collect();
        let symbols = job.universe.symbols.iter().chain(&job.universe.benchmark).cloned().collect();
        let lookback = deciders.values().map(Decider::lookback).max().unwrap_or_default();
        let prices_read = PricesRead { symbols, lookback, version: 0, changes: 0 };
        let (rules, has_begun) = (MarketRules::default(), AtomicBool::new(false));
        Self { job, warnings, error, prices_read, rules, deciders, has_begun }
    }

    /// The job of a `data.ready` or `data.failed` message.
    pub(crate) fn of(event: Event) -> Option<Self> {
        match event {
            Event::DataReady(event) => Some(Self::new(event.job, event.warnings, None)),
            Event::DataFailed(event) => Some(Self::new(event.job, event.warnings, Some(event.error))),
            _ => None,
        }
    }

    /// The job as it was planned, on those prices and under these rules.
    pub(crate) fn at(self, PriceState { version, changes }: PriceState, rules: MarketRules) -> Self {
        Self { prices_read: PricesRead { version, changes, ..self.prices_read }, rules, ..self }
    }

    /// Whether its first day may begin now; true once at most.
    pub(crate) fn begins(&self) -> bool {
        !self.has_begun.swap(true, Ordering::Relaxed)
    }

    /// A model of the job with how it decides.
    pub(crate) fn model(&self, signature: &str) -> Option<(&Model, &Decider)> {
        let model = self.job.models.iter().find(|model| model.signature == signature)?;
        Some((model, self.deciders.get(signature)?))
    }

    /// Which prices the days of each model read.
    pub(crate) fn price_scopes(&self) -> impl Iterator<Item = PriceScopeRow> {
        let (universe, lookback) = (&self.job.universe, self.prices_read.lookback);
        let scope = move |(model, decider): (&String, &Decider)| PriceScopeRow {
            model: model.clone(),
            scope: decider.price_scope(universe, lookback),
        };
        self.deciders.iter().map(scope)
    }
}

/// The jobs in memory.
#[derive(Default)]
pub(crate) struct JobCache(Mutex<VecDeque<(JobId, Arc<PlannedJob>)>>);

impl JobCache {
    /// The job of a lane, from memory or from its row.
    pub(crate) async fn get(&self, pool: &PgPool, id: JobId) -> Result<Arc<PlannedJob>, ExecutorError> {
        let job = self.find(pool, id).await?;
        job.ok_or_else(|| ExecutorError::Inconsistent(format!("job {id} has lanes but no row")))
    }

    /// The job, from memory or from its row; `None` when it is not planned.
    pub(crate) async fn find(
        &self,
        pool: &PgPool,
        id: JobId,
    ) -> Result<Option<Arc<PlannedJob>>, ExecutorError> {
        if let Some(known) = self.known(id) {
            return Ok(Some(known));
        }
        // Nothing is locked meanwhile: a read that takes long holds up no other lane.
        let Some(row) = storage::execution::job(pool, id).await? else { return Ok(None) };
        let planned = PlannedJob::of(decode_event(&row.kind, row.body.as_bytes())?);
        let planned = planned.ok_or_else(|| {
            ExecutorError::Inconsistent(format!("job {id} was planned from a {}", row.kind))
        })?;
        let planned = planned.at(row.prices, row.rules);
        planned.has_begun.store(row.has_begun, Ordering::Relaxed);
        Ok(Some(self.add(id, planned)))
    }

    fn known(&self, id: JobId) -> Option<Arc<PlannedJob>> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().find(|(known, _)| *known == id).map(|(_, job)| job.clone())
    }

    /// Adds a job, unless another lane was quicker.
    fn add(&self, id: JobId, planned: PlannedJob) -> Arc<PlannedJob> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, job)) = jobs.iter().find(|(known, _)| *known == id) {
            return job.clone();
        }
        let planned = Arc::new(planned);
        jobs.push_back((id, planned.clone()));
        if jobs.len() > MAX_JOBS {
            jobs.pop_front();
        }
        planned
    }
}
