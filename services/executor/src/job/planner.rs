//! Planning a job: which days each of its portfolios runs. Load -> decide -> store, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use contract::decode_event;
use domain::agent::Dialect;
use domain::events::event::{Event, JobStarted};
use domain::job::{EndCause, Job, Model, ModelKind};
use domain::simulation::lane::{LanePlan, cancelled_lane, plan_lane};
use domain::simulation::model_day::{SkipReason, SkippedDate, Winners};
use domain::values::ids::{LaneId, PortfolioId};
use messaging::topology::commands;
use runtime::relay::Wake;
use runtime::telemetry;
use storage::PgPool;
use storage::execution::{self, NewLane, PortfolioRow, ReceivedJob, SkippedRow};
use storage::outbox::NewMessage;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::cache::PlannedJob;
use super::job_end::{JobEnd, job_end};
use super::lane_traces;
use crate::error::ExecutorError;
use crate::messages::{SkippedOf, first_turn, skipped_events};
use crate::metrics;

/// Plans jobs.
pub(crate) struct JobPlanner {
    pool: PgPool,
    wake: Wake,
}

/// Which dates a job's data allow.
struct Dates {
    /// Weekdays without a session.
    closed: BTreeSet<NaiveDate>,
    /// Dates that can run.
    runnable: BTreeSet<NaiveDate>,
    /// Sessions that lack prices.
    incomplete: BTreeSet<NaiveDate>,
}

/// One portfolio of the job with what it will do.
struct PlannedPortfolio {
    portfolio: PortfolioRow,
    plan: LanePlan,
    lane: LaneId,
    /// Of agents: the endpoint, and how many lanes may call it side by side.
    endpoint: Option<(String, u32)>,
}

impl JobPlanner {
    pub(crate) fn new(pool: PgPool, wake: Wake) -> Self {
        Self { pool, wake }
    }

    /// Plans the job of a `data.ready` or `data.failed` message; a job that is planned stays as it is.
    pub(crate) async fn plan_message(&self, kind: &str, body: &str) -> Result<(), ExecutorError> {
        let event = decode_event(kind, body.as_bytes())?;
        let dates = dates(&event)
            .ok_or_else(|| ExecutorError::Inconsistent(format!("{kind} does not say that data are ready")))?;
        let planned = PlannedJob::of(event)
            .ok_or_else(|| ExecutorError::Inconsistent(format!("{kind} carries no job")))?;
        let span = tracing::info_span!(
            "plan job",
            job.id = %planned.job.id,
            lane.count = tracing::field::Empty,
            model_day.count = tracing::field::Empty,
        );
        self.plan(kind, body, &planned, &dates).instrument(span).await
    }

    async fn plan(
        &self,
        kind: &str,
        body: &str,
        planned: &PlannedJob,
        dates: &Dates,
    ) -> Result<(), ExecutorError> {
        let job = &planned.job;
        let traceparent = telemetry::current_traceparent();
        let received = ReceivedJob { id: job.id, kind, body, traceparent: traceparent.as_deref() };
        let Some(mut plan) =
            execution::begin_plan(&self.pool, received, &planned.prices_read.symbols).await?
        else {
            return Ok(());
        };
        let end_cause = plan.end_cause;
        let portfolios = plan.portfolios(&job.experiment, &requested_portfolios(job)).await?;
        let ids: Vec<PortfolioId> = portfolios.iter().map(|portfolio| portfolio.id).collect();
        let winners = execution::winning_days(plan.connection(), &ids, Some(job.end)).await?;
        let portfolios = plan_portfolios(planned, dates, end_cause, portfolios, &winners);

        let mut messages = skip_messages(job, &portfolios)?;
        let mut lanes: Vec<NewLane> =
            portfolios.iter().filter(|portfolio| !portfolio.plan.dates.is_empty()).map(new_lane).collect();
        lane_traces::begin(job.id, &mut lanes);
        let skipped: Vec<SkippedRow> = portfolios.iter().map(skipped_row).collect();
        plan.store(&lanes, &skipped, job.options.budget).await?;
        if !lanes.is_empty() {
            plan.store_price_scopes(&planned.price_scopes()).await?;
        }

        let days: usize = lanes.iter().map(|lane| lane.dates.len()).sum();
        Span::current().record("lane.count", telemetry::integer(lanes.len()));
        Span::current().record("model_day.count", telemetry::integer(days));
        let mut warnings = Vec::new();
        if lanes.is_empty() {
            let tally = execution::tally(plan.connection(), job.id).await?;
            let JobEnd { outcome, message, added } =
                job_end(plan.connection(), planned, tally, end_cause).await?;
            plan.end(outcome).await?;
            messages.push(message);
            warnings = added;
        } else {
            messages.push(runtime::outgoing::event(&Event::JobStarted(JobStarted {
                job: job.id,
                lanes: u32::try_from(lanes.len()).unwrap_or(u32::MAX),
                model_days: u32::try_from(days).unwrap_or(u32::MAX),
                outline: Some(job.into()),
            }))?);
            for lane in lanes.iter().filter(|lane| lane.ready) {
                messages.push(first_turn(job.id, lane)?);
            }
        }
        plan.commit(&messages).await?;
        self.wake.wake();
        metrics::model_days("skipped", skipped.iter().map(|row| row.dates.len()).sum());
        metrics::warnings(&warnings);
        tracing::info!(job.id = %job.id, "Job {}: running {days} model-days in {} lanes", job.id, lanes.len());
        Ok(())
    }
}

