//! The conversation of one attempt: calls the endpoint for what its journal does not hold, and keeps the journal.

use std::time::{Duration, Instant};

use domain::agent::search::failed;
use domain::agent::session::SearchRequest;
use domain::agent::transcript::Role;
use domain::agent::usage::reserve;
use domain::agent::{
    Dialect, EndReason, EntryKind, Failure, FinishedSession, JournaledSession, ModelRequest, ModelResponse,
    NextStep, next_try, request_hash,
};
use domain::job::AgentModel;
use domain::simulation::run::ModelDayRun;
use runtime::telemetry;
use rust_decimal::Decimal;
use storage::execution::agents::{Attempt, CallPermission, CallResponse, Intent, TokenRate};
use storage::execution::{Durable, Lane};
use tracing::Instrument as _;
use uuid::Uuid;

use super::access::NotCalled;
use super::call_metrics;
use super::endpoint::Endpoints;
use super::journal::JournalWriter;
use super::message_content;
use super::search::Searcher;
use super::spans;
use crate::error::ExecutorError;
use crate::visit::{Today, Visit};

/// A wait up to this is spent in the turn; a longer one ends the turn.
const MAX_WAIT_IN_TURN: Duration = Duration::from_secs(2);
/// Completion tokens that a call may need when its request does not limit them.
const ASSUMED_COMPLETION_TOKENS: u64 = 4_096;

/// How long a lane rests whose days a client decides, until a worker looks after it. The client's visits do not wait.
const UNVISITED: Duration = Duration::from_secs(3_600);

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
    Ended(Box<FinishedSession<'a>>),
    /// It goes on in another turn.
    Stopped(Stop),
    /// The journal holds other requests than the session makes.
    RequestChanged,
}

/// What a conversation calls, and how long it may go on in one turn.
#[derive(Clone, Copy)]
pub(super) struct Means<'c> {
    pub(super) endpoints: &'c Endpoints,
    pub(super) searcher: Option<&'c Searcher>,
    pub(super) slice: Duration,
    /// The client that decides in this turn, of a day that a client decides.
    pub(super) visit: Option<&'c Visit>,
}

/// One attempt's conversation, in this turn.
pub(super) struct Conversation<'c, 'a> {
    means: Means<'c>,
    lane: &'c Lane,
    agent: &'a AgentModel,
    today: &'a ModelDayRun<'a>,
    session: JournaledSession<'a>,
    journal: JournalWriter<'c>,
    attempt: &'c Attempt,
    began: Instant,
    /// Messages of the conversation whose tool results are in the journal.
    recorded: usize,
    /// The first step that was made in this turn. What a journal has repeated has its spans already.
    traced_from: Option<u32>,
}

/// What a step led to.
enum Step {
    On,
    Stop(Stop),
}

impl<'c, 'a> Conversation<'c, 'a> {
    pub(super) fn new(
        means: Means<'c>,
        lane: &'c Lane,
        agent: &'a AgentModel,
        today: &'a ModelDayRun<'a>,
        attempt: &'c Attempt,
        session: JournaledSession<'a>,
        journal: JournalWriter<'c>,
    ) -> Self {
        Self {
            means,
            lane,
            agent,
            today,
            session,
            journal,
            attempt,
            began: Instant::now(),
            recorded: 0,
            traced_from: None,
        }
    }

