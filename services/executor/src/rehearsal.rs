//! Rehearsals: one day of an agent that is tried by hand. Every call is reported as it was made, and nothing is stored.

mod conversation;
mod line;

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, SubsecRound as _, Utc};
use contract::decode_model;
use domain::job::request::UniverseChoice;
use domain::job::{Job, Model, ModelKind, Options};
use domain::market::calendar::Calendar;
use domain::market::instruments::{Symbol, Universe};
use domain::market::rules::MarketRules;
use domain::simulation::run::{ModelDayRun, PortfolioDay, universe_on};
use domain::values::ids::{JobId, ModelDayKey};
use storage::execution::{
    PriceState, begin_rehearsal, configured_agent, end_rehearsal, kept_position, price_version,
};
use storage::{PgPool, StoredUniverse};
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

/// What to try.
pub(crate) struct Attempted {
    pub(crate) signature: String,
    pub(crate) date: NaiveDate,
    /// What may be traded.
    pub(crate) choice: UniverseChoice,
    /// The portfolio that the day begins from; without one, from the model's cash.
    pub(crate) kept: Option<KeptPortfolio>,
}

/// A portfolio of the model.
pub(crate) struct KeptPortfolio {
    pub(crate) experiment: String,
    pub(crate) trial: u32,
}

/// A day that can be tried.
pub(crate) struct Rehearsal {
    planned: PlannedJob,
    key: ModelDayKey,
    /// The day that it continues from.
    previous: Option<PortfolioDay>,
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
    /// No universe has that name, or no universe is stored at all.
    #[error("{}", no_universe(.name.as_deref(), .known))]
    NoUniverse { name: Option<String>, known: Vec<String> },
    /// The portfolio has no day to continue from.
    #[error(
        "Trial {trial} of the model in experiment {experiment} has no completed day before {date}; name another experiment, \
         or none to begin from cash"
    )]
    NoPosition { experiment: String, trial: u32, date: NaiveDate },
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

fn no_universe(name: Option<&str>, known: &[String]) -> String {
    match name {
        Some(name) => format!("Unknown universe: {name}. Known universes: {}", known.join(", ")),
        None => "trigger has stored no universe yet; name symbols".to_owned(),
    }
}

impl From<storage::StorageError> for NotTried {
    fn from(problem: storage::StorageError) -> Self {
        Self::Failed(problem.into())
    }
}

impl Rehearsals {
    /// Prepares a day, and takes a place at the model's endpoint for it.
    pub(crate) async fn prepare(&self, attempted: Attempted) -> Result<Rehearsal, NotTried> {
        let Attempted { signature, date, choice, kept } = attempted;
        if !self.calendar.is_session(date) {
            let next = self.calendar.next_session(date);
            let next = next.map_or_else(|| "unknown".to_owned(), |next| next.to_string());
            return Err(NotTried::NoSession { date, next });
        }
        let unknown = || NotTried::Unknown(signature.clone());
        let body = configured_agent(&self.pool, &signature).await?.ok_or_else(unknown)?;
        let model = decode_model(&body).map_err(ExecutorError::from)?;
        let ModelKind::Agent(agent) = &model.kind else { return Err(unknown()) };
        let endpoint = (agent.url.clone(), agent.concurrency);
        let universe = self.universe(choice, date).await?;
        let previous = self.previous(&signature, kept.as_ref(), date).await?;
        let key = key(&model, kept, date);
        // No other job shares what is read for it.
        let prices = PriceState { version: price_version(&self.pool).await?, changes: 0 };
        let planned =
            PlannedJob::new(job(&key, model, universe), Vec::new(), None).at(prices, MarketRules::default());
        self.require_prices(&planned, date).await?;
        let (place, holder) = (Uuid::now_v7(), self.holder.number());
        let endpoint = (endpoint.0.as_str(), endpoint.1);
        if !begin_rehearsal(&self.pool, place, endpoint, holder, MAX_TIME + MARGIN).await? {
            return Err(NotTried::Busy(endpoint.1));
        }
        Ok(Rehearsal { planned, key, previous, place })
    }

