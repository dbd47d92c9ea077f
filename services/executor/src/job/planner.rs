//! Planning a job: which days each of its portfolios runs. Load -> decide -> store, in a transaction for each thousand
//! portfolios.
//!
//! The lanes of a job run when all of them are planned. So a job that is half planned has neither days nor an end, and
//! the planner of the rest needs nothing but the number of portfolios that are done.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use contract::decode_event;
use domain::events::event::{Event, JobStarted};
use domain::job::{EndCause, Job, Model};
use domain::values::ids::PortfolioId;
use runtime::relay::Wake;
use runtime::telemetry;
use storage::PgPool;
use storage::execution::{self, JobPlan, LaneBegin, NewLane, ReceivedJob};
use storage::outbox::NewMessage;
use tracing::{Instrument as _, Span};

use super::cache::PlannedJob;
use super::job_end::{JobEnd, job_end};
use super::lane_traces;
use super::portfolio_plan::{
    Dates, names, new_lanes, plan_portfolios, requested_portfolios, skip_messages, skipped_rows,
};
use crate::error::ExecutorError;
use crate::lane::feeder::Feeder;
use crate::messages::first_turn;
use crate::metrics;

/// Requested dates that are planned in one transaction, about: they are in memory together.
const MAX_DATES: usize = 100_000;
/// Price scopes that are stored in one statement.
const MAX_SCOPES: usize = 100;

/// Plans jobs.
pub(crate) struct JobPlanner {
    pool: PgPool,
    wake: Wake,
    feeder: Arc<Feeder>,
    /// Portfolios that are planned in one transaction, at most.
    max_portfolios: usize,
}

/// A job on its way to lanes.
struct Planning<'a> {
    planned: &'a PlannedJob,
    dates: &'a Dates,
    /// The job's models by signature.
    models: BTreeMap<&'a str, &'a Model>,
    /// How many portfolios it has.
    portfolios: usize,
    /// How many of them are planned in one transaction.
    at_once: usize,
    /// How the lanes of free portfolios begin.
    free: LaneBegin,
}

/// The lanes of a job, all of them, and their model-days.
struct Planned {
    lanes: usize,
    days: usize,
}

impl JobPlanner {
    pub(crate) fn new(pool: PgPool, wake: Wake, feeder: Arc<Feeder>, max_portfolios: usize) -> Self {
        Self { pool, wake, feeder, max_portfolios }
    }

    /// Plans the job of a `data.ready` or `data.failed` message; a job that is planned stays as it is.
    pub(crate) async fn plan_message(&self, kind: &str, body: &str) -> Result<(), ExecutorError> {
        let event = decode_event(kind, body.as_bytes())?;
        let dates = Dates::of(&event)
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
        let portfolios = requested_portfolios(job).count();
        let at_once = (MAX_DATES / longest(job)).clamp(1, self.max_portfolios);
        let is_paced = portfolios > self.feeder.places() || portfolios > at_once;
        let free = if is_paced || self.feeder.is_contended() { LaneBegin::Parked } else { LaneBegin::Ready };
        let models = job.models.iter().map(|model| (model.signature.as_str(), model)).collect();
        let planning = Planning { planned, dates, models, portfolios, at_once, free };

        let traceparent = telemetry::current_traceparent();
        let traceparent = traceparent.as_deref();
        let priority = job.options.priority;
        let received = ReceivedJob { id: job.id, kind, body, traceparent, priority, is_paced };
        let mut next = execution::begin_plan(&self.pool, received, &planned.prices_read.symbols).await?;
        while let Some(plan) = next {
            if let ControlFlow::Break(Planned { lanes, days }) = self.plan_next(&planning, plan).await? {
                Span::current().record("lane.count", telemetry::integer(lanes));
                Span::current().record("model_day.count", telemetry::integer(days));
                tracing::info!(job.id = %job.id, "Job {}: running {days} model-days in {lanes} lanes", job.id);
                break;
            }
            next = execution::continue_plan(&self.pool, job.id).await?;
        }
        Ok(())
    }

