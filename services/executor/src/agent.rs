//! Agents' days: the session decides; this part calls the endpoint, waits, and keeps the journal.

mod access;
mod call_metrics;
mod conversation;
mod endpoint;
mod journal;
mod message_content;
mod search;
mod signature;
mod spans;

use std::time::Duration;

use domain::accounting::market_day::DayPrices;
use domain::agent::{EndReason, FinishedSession, JournaledSession};
use domain::events::event::{Event, ModelDayStarted};
use domain::job::AgentModel;
use domain::simulation::run::ModelDayRun;
use runtime::relay::Wake;
use storage::PgPool;
use storage::execution::Lane;
use storage::execution::agents::{Attempt, begin_attempt, end_attempt};

use crate::error::ExecutorError;
use crate::visit::Visit;

pub use access::EndpointAccess;
pub(crate) use call_metrics::declare as declare_call_metrics;
pub(crate) use conversation::Stop;
use conversation::{Conversation, Means, Talk};
pub(crate) use endpoint::{Endpoints, headers_of, shown};
use journal::JournalWriter;
pub use search::Searcher;

/// What became of a turn of an agent's day.
pub(crate) enum AgentDay<'a> {
    /// The session has ended.
    Ended {
        /// Which attempt.
        attempt: Attempt,
        /// How it ended.
        finished: Box<FinishedSession<'a>>,
    },
    /// It cannot go on in this turn.
    Stopped(Stop),
}

/// Runs agents' days.
pub(crate) struct AgentDays {
    pool: PgPool,
    wake: Wake,
    endpoints: Endpoints,
    searcher: Option<Searcher>,
    /// How long a turn lasts; it ends between steps.
    slice: Duration,
}

impl AgentDays {
    /// Runs days whose endpoints are called by `endpoints`.
    pub(crate) fn new(
        pool: PgPool,
        wake: Wake,
        endpoints: Endpoints,
        searcher: Option<Searcher>,
        slice: Duration,
    ) -> Self {
        Self { pool, wake, endpoints, searcher, slice }
    }

    /// Runs an agent's day as far as this turn goes.
    pub(crate) async fn run<'a>(
        &self,
        lane: &Lane,
        today: &'a ModelDayRun<'a>,
        agent: &'a AgentModel,
        market: &'a dyn DayPrices,
        visit: Option<&Visit>,
    ) -> Result<AgentDay<'a>, ExecutorError> {
        let (endpoints, searcher) = (&self.endpoints, self.searcher.as_ref());
        let means = Means { endpoints, searcher, slice: self.slice, visit };
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
            let (writer, journal) = JournalWriter::open(&self.pool, lane, &attempt).await?;
            let session = JournaledSession::new(session, journal);
            let conversation = Conversation::new(means, lane, agent, today, &attempt, session, writer);
            match conversation.run().await? {
                Talk::Ended(finished) => return Ok(AgentDay::Ended { attempt, finished }),
                Talk::Stopped(stop) => return Ok(AgentDay::Stopped(stop)),
                // The code or the configuration has changed since: the journal's answers are to other requests.
                Talk::RequestChanged => end_attempt(&self.pool, lane, &attempt, "request_changed").await?,
            }
        }
    }

    /// Ends an attempt that came to nothing, for `reason`.
    pub(crate) async fn abandon(
        &self,
        lane: &Lane,
        attempt: &Attempt,
        reason: EndReason,
    ) -> Result<(), ExecutorError> {
        end_attempt(&self.pool, lane, attempt, reason.as_str()).await?;
        Ok(())
    }
}
