//! The states of single model-days, from events. An ended day takes the place of a running one, a later attempt that
//! of an earlier one; a day that has ended stays as it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::agent::{AgentReport, UsageTotal};
use crate::events::event::Event;
use crate::simulation::model_day::{CompletedDay, DayRef};
use crate::values::ids::ModelDayKey;

/// The state of a model-day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayState {
    /// An attempt is under way.
    Running,
    /// It took effect.
    Completed,
    /// It failed.
    Failed,
    /// It is not run.
    Skipped,
}

impl DayState {
    /// The state's name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Running, Self::Completed, Self::Failed, Self::Skipped]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// Whether the job will not change it any more.
    pub fn has_ended(self) -> bool {
        self != Self::Running
    }
}

/// What is known of one model-day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayFact {
    /// Which model-day.
    pub key: ModelDayKey,
    /// Its state.
    pub state: DayState,
    /// Which attempt, from 1; 0 when it is not run.
    pub attempt: u32,
    /// Why it failed or is not run.
    pub detail: Option<String>,
    /// When the attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the attempt ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its figures, when it took effect.
    pub result: Option<DayFigures>,
    /// What its agent used, also in a failed day; `None` without a report.
    pub usage: Option<DayUsage>,
}

/// What an agent used, over a day or several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayUsage {
    /// Calls, tokens and dollars.
    pub spent: UsageTotal,
    /// Calls that were sent again although the first copy may have been billed.
    pub possibly_paid_twice: u64,
    /// Calls of tools that the tools could use; `None` when they were not counted.
    pub tool_calls: Option<u64>,
}

impl From<&AgentReport> for DayUsage {
    fn from(report: &AgentReport) -> Self {
        let AgentReport { possibly_paid_twice, tool_calls, .. } = *report;
        Self { spent: report.spent.clone(), possibly_paid_twice, tool_calls }
    }
}

/// The figures of a completed day from which series and statistics are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayFigures {
    /// The highest revision of a portfolio's date wins.
    pub revision: u32,
    /// The day it continued from.
    pub base: Option<DayRef>,
    /// Value of the starting position at the day's open.
    pub starting_value: Decimal,
    /// Value of the ending position at the day's open.
    pub value_at_open: Decimal,
    /// Value of the ending position at the day's close.
    pub value_at_close: Decimal,
    /// Filled orders.
    pub trades: u32,
    /// Dollars bought plus dollars sold.
    pub traded: Decimal,
}

impl From<&CompletedDay> for DayFigures {
    fn from(day: &CompletedDay) -> Self {
        let notional = |total: Decimal, trade: &crate::simulation::model_day::Trade| {
            total.saturating_add(trade.price.saturating_mul(Decimal::from(trade.quantity)))
        };
        Self {
            revision: day.revision,
            base: day.base,
            starting_value: day.starting_value,
            value_at_open: day.value_at_open,
            value_at_close: day.value_at_close,
            trades: u32::try_from(day.trades.len()).unwrap_or(u32::MAX),
            traded: day.trades.iter().fold(Decimal::ZERO, notional),
        }
    }
}

/// The facts about model-days in one event; most kinds have none.
pub fn facts(event: &Event) -> Vec<DayFact> {
    match event {
        Event::ModelDayStarted(event) => vec![DayFact {
            started_at: Some(event.started_at),
            ..fact(event.key.clone(), DayState::Running, event.attempt)
        }],
        Event::ModelDayCompleted(day) => vec![DayFact {
            started_at: Some(day.started_at),
            ended_at: Some(day.completed_at),
            result: Some(day.as_ref().into()),
            usage: day.agent.as_ref().map(Into::into),
            ..fact(day.key.clone(), DayState::Completed, day.attempt)
        }],
        Event::ModelDayFailed(day) => vec![DayFact {
            detail: Some(day.error.clone()),
            started_at: Some(day.started_at),
            ended_at: Some(day.completed_at),
            usage: day.agent.as_ref().map(Into::into),
            ..fact(day.key.clone(), DayState::Failed, day.attempt)
        }],
        Event::ModelDaysSkipped(event) => {
            let skipped = |date: &crate::simulation::model_day::SkippedDate| DayFact {
                detail: Some(date.reason.as_str().to_owned()),
                ..fact(
                    ModelDayKey {
                        job: event.job,
                        experiment: event.experiment.clone(),
                        model: event.model.clone(),
                        trial: event.trial,
                        date: date.date,
                    },
                    DayState::Skipped,
                    0,
                )
            };
            event.dates.iter().map(skipped).collect()
        }
        Event::JobRequested(_)
        | Event::DownloadStarted(_)
        | Event::DownloadProgressed(_)
        | Event::DataReady(_)
        | Event::DataWaiting(_)
        | Event::DataFailed(_)
        | Event::JobStarted(_)
        | Event::JobEnded(_) => Vec::new(),
    }
}

fn fact(key: ModelDayKey, state: DayState, attempt: u32) -> DayFact {
    DayFact { key, state, attempt, detail: None, started_at: None, ended_at: None, result: None, usage: None }
}

/// The latest fact of each model-day, by key. `T` is what the caller keeps with the fact.
#[derive(Debug, Clone, PartialEq)]
pub struct DayFacts<T>(BTreeMap<ModelDayKey, (DayFact, T)>);

impl<T> Default for DayFacts<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> DayFacts<T> {
    /// Adds one fact.
    pub fn add(&mut self, fact: DayFact, with: T) {
        match self.0.get(&fact.key) {
            Some((known, _)) if !fact.supersedes(known) => {}
            Some(_) | None => {
                self.0.insert(fact.key.clone(), (fact, with));
            }
        }
    }

    /// The facts by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &(DayFact, T)> {
        self.0.values()
    }
}

impl DayFact {
    /// Whether this one takes the place of `known`, of the same model-day.
    pub fn supersedes(&self, known: &Self) -> bool {
        match (self.state.has_ended(), known.state.has_ended()) {
            (_, true) => false,
            (true, false) => true,
            (false, false) => self.attempt > known.attempt,
        }
    }
}
