//! A day's loop: call the model, run its tools, call it again, until it is done or a limit is reached.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::action_notices;
use super::dialect::{Dialect, agent_protocol};
use super::end_reason::EndReason;
use super::prompt;
use super::response::{ModelResponse, ToolCall};
use super::settings::AgentSettings;
use super::summary::DaySummary;
use super::transcript::{Message, Role, Transcript};
use crate::accounting::day_book::DayBook;
use crate::accounting::fill::Fill;
use crate::market::as_of::AsOf;
use crate::market::instruments::{Symbol, Universe};
use crate::values::ids::ModelDayKey;

mod follow_up;
mod opening;
mod request;
mod usage_meter;

pub use opening::Opening;
pub use request::{EndedSession, ModelRequest, Next, SearchRequest, SessionError};
use usage_meter::UsageMeter;

/// A message that was cut at the limit of tokens may be this many times longer when it is requested again.
const LONGER: u64 = 2;

/// One model-day in progress. The same opening and the same responses give the same requests.
pub struct Session<'a> {
    key: &'a ModelDayKey,
    settings: &'a AgentSettings,
    dialect: Dialect,
    universe: &'a Universe,
    as_of: AsOf<'a>,
    book: DayBook<'a>,
    symbols: Vec<Symbol>,
    initial_cash: Decimal,
    transcript: Transcript,
    state: State,
    step: u32,
    streak: Streak,
    used: UsageMeter,
    tool_calls: u32,
    /// Those of them that a tool could use.
    tools_used: u64,
    fills: Vec<Fill>,
    refused: u32,
}

/// What the session waits for.
enum State {
    /// Nothing; the model may be called.
    Ready,
    /// The response to this request.
    Calling(ModelRequest),
    /// The result of this search. The rest of the message's calls comes after it.
    Searching(SearchRequest, Running),
    Ended(EndReason),
}

/// The tool calls of one message in progress, each with its unique id.
struct Running {
    calls: Vec<(String, ToolCall)>,
    next: usize,
    /// Whether the arguments of any call could be used.
    any_used: bool,
    /// What ends the day after them.
    then: Option<EndReason>,
}

/// Which kinds of useless messages have just come in a row.
#[derive(Default)]
struct Streak {
    reminded: bool,
    requested_again: bool,
    longer: bool,
    bad_arguments: u32,
}

impl<'a> Session<'a> {
    /// Begins a day.
    ///
    /// # Errors
    /// When the parts of the opening are not of the same day.
    pub fn open(opening: Opening<'a>) -> Result<Self, SessionError> {
        let Opening { key, settings, dialect, universe, as_of, book, initial_cash } = opening;
        if key.date != as_of.today() || key.date != book.date() {
            return Err(SessionError::Dates { key: key.date, market: as_of.today(), book: book.date() });
        }
        let symbols = prompt::priced_symbols(universe, book.portfolio());
        let facts = prompt::Facts { as_of, portfolio: book.portfolio(), initial_cash, symbols: &symbols };
        let notices = action_notices::notices(&as_of, &symbols, book.applied_actions());
        let messages = match dialect {
            Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => vec![
                Message::plain(Role::System, 0, prompt::system(&settings.prompt.template, &facts)),
                Message::plain(Role::User, 0, prompt::user(&as_of, &notices)),
            ],
            // A user's own agent needs no prompt: its requests carry the facts.
            Dialect::Agent | Dialect::Mcp => Vec::new(),
        };
        Ok(Self {
            key,
            settings,
            dialect,
            universe,
            as_of,
            book,
            symbols,
            initial_cash,
            transcript: Transcript { messages },
            state: State::Ready,
            step: 0,
            streak: Streak::default(),
            used: UsageMeter::default(),
            tool_calls: 0,
            tools_used: 0,
            fills: Vec::new(),
            refused: 0,
        })
    }

    /// What the session needs; the same until it is added.
    #[expect(clippy::should_implement_trait, reason = "it ends with a reason, not with `None`")]
    pub fn next(&mut self) -> Next {
        if let State::Ready = self.state {
            self.state = match self.limit_reached() {
                Some(reason) => State::Ended(reason),
                None => State::Calling(self.request()),
            };
        }
        match &self.state {
            State::Calling(request) => Next::Call(request.clone()),
            State::Searching(search, _) => Next::Search(search.clone()),
            State::Ended(reason) => Next::Ended(*reason),
            // The code above never leaves this state; no decision is the harmless end.
            State::Ready => Next::Ended(EndReason::NoDecision),
        }
    }

    /// Adds the response to the current request: a message, or a failure that is not tried again.
    ///
    /// # Errors
    /// When the session waits for no response; nothing has changed then.
    pub fn add_response(&mut self, response: &ModelResponse) -> Result<(), SessionError> {
        let State::Calling(request) = &self.state else { return Err(SessionError::NoCall) };
        match response {
            ModelResponse::Failed(failure) => self.state = State::Ended(EndReason::Endpoint(failure.class)),
            ModelResponse::Message(message) => {
                self.used.add(self.settings, request, message);
                self.follow_up(message);
            }
        }
        Ok(())
    }

