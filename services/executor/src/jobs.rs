//! Planned jobs, kept in memory while their lanes run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::NaiveDate;
use contract::decode_event;
use domain::event::Event;
use domain::ids::JobId;
use domain::job::{AgentModel, Job, Model, ModelKind};
use domain::order::Order;
use domain::policy::Policy;
use domain::warning::Warning;
use storage::PgPool;
use tokio::sync::Mutex;

use crate::error::ExecutorError;

/// Most jobs in memory; others are read again when their turn comes.
const MOST: usize = 64;

/// A job as its lanes need it.
#[derive(Debug)]
pub(crate) struct PlannedJob {
    pub(crate) job: Job,
    pub(crate) warnings: Vec<Warning>,
    /// Why no date can run, when none can.
    pub(crate) error: Option<String>,
    deciders: BTreeMap<String, Decider>,
}

/// How a model decides, ready for use.
#[derive(Debug)]
pub(crate) enum Decider {
    /// The recorded orders by date.
    Recorded(BTreeMap<NaiveDate, Vec<Order>>),
    /// A built-in baseline.
    Policy(Policy),
    /// Asks an endpoint.
    Agent(Box<AgentModel>),
}

impl PlannedJob {
    pub(crate) fn new(job: Job, warnings: Vec<Warning>, error: Option<String>) -> Self {
        let decider = |model: &Model| match &model.kind {
            ModelKind::Policy(policy) => Decider::Policy(policy.clone()),
            ModelKind::Agent(agent) => Decider::Agent(agent.clone()),
            ModelKind::Recorded(orders) => {
                let mut sorted: Vec<_> = orders.iter().collect();
                sorted.sort_by_key(|order| (order.date, order.sequence));
                let mut by_date: BTreeMap<NaiveDate, Vec<Order>> = BTreeMap::new();
                for order in sorted {
                    by_date.entry(order.date).or_default().push(order.order());
                }
                Decider::Recorded(by_date)
            }
        };
        let deciders = job.models.iter().map(|model| (model.signature.clone(), decider(model))).collect();
        Self { job, warnings, error, deciders }
    }

    /// The job of a `data.ready` or `data.failed` message.
    pub(crate) fn of(event: Event) -> Option<Self> {
        match event {
            Event::DataReady(event) => Some(Self::new(event.job, event.warnings, None)),
            Event::DataFailed(event) => Some(Self::new(event.job, event.warnings, Some(event.error))),
            _ => None,
        }
    }

    /// A model of the job with how it decides.
    pub(crate) fn model(&self, signature: &str) -> Option<(&Model, &Decider)> {
        let model = self.job.models.iter().find(|model| model.signature == signature)?;
        Some((model, self.deciders.get(signature)?))
    }

    /// Sessions before a day that some model looks back on.
    pub(crate) fn lookback(&self) -> usize {
        let lookback = |decider: &Decider| match decider {
            Decider::Policy(Policy::Momentum { lookback, .. }) => usize::from(lookback.get()),
            // What `get_price_history` may ask for, with some to spare.
            Decider::Agent(_) => 260,
            Decider::Policy(_) | Decider::Recorded(_) => 0,
        };
        self.deciders.values().map(lookback).max().unwrap_or_default()
    }
}

/// The jobs in memory.
#[derive(Default)]
pub(crate) struct Jobs {
    known: Mutex<VecDeque<(JobId, Arc<PlannedJob>)>>,
}

impl Jobs {
    /// The job, from memory or from its row.
    pub(crate) async fn get(&self, pool: &PgPool, id: JobId) -> Result<Arc<PlannedJob>, ExecutorError> {
        let mut known = self.known.lock().await;
        if let Some((_, job)) = known.iter().find(|(known, _)| *known == id) {
            return Ok(job.clone());
        }
        let row = storage::execution::job(pool, id).await?;
        let row = row.ok_or_else(|| ExecutorError::Inconsistent(format!("job {id} has lanes but no row")))?;
        let planned = PlannedJob::of(decode_event(&row.kind, row.body.as_bytes())?);
        let planned = planned.ok_or_else(|| {
            ExecutorError::Inconsistent(format!("job {id} was planned from a {}", row.kind))
        })?;
        let planned = Arc::new(planned);
        known.push_back((id, planned.clone()));
        if known.len() > MOST {
            known.pop_front();
        }
        Ok(planned)
    }
}
