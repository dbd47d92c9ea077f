//! Planning a job: load -> decide -> store, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::events::event::{DaysSkipped, Event, JobStarted, LaneContinue};
use domain::job::{Ending, Model, ModelKind};
use domain::simulation::lane::{LanePlan, cancelled_lane, plan_lane};
use domain::simulation::model_day::SkippedDate;
use domain::values::ids::{JobId, LaneId, PortfolioId};
use messaging::topology::commands;
use runtime::telemetry;
use storage::execution::{self, NewLane, PortfolioRow, SkippedRow};
use storage::outbox::NewMessage;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::Executor;
use crate::counts;
use crate::end::{self, End};
use crate::error::ExecutorError;
use crate::jobs::PlannedJob;

/// What a job's data allow.
pub(crate) struct Data {
    /// Weekdays without a session.
    pub(crate) closed: BTreeSet<NaiveDate>,
    /// Dates that can run.
    pub(crate) runnable: BTreeSet<NaiveDate>,
    /// Sessions that lack prices.
    pub(crate) incomplete: BTreeSet<NaiveDate>,
}

/// One portfolio of the job with what it will do.
struct Planned {
    portfolio: PortfolioRow,
    plan: LanePlan,
    lane: LaneId,
    /// Of agents: whom their days ask, and how many may side by side.
    endpoint: Option<(String, u32)>,
}

fn endpoint(model: &Model) -> Option<(String, u32)> {
    match &model.kind {
        ModelKind::Agent(agent) => Some((agent.url.clone(), agent.concurrency)),
        ModelKind::Recorded(_) | ModelKind::Policy(_) => None,
    }
}

impl Executor {
    /// Plans the job of a `data.ready` or `data.failed` message; a job that is planned stays as it is.
    pub(crate) async fn plan(
        &self,
        kind: &str,
        body: &str,
        planned: &PlannedJob,
        data: &Data,
    ) -> Result<(), ExecutorError> {
        let job = &planned.job;
        let traceparent = telemetry::current_traceparent();
        let Some(mut plan) =
            execution::begin_plan(&self.pool, job.id, kind, body, traceparent.as_deref()).await?
        else {
            return Ok(());
        };
        let ending = plan.ending;
        let wanted: Vec<(Uuid, String, u32)> = job
            .models
            .iter()
            .flat_map(|model| {
                model.trials_asked().map(|trial| (Uuid::now_v7(), model.signature.clone(), trial))
            })
            .collect();
        let portfolios = plan.portfolios(&job.experiment, &wanted).await?;
        let ids: Vec<PortfolioId> = portfolios.iter().map(|portfolio| portfolio.id).collect();
        let winners = execution::stale_chain(plan.connection(), &ids, Some(job.end)).await?;

        let no_winners = BTreeMap::new();
        let planned_lanes: Vec<Planned> = portfolios
            .into_iter()
            .filter_map(|portfolio| {
                let (model, _) = planned.model(&portfolio.model)?;
                let winners = winners.get(&portfolio.id).unwrap_or(&no_winners);
                let plan = match ending {
                    Ending::Itself => {
                        plan_lane(job, model, portfolio.trial, &data.closed, &data.runnable, winners)
                    }
                    Ending::Cancelled => {
                        cancelled_lane(job, model, portfolio.trial, &data.closed, &data.incomplete, winners)
                    }
                };
                Some(Planned { portfolio, plan, lane: LaneId(Uuid::now_v7()), endpoint: endpoint(model) })
            })
            .collect();

        let mut messages = self.skip_messages(job.id, &job.experiment, &planned_lanes)?;
        let lanes: Vec<NewLane> =
            planned_lanes.iter().filter(|planned| !planned.plan.dates.is_empty()).map(new_lane).collect();
        let skipped: Vec<SkippedRow> = planned_lanes.iter().map(skipped_row).collect();
        plan.store(&lanes, &skipped, job.options.budget).await?;
        if !lanes.is_empty() {
            plan.watch(&planned.watches()).await?;
        }

        let mut warnings = Vec::new();
        if lanes.is_empty() {
            let tally = execution::tally(plan.connection(), job.id).await?;
            let End { outcome, message, added } = end::end(plan.connection(), planned, tally, ending).await?;
            plan.end(outcome).await?;
            messages.push(message);
            warnings = added;
        } else {
            messages.push(runtime::outgoing::event(&Event::JobStarted(JobStarted {
                job: job.id,
                lanes: u32::try_from(lanes.len()).unwrap_or(u32::MAX),
                model_days: u32::try_from(lanes.iter().map(|lane| lane.dates.len()).sum::<usize>())
                    .unwrap_or(u32::MAX),
            }))?);
            for lane in lanes.iter().filter(|lane| lane.ready) {
                messages.push(first_turn(job.id, lane)?);
            }
        }
        plan.commit(&messages).await?;
        self.wake.wake();
        counts::model_days("skipped", skipped.iter().map(|row| row.dates.len()).sum());
        counts::warnings(&warnings);
        let days: usize = lanes.iter().map(|lane| lane.dates.len()).sum();
        tracing::info!(job.id = %job.id, "Job {}: running {days} model-days in {} lanes", job.id, lanes.len());
        Ok(())
    }

    fn skip_messages(
        &self,
        job: JobId,
        experiment: &str,
        lanes: &[Planned],
    ) -> Result<Vec<NewMessage>, ExecutorError> {
        let mut messages = Vec::new();
        for planned in lanes {
            messages.extend(skipped_events(
                job,
                experiment,
                &planned.portfolio.model,
                planned.portfolio.trial,
                &planned.plan.skipped,
            )?);
        }
        Ok(messages)
    }
}

/// The events that tell skipped dates of one portfolio.
pub(crate) fn skipped_events(
    job: JobId,
    experiment: &str,
    model: &str,
    trial: u32,
    dates: &[SkippedDate],
) -> Result<Vec<NewMessage>, ExecutorError> {
    dates
        .chunks(DaysSkipped::MOST)
        .map(|dates| {
            let event = Event::ModelDaysSkipped(DaysSkipped {
                job,
                experiment: experiment.to_owned(),
                model: model.to_owned(),
                trial,
                dates: dates.to_vec(),
            });
            Ok(runtime::outgoing::event(&event)?)
        })
        .collect()
}

fn new_lane(planned: &Planned) -> NewLane {
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
    }
}

fn skipped_row(planned: &Planned) -> SkippedRow {
    SkippedRow { portfolio: planned.portfolio.id, dates: planned.plan.skipped.clone() }
}

/// The message of a lane's first turn, in a trace of its own that is linked to the job's.
fn first_turn(job: JobId, lane: &NewLane) -> Result<NewMessage, ExecutorError> {
    let span =
        tracing::info_span!(parent: None, "lane", job.id = %job, model = lane.model, trial = lane.trial);
    telemetry::link_to_current(&span);
    let command = LaneContinue { lane: lane.id, turn: 0 };
    let traceparent = span.in_scope(telemetry::current_traceparent);
    Ok(runtime::outgoing::lane_continue(&command, job, lane.routing_key, traceparent)?)
}

/// Plans within a span of its own.
pub(crate) async fn plan_traced(
    executor: &Executor,
    kind: &str,
    body: &str,
    planned: &PlannedJob,
    data: &Data,
) -> Result<(), ExecutorError> {
    let span = tracing::info_span!("plan", job.id = %planned.job.id);
    executor.plan(kind, body, planned, data).instrument(span).await
}
