//! An agent's day: the session decides, this asks, waits and keeps the journal.

mod conversation;
mod endpoint;
mod http;
mod journal;
mod search;
mod turn;

use domain::accounting::market_day::DayPrices;
use domain::agent::{AgentReport, EndedSession, JournaledSession};
use domain::events::event::{Event, ModelDayStarted};
use domain::job::AgentModel;
use domain::simulation::run::{AgentAttempt, ModelDayRun};
use serde_json::Value;
use storage::execution::Lane;
use storage::execution::agents::{Attempt, begin_attempt, end_attempt};

use crate::Executor;
use crate::error::ExecutorError;

pub(crate) use conversation::Stop;
use conversation::{Conversation, Talk};
pub(crate) use endpoint::Endpoints;
use journal::Journal;
pub use search::Searcher;
pub(crate) use turn::told;

/// What became of a turn of an agent's day.
pub(crate) enum AgentDay<'a> {
    /// The session has ended.
    Ended {
        /// Which attempt.
        attempt: Attempt,
        /// How it ended.
        ended: Box<EndedSession<'a>>,
        /// The same, for events.
        report: AgentReport,
        /// What the endpoint said, when it failed for good.
        error: Option<String>,
    },
    /// It cannot go on in this turn.
    Stopped(Stop),
}

/// An agent's day that has ended, for its row.
pub(crate) struct Talked {
    pub(crate) revision: u32,
    pub(crate) told: AgentAttempt,
    pub(crate) transcript: Value,
}

impl Executor {
    /// Runs an agent's day as far as this turn goes.
    pub(crate) async fn agent_day<'a>(
        &self,
        lane: &Lane,
        today: &'a ModelDayRun<'a>,
        agent: &'a AgentModel,
        market: &'a dyn DayPrices,
    ) -> Result<AgentDay<'a>, ExecutorError> {
        loop {
            let attempt = begin_attempt(&self.pool, lane, today.key.date, today.revision, |attempt| {
                let event = Event::ModelDayStarted(ModelDayStarted {
                    key: today.key.clone(),
                    attempt: attempt.number,
                    started_at: attempt.started_at,
                });
                Ok::<_, ExecutorError>(runtime::outgoing::event(&event)?)
            })
            .await?;
            self.wake.wake_for_events();
            let session = today.session(agent, market)?;
            let (journal, recording) = Journal::open(&self.pool, lane, &attempt).await?;
            let fed = JournaledSession::new(session, recording);
            let talk = Conversation::new(self, lane, agent, today, &attempt, fed, journal).run().await?;
            match talk {
                Talk::Ended { ended, report, error } => {
                    return Ok(AgentDay::Ended { attempt, ended, report, error });
                }
                Talk::Stopped(stop) => return Ok(AgentDay::Stopped(stop)),
                // The code or the configuration has changed since: what was heard answers other questions.
                Talk::RequestChanged => end_attempt(&self.pool, lane, &attempt, "request_changed").await?,
            }
        }
    }
}