    /// Plans the next portfolios; breaks with the last ones.
    async fn plan_next(
        &self,
        planning: &Planning<'_>,
        mut plan: JobPlan,
    ) -> Result<ControlFlow<Planned>, ExecutorError> {
        let (job, before, end_cause) = (&planning.planned.job, plan.planned_before, plan.end_cause);
        let requested: Vec<(&Model, u32)> =
            requested_portfolios(job).skip(before).take(planning.at_once).collect();
        let planned = before + requested.len();
        let are_last = planned >= planning.portfolios;

        let rows = plan.portfolios(&job.experiment, &names(&requested)).await?;
        let ids: Vec<PortfolioId> = rows.iter().map(|portfolio| portfolio.id).collect();
        let winners = execution::winning_days(plan.connection(), &ids, Some(job.end)).await?;
        let portfolios = plan_portfolios(job, &planning.models, planning.dates, end_cause, rows, &winners);
        let mut messages = skip_messages(job, &portfolios)?;
        let mut lanes = new_lanes(&portfolios, planning.free);
        lane_traces::begin(job.id, before, &mut lanes);
        let skipped = skipped_rows(&portfolios);
        if let (0, Some(budget)) = (before, job.options.budget) {
            plan.store_budget(budget).await?;
        }
        let lane_count = plan.store(&lanes, &skipped, (!are_last).then_some(planned)).await?;

        let mut ended = None;
        let mut warnings = Vec::new();
        if are_last {
            let days = match before {
                0 => lanes.iter().map(|lane| lane.dates.len()).sum(),
                _ => plan.stored_days().await?,
            };
            ended = Some(Planned { lanes: lane_count, days });
            if lane_count == 0 {
                let tally = execution::tally(plan.connection(), job.id).await?;
                let JobEnd { outcome, message, added } =
                    job_end(plan.connection(), planning.planned, tally, end_cause).await?;
                plan.end(outcome).await?;
                messages.push(message);
                warnings = added;
            } else {
                begin(&mut plan, planning, &lanes, (lane_count, days), &mut messages).await?;
            }
        }
        plan.commit(&messages).await?;
        self.wake.wake();
        metrics::model_days("skipped", skipped.iter().map(|row| row.dates.len()).sum());
        metrics::warnings(&warnings);
        if are_last && planning.free == LaneBegin::Parked {
            self.feeder.feed_soon();
        }
        Ok(ended.map_or(ControlFlow::Continue(()), ControlFlow::Break))
    }
}

/// What follows when all portfolios of a job are planned and some have lanes. A job that was cancelled meanwhile does not
/// start: [`super::cancellation`] ends its lanes.
async fn begin(
    plan: &mut JobPlan,
    planning: &Planning<'_>,
    lanes: &[NewLane],
    (lane_count, days): (usize, usize),
    messages: &mut Vec<NewMessage>,
) -> Result<(), ExecutorError> {
    let job = &planning.planned.job;
    let mut scopes = planning.planned.price_scopes();
    loop {
        let some: Vec<_> = scopes.by_ref().take(MAX_SCOPES).collect();
        if some.is_empty() {
            break;
        }
        plan.store_price_scopes(&some).await?;
    }
    if plan.end_cause == EndCause::DaysEnded {
        messages.push(runtime::outgoing::event(&Event::JobStarted(JobStarted {
            job: job.id,
            lanes: u32::try_from(lane_count).unwrap_or(u32::MAX),
            model_days: u32::try_from(days).unwrap_or(u32::MAX),
            outline: Some(job.into()),
        }))?);
    }
    for lane in lanes.iter().filter(|lane| lane.begins == LaneBegin::Ready) {
        messages.push(first_turn(job.id, lane)?);
    }
    Ok(())
}

/// The most dates that a portfolio of the job may have; 1 at least.
fn longest(job: &Job) -> usize {
    usize::try_from((job.end - job.first_date()).num_days() + 1).unwrap_or(1).max(1)
}