/// The dates of a `data.ready` or `data.failed` event; `None` for any other.
fn dates(event: &Event) -> Option<Dates> {
    let (runnable, skipped): (&[NaiveDate], &[SkippedDate]) = match event {
        Event::DataReady(event) => (&event.runnable, &event.skipped),
        Event::DataFailed(event) => (&[], &event.skipped),
        _ => return None,
    };
    let of = |reason: SkipReason| {
        skipped.iter().filter(|skipped| skipped.reason == reason).map(|skipped| skipped.date).collect()
    };
    Some(Dates {
        closed: of(SkipReason::MarketClosed),
        runnable: runnable.iter().copied().collect(),
        incomplete: of(SkipReason::IncompletePriceData),
    })
}

/// The job's portfolios as (id for a new one, model, trial).
fn requested_portfolios(job: &Job) -> Vec<(Uuid, String, u32)> {
    let of_model = |model: &Model| {
        let signature = model.signature.clone();
        model
            .requested_trials()
            .map(move |trial| (Uuid::now_v7(), signature.clone(), trial))
            .collect::<Vec<_>>()
    };
    job.models.iter().flat_map(of_model).collect()
}

fn plan_portfolios(
    planned: &PlannedJob,
    dates: &Dates,
    end_cause: EndCause,
    portfolios: Vec<PortfolioRow>,
    winners: &BTreeMap<PortfolioId, Winners>,
) -> Vec<PlannedPortfolio> {
    let job = &planned.job;
    let no_winners = Winners::new();
    let plan = |portfolio: PortfolioRow| {
        let (model, _) = planned.model(&portfolio.model)?;
        let winners = winners.get(&portfolio.id).unwrap_or(&no_winners);
        let Dates { closed, runnable, incomplete } = dates;
        let plan = match end_cause {
            EndCause::DaysEnded => plan_lane(job, model, portfolio.trial, closed, runnable, winners),
            EndCause::Cancelled => cancelled_lane(job, model, portfolio.trial, closed, incomplete, winners),
        };
        let endpoint = endpoint(&job.experiment, model, portfolio.trial);
        Some(PlannedPortfolio { portfolio, plan, lane: LaneId(Uuid::now_v7()), endpoint })
    };
    portfolios.into_iter().filter_map(plan).collect()
}

fn endpoint(experiment: &str, model: &Model, trial: u32) -> Option<(String, u32)> {
    match &model.kind {
        // A client decides the days of one portfolio at a time.
        ModelKind::Agent(agent) if agent.dialect == Dialect::Mcp => {
            Some((format!("mcp:{experiment}/{}#{trial}", model.signature), 1))
        }
        ModelKind::Agent(agent) => Some((agent.url.clone(), agent.concurrency)),
        ModelKind::Recorded(_) | ModelKind::Policy(_) => None,
    }
}

fn skip_messages(job: &Job, portfolios: &[PlannedPortfolio]) -> Result<Vec<NewMessage>, ExecutorError> {
    let mut messages = Vec::new();
    for PlannedPortfolio { portfolio, plan, .. } in portfolios {
        let of = SkippedOf {
            job: job.id,
            experiment: &job.experiment,
            model: &portfolio.model,
            trial: portfolio.trial,
        };
        messages.extend(skipped_events(of, &plan.skipped)?);
    }
    Ok(messages)
}

fn new_lane(planned: &PlannedPortfolio) -> NewLane {
    NewLane {
        id: planned.lane,
        portfolio: planned.portfolio.id,
        model: planned.portfolio.model.clone(),
        trial: planned.portfolio.trial,
        routing_key: match planned.endpoint {
            Some(_) => commands::LANE_CONTINUE_AGENTS,
            None => commands::LANE_CONTINUE,
        },
        dates: planned.plan.dates.clone(),
        ready: !planned.portfolio.held,
        endpoint: planned.endpoint.clone(),
        traceparent: None,
    }
}

fn skipped_row(planned: &PlannedPortfolio) -> SkippedRow {
    SkippedRow { portfolio: planned.portfolio.id, dates: planned.plan.skipped.clone() }
}