    /// Goes on until the day or the turn ends.
    pub(super) async fn run(mut self) -> Result<Talk<'a>, ExecutorError> {
        loop {
            let next = self.session.next_step()?;
            self.record_tools();
            let step = match next {
                NextStep::Call { request, hash, sent } => self.call_in_time(request, &hash, sent).await?,
                NextStep::Search(search) => self.search(search).await?,
                NextStep::Changed { .. } => return Ok(Talk::RequestChanged),
                NextStep::Ended(_) => break,
            };
            if let Step::Stop(stop) = step {
                self.journal.flush(Durable::AtOnce).await?;
                return Ok(Talk::Stopped(stop));
            }
        }
        // What was spent counts against the job's budget before the day's own commit.
        self.journal.flush(Durable::WithTheNextCommit).await?;
        Ok(Talk::Ended(Box::new(self.session.finish())))
    }

    /// Calls the endpoint, unless the day's or the turn's time is over.
    async fn call_in_time(
        &mut self,
        request: ModelRequest,
        hash: &str,
        sent: u32,
    ) -> Result<Step, ExecutorError> {
        if self.agent.dialect == Dialect::Mcp {
            return self.visited(request, hash).await;
        }
        if self.journal.active_ms() >= self.agent.settings.limits.wall_time_seconds.saturating_mul(1_000) {
            self.journal.stop(request.step, EndReason::WallTime);
            self.session.stop(EndReason::WallTime);
            return Ok(Step::On);
        }
        if self.began.elapsed() >= self.means.slice {
            return Ok(Step::Stop(Stop::Slice));
        }
        self.call(request, hash, sent).await
    }

    async fn call(&mut self, request: ModelRequest, hash: &str, tries: u32) -> Result<Step, ExecutorError> {
        let access = match self.means.endpoints.access(self.agent) {
            Ok(access) => access,
            Err(problem) => return self.not_called(&request, &problem),
        };
        match self.allowed(&request, hash).await? {
            CallPermission::Allowed => {}
            CallPermission::OverBudget => return Ok(self.end_over_budget(&request)),
            CallPermission::BudgetBusy => return Ok(Step::Stop(Stop::Wait(Duration::from_secs(1)))),
            CallPermission::OverRate => return Ok(Step::Stop(Stop::Wait(until_next_minute()))),
        }
        let secrets = access.secrets();
        let identity = self.identity(request.step);
        let body = request.body.clone();
        call_metrics::begins(self.agent);
        let began = Instant::now();
        let span = spans::call(self.agent, &self.lane.model, &request);
        let call = self.means.endpoints.call(self.agent, &access, &identity, body);
        if telemetry::has_message_content() {
            message_content::sent(&span, self.session.session().transcript(), &request, &secrets);
        }
        let raw = call.instrument(span.clone()).await;
        let response = self.agent.dialect.classify(&raw, &secrets);
        call_metrics::ended(self.agent, &response, began.elapsed());
        spans::answered(&span, &raw, &response);
        if let (true, ModelResponse::Message(message)) = (telemetry::has_message_content(), &response) {
            message_content::received(&span, message, &secrets);
        }
        drop(span);
        self.traced_from.get_or_insert(request.step);
        match &response {
            ModelResponse::Failed(failure) => self.failed(&request, failure, tries + 1, &response).await,
            ModelResponse::Message(message) => {
                let settings = &self.agent.settings;
                let cost = message.usage.cost(settings.prices.as_ref(), settings.cost_basis);
                let used =
                    message.usage.prompt.zip(message.usage.completion).map(|(p, c)| p.saturating_add(c));
                let tokens = match (self.agent.tokens_per_minute, used) {
                    (Some(_), Some(used)) => signed(used) - signed(needed(&request)),
                    _ => 0,
                };
                self.record_response(&request, &response, cost, tokens)?;
                self.session.add_response(&response)?;
                Ok(Step::On)
            }
        }
    }

    /// The job's budget is used up: the day ends without this call.
    fn end_over_budget(&mut self, request: &ModelRequest) -> Step {
        self.journal.stop(request.step, EndReason::BudgetExhausted);
        self.session.stop(EndReason::BudgetExhausted);
        Step::On
    }

    /// A call that a client makes by itself: what it does now, or nothing until its next visit.
    async fn visited(&mut self, request: ModelRequest, hash: &str) -> Result<Step, ExecutorError> {
        let date = self.today.key.date;
        let Some(visit) = self.means.visit else { return Ok(Step::Stop(Stop::Wait(UNVISITED))) };
        if !visit.is_for(date) {
            let session = self.session.session();
            visit.show_today(Today {
                date,
                request: request.body,
                starting_value: session.starting_value(),
                prompt: session.prompt(),
                search: session.searches(),
            });
            return Ok(Step::Stop(Stop::Wait(UNVISITED)));
        }
        match self.allowed(&request, hash).await? {
            CallPermission::Allowed => {}
            CallPermission::OverBudget => return Ok(self.end_over_budget(&request)),
            CallPermission::BudgetBusy | CallPermission::OverRate => {
                return Ok(Step::Stop(Stop::Wait(Duration::from_secs(1))));
            }
        }
        let Some(message) = visit.take(request.step) else { return Ok(Step::On) };
        self.traced_from.get_or_insert(request.step);
        let response = ModelResponse::Message(message);
        self.record_response(&request, &response, None, 0)?;
        self.session.add_response(&response)?;
        Ok(Step::On)
    }

    async fn allowed(&mut self, request: &ModelRequest, hash: &str) -> Result<CallPermission, ExecutorError> {
        let prices = self.agent.settings.prices.as_ref();
        let completion = request.max_completion_tokens.unwrap_or(ASSUMED_COMPLETION_TOKENS);
        let reserve =
            prices.map(|prices| reserve(request.body.len() as u64, completion, prices)).unwrap_or_default();
        let tokens = self.agent.tokens_per_minute;
        let intent = Intent {
            step: request.step,
            index: 0,
            kind: EntryKind::Call,
            hash,
            reserve,
            tokens: tokens
                .map(|limit| TokenRate { per_minute: signed(limit), needed: signed(needed(request)) }),
        };
        Ok(self.journal.intend(&intent).await?)
    }

    /// A call that came to nothing: again at once, again later, or never.
    async fn failed(
        &mut self,
        request: &ModelRequest,
        failure: &Failure,
        tries: u32,
        response: &ModelResponse,
    ) -> Result<Step, ExecutorError> {
        let date = self.today.key.date;
        tracing::warn!(
            job.id = %self.lane.job, model = self.lane.model, trading_date = %date,
            "call {} failed ({}): {}", request.step, failure.class.as_str(), failure.text
        );
        let billed = failure.class.may_be_billed();
        let Some(wait) = next_try(failure, tries, jitter()) else {
            let cost = (!billed).then_some(Decimal::ZERO);
            self.record_response(request, response, cost, 0)?;
            self.session.add_response(response)?;
            return Ok(Step::On);
        };
        if billed {
            self.session.count_lost_call();
        } else {
            self.journal.refused(request.step, failure.class.as_str()).await?;
        }
        if wait > MAX_WAIT_IN_TURN {
            return Ok(Step::Stop(Stop::Wait(wait)));
        }
        tokio::time::sleep(wait).await;
        let hash = request_hash(&request.body);
        Box::pin(self.call(request.clone(), &hash, tries)).await
    }

    fn not_called(&mut self, request: &ModelRequest, problem: &NotCalled) -> Result<Step, ExecutorError> {
        tracing::warn!(
            job.id = %self.lane.job, model = self.lane.model,
            "the endpoint of {} is not called: {problem}", self.lane.model
        );
        let response = ModelResponse::Failed(problem.failure());
        self.record_response(request, &response, Some(Decimal::ZERO), 0)?;
        self.session.add_response(&response)?;
        Ok(Step::On)
    }

    fn record_response(
        &mut self,
        request: &ModelRequest,
        response: &ModelResponse,
        cost: Option<Decimal>,
        tokens: i64,
    ) -> Result<(), ExecutorError> {
        let text = serde_json::to_string(response).map_err(|problem| {
            ExecutorError::Inconsistent(format!("a response cannot be written: {problem}"))
        })?;
        self.journal.add_response(CallResponse { step: request.step, text, cost, unplanned_tokens: tokens });
        Ok(())
    }

    /// Adds the tool results that are new in the conversation to the journal.
    fn record_tools(&mut self) {
        let messages = &self.session.session().transcript().messages;
        for message in messages.iter().skip(self.recorded) {
            if let (Role::Tool, Some(index)) = (message.role, message.index) {
                self.journal.add_result(message.step, index + 1, EntryKind::Tool, message.content.clone());
                if self.traced_from.is_some_and(|first| message.step >= first) {
                    let span = spans::tool(message);
                    if telemetry::has_message_content() {
                        let access = self.means.endpoints.access(self.agent).unwrap_or_default();
                        message_content::of_tool(&span, message, &access.secrets());
                    }
                }
                if let Some(visit) = self.means.visit {
                    visit.show_result(message.step, &message.content);
                }
            }
        }
        self.recorded = messages.len();
    }

    async fn search(&mut self, search: SearchRequest) -> Result<Step, ExecutorError> {
        // The response that calls for the search is stored before the search engine sees anything of it.
        self.journal.flush(Durable::AtOnce).await?;
        let result = match self.means.searcher {
            Some(searcher) => searcher.search(&search.query, self.today.key.date).await,
            None => failed("no search engine is configured"),
        };
        self.journal.add_result(search.step, search.index + 1, EntryKind::Search, result.clone());
        self.journal.flush(Durable::AtOnce).await?;
        self.session.add_search_result(search.index, &result)?;
        Ok(Step::On)
    }

    /// The same whenever the same call is sent again, so that an endpoint that knows the header bills once.
    fn identity(&self, step: u32) -> String {
        let Attempt { date, revision, number, .. } = self.attempt;
        request_hash(&format!("{} {date} {revision} {number} {step}", self.lane.portfolio.0))
    }
}

/// Tokens that a call may need, by a rule of thumb: four bytes of the request a token.
fn needed(request: &ModelRequest) -> u64 {
    (request.body.len() as u64 / 4)
        .saturating_add(request.max_completion_tokens.unwrap_or(ASSUMED_COMPLETION_TOKENS))
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