    /// Adds the result of the search of the call `index`, as text for the model.
    ///
    /// # Errors
    /// When the session waits for no such search; nothing has changed then.
    pub fn add_search_result(&mut self, index: u32, result: &str) -> Result<(), SessionError> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Searching(search, running) if search.index == index => {
                self.continue_after_search(running, result);
                Ok(())
            }
            other => {
                self.state = other;
                Err(SessionError::NoSearch { index })
            }
        }
    }

    /// Counts a copy of the current call whose response was lost: it may have been billed.
    pub fn count_lost_call(&mut self) {
        if let State::Calling(request) = &self.state {
            self.used.add_lost(self.settings, request);
        }
    }

    /// Ends the day for a reason that only the caller knows; a day that has ended stays as it is. Without budget
    /// for the first request ([`EndedSession::steps`] is 0 then) the day is better skipped than completed.
    pub fn stop(&mut self, reason: EndReason) {
        if let (State::Calling(_), EndReason::BudgetExhausted) = (&self.state, reason) {
            // This request is not sent, so it is no step.
            self.step = self.step.saturating_sub(1);
        }
        if !matches!(self.state, State::Ended(_)) {
            self.state = State::Ended(reason);
        }
    }

    /// The step of the last request, from 1; 0 before the first.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The messages with which a language model would begin this day: the system prompt, and the user's message.
    pub fn prompt(&self) -> (String, String) {
        let (as_of, symbols) = (self.as_of, self.symbols.as_slice());
        let facts = prompt::Facts {
            as_of,
            portfolio: self.book.portfolio(),
            initial_cash: self.initial_cash,
            symbols,
        };
        let notices = action_notices::notices(&self.as_of, symbols, self.book.applied_actions());
        (prompt::system(&self.settings.prompt.template, &facts), prompt::user(&self.as_of, &notices))
    }

    /// The day.
    pub fn date(&self) -> NaiveDate {
        self.key.date
    }

    /// The value of the position at the day's open, before the first order, in dollars.
    pub fn starting_value(&self) -> Decimal {
        self.book.starting_value()
    }

    /// Whether the web may be searched.
    pub fn searches(&self) -> bool {
        self.settings.search
    }

    /// The messages so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Ends the session. A day that is still in progress ends without a decision.
    pub fn finish(self) -> EndedSession<'a> {
        let reason = match self.state {
            State::Ended(reason) => reason,
            State::Ready | State::Calling(_) | State::Searching(..) => EndReason::NoDecision,
        };
        let summary = DaySummary {
            date: self.key.date,
            model: &self.key.model,
            steps: self.step,
            tool_calls: self.tool_calls,
            fills: &self.fills,
            refused: self.refused,
            portfolio: self.book.portfolio(),
            reason,
        };
        let summary = summary.text();
        let (book, transcript, spent, steps) = (self.book, self.transcript, self.used.total, self.step);
        EndedSession { book, transcript, spent, tool_calls: self.tools_used, reason, steps, summary }
    }

    /// The limit that forbids another request.
    fn limit_reached(&self) -> Option<EndReason> {
        let limits = &self.settings.limits;
        let reached = [
            (self.step >= limits.max_steps, EndReason::MaxSteps),
            (self.tool_calls >= limits.max_tool_calls, EndReason::MaxToolCalls),
            (limits.max_tokens.is_some_and(|max| self.used.tokens() >= max), EndReason::MaxTokens),
            (limits.max_cost.is_some_and(|max| self.used.cost() >= max), EndReason::MaxCost),
        ];
        reached.into_iter().find(|(reached, _)| *reached).map(|(_, reason)| reason)
    }

    fn request(&mut self) -> ModelRequest {
        self.step = self.step.saturating_add(1);
        let factor = if self.streak.longer { LONGER } else { 1 };
        let limit = self.dialect.response_limit(&self.settings.sampling);
        let max_completion_tokens = limit.map(|max| max.saturating_mul(factor));
        let is_restated = self.as_of.is_restated();
        let body = self.dialect.request(self.settings, &self.transcript, max_completion_tokens, is_restated);
        let body = body.unwrap_or_else(|| {
            agent_protocol::request(&agent_protocol::Step {
                key: self.key,
                step: self.step,
                as_of: self.as_of,
                portfolio: self.book.portfolio(),
                applied: self.book.applied_actions(),
                universe: self.universe,
                symbols: &self.symbols,
                search: self.settings.search,
                transcript: &self.transcript,
            })
        });
        ModelRequest { step: self.step, body, max_completion_tokens }
    }
}