    /// What may be traded on `date`, with all symbols of its companies, as in a job of that day.
    async fn universe(&self, choice: UniverseChoice, date: NaiveDate) -> Result<Universe, NotTried> {
        let universe = self.named_universe(choice).await?;
        let renames = storage::market::renames(&self.pool, &universe.symbols, date).await?;
        Ok(renames.with_all_symbols(universe, date, date))
    }

    async fn named_universe(&self, choice: UniverseChoice) -> Result<Universe, NotTried> {
        let name = match choice {
            UniverseChoice::Symbols(symbols) => {
                return Ok(Universe { name: "symbols".to_owned(), symbols, benchmark: None });
            }
            UniverseChoice::Named(name) => Some(name),
            UniverseChoice::Default => None,
        };
        let stored = storage::universes(&self.pool).await?;
        let known = stored.iter().map(|stored| stored.universe.name.clone()).collect();
        let is_it = |stored: &StoredUniverse| match &name {
            Some(name) => stored.universe.name == *name,
            None => stored.is_default,
        };
        let found = stored.into_iter().find(is_it).map(|stored| stored.universe);
        found.ok_or(NotTried::NoUniverse { name, known })
    }

    /// The day that a kept portfolio continues from.
    async fn previous(
        &self,
        signature: &str,
        kept: Option<&KeptPortfolio>,
        date: NaiveDate,
    ) -> Result<Option<PortfolioDay>, NotTried> {
        let Some(KeptPortfolio { experiment, trial }) = kept else { return Ok(None) };
        let found = kept_position(&self.pool, (experiment, signature, *trial), date).await?;
        let none = || NotTried::NoPosition { experiment: experiment.clone(), trial: *trial, date };
        found.ok_or_else(none).map(Some)
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
        let Rehearsal { planned, key, previous, .. } = rehearsal;
        let Some((model, decider)) = planned.model(&key.model) else { return Ok(()) };
        let ModelKind::Agent(agent) = &model.kind else { return Ok(()) };
        let prices = PriceCache::new(self.calendar.clone());
        let market = prices.around(&self.pool, planned, key.date, previous.as_ref()).await?;
        let universe =
            universe_on(key.date, &planned.job.universe, &market.table, &market.actions, planned.rules);
        let today = ModelDayRun {
            key,
            universe: &universe,
            model,
            decider,
            prices: &market.table,
            actions: &market.actions,
            rules: planned.rules,
            calendar: &self.calendar,
            previous: previous.as_ref(),
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
            symbols: universe.symbols.len(),
            cash: previous.as_ref().map_or(model.initial_cash, |day| day.position.cash()).into(),
            holdings: previous.iter().flat_map(|day| day.position.holdings()).map(held).collect(),
            after: previous.as_ref().map(|day| day.day.date.to_string()),
        };
        let _ = lines.send(began).await;
        let means = Means { endpoints: &self.endpoints, searcher: self.searcher.as_ref(), limit };
        Conversation::new(means, agent, key, session, lines).run().await
    }
}

fn held((symbol, quantity): (&Symbol, &u64)) -> (String, u64) {
    (symbol.to_string(), *quantity)
}

fn key(model: &Model, kept: Option<KeptPortfolio>, date: NaiveDate) -> ModelDayKey {
    let job = JobId(Uuid::now_v7());
    let begun_now = || KeptPortfolio { experiment: "default".to_owned(), trial: 0 };
    let KeptPortfolio { experiment, trial } = kept.unwrap_or_else(begun_now);
    ModelDayKey { job, experiment, model: model.signature.clone(), trial, date }
}

/// The job of that day alone. It is never stored.
fn job(key: &ModelDayKey, model: Model, universe: Universe) -> Job {
    Job {
        id: key.job,
        experiment: key.experiment.clone(),
        models: vec![model],
        universe,
        start: key.date,
        end: key.date,
        options: Options::default(),
        accepted_at: Utc::now(),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}
