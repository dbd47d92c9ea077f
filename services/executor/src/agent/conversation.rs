//! The conversation of one attempt: feeds the session what the journal holds, then what endpoints answer.

use std::time::{Duration, Instant};

use domain::agent::search::failed;
use domain::agent::session::SearchRequest;
use domain::agent::transcript::Role;
use domain::agent::usage::reserve;
use domain::agent::{
    AgentReport, EndReason, EndedSession, EntryKind, Failure, FinishedSession, JournaledSession,
    ModelRequest, ModelResponse, NextStep, next_try, request_hash,
};
use domain::job::AgentModel;
use domain::simulation::run::ModelDayRun;
use storage::execution::agents::{Attempt, Call, Intent, Settled};
use storage::execution::{Durable, Lane};
use uuid::Uuid;

use super::endpoint::{self, NoKey};
use super::journal::Journal;
use crate::Executor;
use crate::error::ExecutorError;

/// Waits up to this are waited for in hand; longer ones end the turn.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// Answer tokens that a call may need when its request does not bound them.
const UNBOUNDED_ANSWER: u64 = 4_096;

/// Why a conversation does not go on in this turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The slice is over.
    Slice,
    /// Nothing can be done for so long.
    Wait(Duration),
}

/// How a conversation came out.
pub(super) enum Talk<'a> {
    /// The day has ended.
    Ended {
        /// How.
        ended: Box<EndedSession<'a>>,
        /// What is reported of it.
        report: AgentReport,
        /// What the endpoint said, when it failed for good.
        error: Option<String>,
    },
    /// It goes on in another turn.
    Stopped(Stop),
    /// The journal holds other requests than the session makes.
    RequestChanged,
}

/// One attempt's conversation, in this turn.
pub(super) struct Conversation<'c, 'a> {
    executor: &'c Executor,
    lane: &'c Lane,
    agent: &'a AgentModel,
    today: &'a ModelDayRun<'a>,
    fed: JournaledSession<'a>,
    journal: Journal<'c>,
    attempt: &'c Attempt,
    began: Instant,
    /// Turns of the conversation whose results of tools are noted.
    noted: usize,
}

/// What a step led to.
enum Step {
    On,
    Stop(Stop),
}

impl<'c, 'a> Conversation<'c, 'a> {
    pub(super) fn new(
        executor: &'c Executor,
        lane: &'c Lane,
        agent: &'a AgentModel,
        today: &'a ModelDayRun<'a>,
        attempt: &'c Attempt,
        fed: JournaledSession<'a>,
        journal: Journal<'c>,
    ) -> Self {
        Self { executor, lane, agent, today, fed, journal, attempt, began: Instant::now(), noted: 0 }
    }

