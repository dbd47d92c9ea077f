//! What each portfolio of a job will do, and the lanes and messages that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::agent::Dialect;
use domain::events::event::Event;
use domain::job::{EndCause, Job, Model, ModelKind};
use domain::simulation::lane::{LanePlan, cancelled_lane, plan_lane};
use domain::simulation::model_day::{SkipReason, SkippedDate, Winners};
use domain::values::ids::{LaneId, PortfolioId};
use messaging::topology::commands;
use storage::execution::{LaneBegin, NewLane, PortfolioRow, SkippedRow};
use storage::outbox::NewMessage;
use uuid::Uuid;

use crate::error::ExecutorError;
use crate::messages::{SkippedOf, skipped_events};

/// Which dates a job's data allow.
pub(super) struct Dates {
    /// Weekdays without a session.
    closed: BTreeSet<NaiveDate>,
    /// Dates that can run.
    runnable: BTreeSet<NaiveDate>,
    /// Sessions that lack prices.
    incomplete: BTreeSet<NaiveDate>,
}

impl Dates {
    /// The dates of a `data.ready` or `data.failed` event; `None` for any other.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let (runnable, skipped): (&[NaiveDate], &[SkippedDate]) = match event {
            Event::DataReady(event) => (&event.runnable, &event.skipped),
            Event::DataFailed(event) => (&[], &event.skipped),
            _ => return None,
        };
        let of = |reason: SkipReason| {
            skipped.iter().filter(|skipped| skipped.reason == reason).map(|skipped| skipped.date).collect()
        };
        Some(Self {
            closed: of(SkipReason::MarketClosed),
            runnable: runnable.iter().copied().collect(),
            incomplete: of(SkipReason::IncompletePriceData),
        })
    }
}

/// One portfolio of the job with what it will do.
pub(super) struct PlannedPortfolio {
    portfolio: PortfolioRow,
    plan: LanePlan,
    lane: LaneId,
    /// Of agents: the endpoint, and how many lanes may call it side by side.
    endpoint: Option<(String, u32)>,
}

/// The job's portfolios in the order in which they are planned: by model as in the request, then by trial.
pub(super) fn requested_portfolios(job: &Job) -> impl Iterator<Item = (&Model, u32)> {
    job.models.iter().flat_map(|model| model.requested_trials().map(move |trial| (model, trial)))
}

/// Names of portfolios, each with the id that it gets if it is new.
pub(super) fn names(portfolios: &[(&Model, u32)]) -> Vec<(Uuid, String, u32)> {
    portfolios.iter().map(|(model, trial)| (Uuid::now_v7(), model.signature.clone(), *trial)).collect()
}

/// What the portfolios will do; `models` are the models of the job by signature.
pub(super) fn plan_portfolios(
    job: &Job,
    models: &BTreeMap<&str, &Model>,
    dates: &Dates,
    end_cause: EndCause,
    portfolios: Vec<PortfolioRow>,
    winners: &BTreeMap<PortfolioId, Winners>,
) -> Vec<PlannedPortfolio> {
    let no_winners = Winners::new();
    let plan = |portfolio: PortfolioRow| {
        let model = *models.get(portfolio.model.as_str())?;
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

/// The events that report the dates which are not run.
pub(super) fn skip_messages(
    job: &Job,
    portfolios: &[PlannedPortfolio],
) -> Result<Vec<NewMessage>, ExecutorError> {
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

/// The lanes of the portfolios that have dates to run; those of free portfolios begin as `free`.
pub(super) fn new_lanes(portfolios: &[PlannedPortfolio], free: LaneBegin) -> Vec<NewLane> {
    let lane = |planned: &PlannedPortfolio| NewLane {
        id: planned.lane,
        portfolio: planned.portfolio.id,
        model: planned.portfolio.model.clone(),
        trial: planned.portfolio.trial,
        routing_key: match planned.endpoint {
            Some(_) => commands::LANE_CONTINUE_AGENTS,
            None => commands::LANE_CONTINUE,
        },
        dates: planned.plan.dates.clone(),
        begins: if planned.portfolio.held { LaneBegin::Waiting } else { free },
        endpoint: planned.endpoint.clone(),
        traceparent: None,
    };
    portfolios.iter().filter(|planned| !planned.plan.dates.is_empty()).map(lane).collect()
}

/// The dates that are not run, as rows.
pub(super) fn skipped_rows(portfolios: &[PlannedPortfolio]) -> Vec<SkippedRow> {
    let row = |planned: &PlannedPortfolio| SkippedRow {
        portfolio: planned.portfolio.id,
        dates: planned.plan.skipped.clone(),
    };
    portfolios.iter().map(row).collect()
}
