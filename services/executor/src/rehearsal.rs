//! Rehearsals: one day of an agent that is tried by hand. Every call is reported as it was made, and nothing is stored.

mod conversation;
mod line;

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, SubsecRound as _, Utc};
use contract::decode_model;
use domain::job::{Job, Model, ModelKind, Options};
use domain::market::calendar::Calendar;
use domain::market::instruments::Universe;
use domain::market::rules::MarketRules;
use domain::simulation::run::ModelDayRun;
use domain::values::ids::{JobId, ModelDayKey};
use storage::PgPool;
use storage::execution::{PriceState, begin_rehearsal, configured_agent, end_rehearsal, price_version};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::agent::{Endpoints, Searcher};
use crate::error::ExecutorError;
use crate::job::cache::PlannedJob;
use crate::lane::presence::Holder;
use crate::price_cache::PriceCache;

use conversation::{Conversation, Means};
pub(crate) use line::Line;

/// The longest time of a rehearsal; a model may allow its days less.
const MAX_TIME: Duration = Duration::from_secs(600);
/// How long the place at the endpoint is kept beyond that.
const MARGIN: Duration = Duration::from_secs(10);

/// Tries agents.
pub(crate) struct Rehearsals {
    pub(crate) pool: PgPool,
    pub(crate) calendar: Calendar,
    pub(crate) endpoints: Endpoints,
    pub(crate) searcher: Option<Searcher>,
    pub(crate) holder: Arc<Holder>,
}

/// A day that can be tried.
pub(crate) struct Rehearsal {
    planned: PlannedJob,
    key: ModelDayKey,
    /// Its place at the endpoint.
    place: Uuid,
}

/// Why a day cannot be tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTried {
    /// The catalogue has no such agent.
    #[error("No agent is called {0:?}. Models of kind llm and http can be tried; GET /models lists them")]
    Unknown(String),
    /// The exchange is closed.
    #[error("{date} is no session of the exchange; the next one is {next}")]
    NoSession { date: NaiveDate, next: String },
    /// No symbol has a price.
    #[error(
        "No prices of {0} are stored for these symbols. A job over that date fetches them: modelday run --start {0} --end {0}"
    )]
    NoPrices(NaiveDate),
    /// As many days as are allowed call the endpoint.
    #[error(
        "{0} days call this endpoint already, as many as the model's concurrency allows; try again in a moment"
    )]
    Busy(u32),
    /// It could not be prepared.
    #[error(transparent)]
    Failed(#[from] ExecutorError),
}

impl From<storage::StorageError> for NotTried {
    fn from(problem: storage::StorageError) -> Self {
        Self::Failed(problem.into())
    }
}

impl Rehearsals {
    /// Prepares a day, and takes a place at the model's endpoint for it.
    pub(crate) async fn prepare(
        &self,
        signature: &str,
        date: NaiveDate,
        universe: Universe,
    ) -> Result<Rehearsal, NotTried> {
        if !self.calendar.is_session(date) {
            let next = self.calendar.next_session(date);
            let next = next.map_or_else(|| "unknown".to_owned(), |next| next.to_string());
            return Err(NotTried::NoSession { date, next });
        }
        let unknown = || NotTried::Unknown(signature.to_owned());
        let body = configured_agent(&self.pool, signature).await?.ok_or_else(unknown)?;
        let model = decode_model(&body).map_err(ExecutorError::from)?;
        let ModelKind::Agent(agent) = &model.kind else { return Err(unknown()) };
        let endpoint = (agent.url.clone(), agent.concurrency);
        let key = key(&model, date);
        let prices = PriceState { version: price_version(&self.pool).await?, changes: 0 };
        let planned = PlannedJob::new(job(key.job, model, universe, date), Vec::new(), None)
            .at(prices, MarketRules::default());
        self.require_prices(&planned, date).await?;
        let (place, holder) = (Uuid::now_v7(), self.holder.number());
        let endpoint = (endpoint.0.as_str(), endpoint.1);
        if !begin_rehearsal(&self.pool, place, endpoint, holder, MAX_TIME + MARGIN).await? {
            return Err(NotTried::Busy(endpoint.1));
        }
        Ok(Rehearsal { planned, key, place })
    }

    async fn require_prices(&self, planned: &PlannedJob, date: NaiveDate) -> Result<(), NotTried> {
        let universe = &planned.job.universe;
        let symbols: Vec<_> = universe.symbols.iter().chain(&universe.benchmark).cloned().collect();
        let bars = storage::market::bars_between(&self.pool, &symbols, date, date).await?;
        if bars.is_empty() { Err(NotTried::NoPrices(date)) } else { Ok(()) }
    }

    /// Tries the day, and reports it to `lines` as long as they are read. Gives up its place at the endpoint in any case.
    pub(crate) async fn run(
        &self,
        rehearsal: Rehearsal,
        lines: mpsc::Sender<Line>,
    ) -> Result<(), ExecutorError> {
        let ran = tokio::select! {
            ran = self.talk(&rehearsal, &lines) => ran,
            () = lines.closed() => Ok(()),
        };
        if let Err(problem) = end_rehearsal(&self.pool, rehearsal.place).await {
            tracing::warn!("the place at an endpoint is given up later: {problem}");
        }
        ran
    }

    async fn talk(&self, rehearsal: &Rehearsal, lines: &mpsc::Sender<Line>) -> Result<(), ExecutorError> {
        let Rehearsal { planned, key, .. } = rehearsal;
        let Some((model, decider)) = planned.model(&key.model) else { return Ok(()) };
        let ModelKind::Agent(agent) = &model.kind else { return Ok(()) };
        let prices = PriceCache::new(self.calendar.clone());
        let market = prices.around(&self.pool, planned, key.date, None).await?;
        let today = ModelDayRun {
            key,
            universe: &planned.job.universe,
            model,
            decider,
            prices: &market.table,
            actions: &market.actions,
            rules: planned.rules,
            calendar: &self.calendar,
            previous: None,
            day_index: 0,
            revision: 1,
            began: Utc::now().trunc_subsecs(6),
        };
        let day = today.market();
        let session = today.session(agent, &day)?;
        let limit = Duration::from_secs(agent.settings.limits.wall_time_seconds).min(MAX_TIME);
        let began = Line::Began {
            model: key.model.clone(),
            kind: model.kind.as_str(),
            date: key.date.to_string(),
            url: agent.dialect.address(&agent.url),
            symbols: planned.job.universe.symbols.len(),
            cash: model.initial_cash.into(),
        };
        let _ = lines.send(began).await;
        let means = Means { endpoints: &self.endpoints, searcher: self.searcher.as_ref(), limit };
        Conversation::new(means, agent, key, session, lines).run().await
    }
}

fn key(model: &Model, date: NaiveDate) -> ModelDayKey {
    let job = JobId(Uuid::now_v7());
    ModelDayKey { job, experiment: "default".to_owned(), model: model.signature.clone(), trial: 0, date }
}

/// The job of that day alone. It is never stored.
fn job(id: JobId, model: Model, universe: Universe, date: NaiveDate) -> Job {
    Job {
        id,
        experiment: "default".to_owned(),
        models: vec![model],
        universe,
        start: date,
        end: date,
        options: Options::default(),
        accepted_at: Utc::now(),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}