    /// Goes on until the day or the turn ends.
    pub(super) async fn run(mut self) -> Result<Talk<'a>, ExecutorError> {
        loop {
            let wanted = self.fed.next_step()?;
            self.note_tools();
            let step = match wanted {
                NextStep::Call { request, hash, sent } => self.ask(request, &hash, sent).await?,
                NextStep::Search(wanted) => self.search(wanted).await?,
                NextStep::Changed { .. } => return Ok(Talk::RequestChanged),
                NextStep::Ended(_) => break,
            };
            if let Step::Stop(stop) = step {
                self.journal.flush(Durable::AtOnce).await?;
                return Ok(Talk::Stopped(stop));
            }
        }
        // What was spent counts against the budget before the day's own commit.
        self.journal.flush(Durable::WithTheNextCommit).await?;
        let FinishedSession { ended, report, error } = self.fed.finish();
        Ok(Talk::Ended { ended: Box::new(ended), report, error })
    }

    async fn ask(&mut self, ask: ModelRequest, hash: &str, sent: u32) -> Result<Step, ExecutorError> {
        if self.journal.active_ms() >= self.agent.settings.limits.wall_time_seconds.saturating_mul(1_000) {
            self.journal.stop(ask.step, EndReason::WallTime);
            self.fed.stop(EndReason::WallTime);
            return Ok(Step::On);
        }
        if self.began.elapsed() >= self.executor.config.agent_slice {
            return Ok(Step::Stop(Stop::Slice));
        }
        self.call(ask, hash, sent).await
    }

    async fn call(&mut self, ask: ModelRequest, hash: &str, tries: u32) -> Result<Step, ExecutorError> {
        let key = match endpoint::key(self.agent) {
            Ok(key) => key,
            Err(NoKey::Unset(variable)) => return self.without_key(&ask, &NoKey::Unset(variable)),
        };
        match self.allowed(&ask, hash).await? {
            Call::Allowed => {}
            Call::OverBudget => {
                self.journal.stop(ask.step, EndReason::BudgetExhausted);
                self.fed.stop(EndReason::BudgetExhausted);
                return Ok(Step::On);
            }
            Call::BudgetBusy => return Ok(Step::Stop(Stop::Wait(Duration::from_secs(1)))),
            Call::OverRate => return Ok(Step::Stop(Stop::Wait(until_next_minute()))),
        }
        let secrets = endpoint::secrets(key.as_deref());
        let identity = self.identity(ask.step);
        let body = ask.body.clone();
        let raw = self.executor.endpoints.call(self.agent, key.as_deref(), &identity, body).await;
        let answer = self.agent.dialect.classify(&raw, &secrets);
        metrics::counter!("modelday_agent_calls_total", "class" => answer.class()).increment(1);
        match &answer {
            ModelResponse::Failed(failure) => self.failed(&ask, failure, tries + 1, &answer).await,
            ModelResponse::Message(message) => {
                let settings = &self.agent.settings;
                let cost = message.usage.cost(settings.prices.as_ref(), settings.cost_basis);
                let used =
                    message.usage.prompt.zip(message.usage.completion).map(|(p, c)| p.saturating_add(c));
                let tokens = match (self.agent.tokens_per_minute, used) {
                    (Some(_), Some(used)) => signed(used) - signed(needed(&ask)),
                    _ => 0,
                };
                self.settle(&ask, &answer, cost, tokens)?;
                self.fed.add_response(&answer)?;
                Ok(Step::On)
            }
        }
    }

    async fn allowed(&mut self, ask: &ModelRequest, hash: &str) -> Result<Call, ExecutorError> {
        let prices = self.agent.settings.prices.as_ref();
        let answer = ask.max_completion_tokens.unwrap_or(UNBOUNDED_ANSWER);
        let reserve = prices.map(|prices| reserve(ask.body.len() as u64, answer, prices)).unwrap_or_default();
        let tokens = self.agent.tokens_per_minute;
        let intent = Intent {
            step: ask.step,
            index: 0,
            kind: EntryKind::Call,
            hash,
            reserve,
            tokens: tokens.map(|limit| (self.agent.url.as_str(), signed(limit), signed(needed(ask)))),
        };
        Ok(self.journal.intend(&intent).await?)
    }

    /// A call that came to nothing: again at once, again later, or never.
    async fn failed(
        &mut self,
        ask: &ModelRequest,
        failure: &Failure,
        tries: u32,
        answer: &ModelResponse,
    ) -> Result<Step, ExecutorError> {
        let date = self.today.key.date;
        tracing::warn!(
            job.id = %self.lane.job, model = self.lane.model, trading_date = %date,
            "call {} failed ({}): {}", ask.step, failure.class.as_str(), failure.text
        );
        let billed = failure.class.may_be_billed();
        let Some(wait) = next_try(failure, tries, jitter()) else {
            let cost = (!billed).then_some(rust_decimal::Decimal::ZERO);
            self.settle(ask, answer, cost, 0)?;
            self.fed.add_response(answer)?;
            return Ok(Step::On);
        };
        if billed {
            self.fed.count_lost_call();
        } else {
            self.journal.refused(ask.step, failure.class.as_str()).await?;
        }
        if wait > SHORT_WAIT {
            return Ok(Step::Stop(Stop::Wait(wait)));
        }
        tokio::time::sleep(wait).await;
        let hash = request_hash(&ask.body);
        Box::pin(self.call(ask.clone(), &hash, tries)).await
    }

    fn without_key(&mut self, ask: &ModelRequest, problem: &NoKey) -> Result<Step, ExecutorError> {
        let class = domain::agent::FailureClass::BadCredentials;
        let answer = ModelResponse::Failed(Failure::new(class, &problem.to_string()));
        self.settle(ask, &answer, Some(rust_decimal::Decimal::ZERO), 0)?;
        self.fed.add_response(&answer)?;
        Ok(Step::On)
    }

    fn settle(
        &mut self,
        ask: &ModelRequest,
        answer: &ModelResponse,
        cost: Option<rust_decimal::Decimal>,
        tokens: i64,
    ) -> Result<(), ExecutorError> {
        let text = serde_json::to_string(answer).map_err(|problem| {
            ExecutorError::Inconsistent(format!("an answer cannot be written: {problem}"))
        })?;
        self.journal.settle(Settled { step: ask.step, answer: text, cost, tokens });
        Ok(())
    }

    /// Notes what tools have answered since this was last done.
    fn note_tools(&mut self) {
        let turns = &self.fed.session().transcript().messages;
        for turn in turns.iter().skip(self.noted) {
            if let (Role::Tool, Some(index)) = (turn.role, turn.index) {
                self.journal.tell(turn.step, index + 1, EntryKind::Tool, turn.content.clone());
            }
        }
        self.noted = turns.len();
    }

    async fn search(&mut self, wanted: SearchRequest) -> Result<Step, ExecutorError> {
        // The answer that asks for the search is stored before anybody else hears of it.
        self.journal.flush(Durable::AtOnce).await?;
        let result = match &self.executor.searcher {
            Some(searcher) => searcher.search(&wanted.query, self.today.key.date).await,
            None => failed("no search engine is configured"),
        };
        self.journal.tell(wanted.step, wanted.index + 1, EntryKind::Search, result.clone());
        self.journal.flush(Durable::AtOnce).await?;
        self.fed.add_search_result(wanted.index, &result)?;
        Ok(Step::On)
    }

    /// The same whenever the same call is sent again, so that an endpoint that knows the header bills once.
    fn identity(&self, step: u32) -> String {
        let Attempt { date, revision, number, .. } = self.attempt;
        request_hash(&format!("{} {date} {revision} {number} {step}", self.lane.portfolio.0))
    }
}

/// Tokens that a call may need, by a rule of thumb: four bytes of the request a token.
fn needed(ask: &ModelRequest) -> u64 {
    (ask.body.len() as u64 / 4).saturating_add(ask.max_completion_tokens.unwrap_or(UNBOUNDED_ANSWER))
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

fn until_next_minute() -> Duration {
    let second = chrono::Timelike::second(&chrono::Utc::now());
    Duration::from_secs(u64::from(60_u32.saturating_sub(second)).max(1))
}

/// Thousandths, so that many waiters do not come back together.
fn jitter() -> u16 {
    // The last bytes of such an id are random.
    u16::from(Uuid::now_v7().as_bytes()[15]) * 4
}
