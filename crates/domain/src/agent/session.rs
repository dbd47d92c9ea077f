//! The day's loop: ask, run tools, ask again, until the model is done or a limit is reached.

use super::dialect::{self, Dialect};
use super::end_reason::EndReason;
use super::prompt;
use super::response::{ModelResponse, ToolCall};
use super::settings::AgentSettings;
use super::summary;
use super::transcript::{Message, Role, Transcript};
use super::usage::Spent;
use crate::accounting::day_book::DayBook;
use crate::accounting::fill::Fill;
use crate::market::as_of::AsOf;
use crate::market::instruments::{Symbol, Universe};
use crate::values::ids::ModelDayKey;

mod conversation;
mod limits;
mod opening;
mod request;

use limits::Bound;
pub use opening::Opening;
pub use request::{EndedSession, ModelRequest, Next, SearchRequest, SessionError};

/// One model-day in progress. The same opening and the same facts give the same requests.
pub struct Session<'a> {
    key: &'a ModelDayKey,
    settings: &'a AgentSettings,
    dialect: Dialect,
    universe: &'a Universe,
    as_of: AsOf<'a>,
    book: DayBook<'a>,
    symbols: Vec<Symbol>,
    transcript: Transcript,
    state: State,
    step: u32,
    mood: Mood,
    bound: Bound,
    spent: Spent,
    tool_calls: u32,
    fills: Vec<Fill>,
    refused: u32,
}

/// What the session waits for.
enum State {
    /// Nothing; the model may be asked.
    Ready,
    /// The model's answer to this.
    Asked(ModelRequest),
    /// The results of a search, before the rest of a message's calls.
    Searching(SearchRequest, Running),
    Ended(EndReason),
}

/// The calls of one message in progress.
struct Running {
    calls: Vec<(String, ToolCall)>,
    next: usize,
    /// Whether any of them could be used.
    any_used: bool,
    /// What ends the day after them.
    then: Option<EndReason>,
}

/// What the model has done lately, in a row.
#[derive(Default)]
struct Mood {
    nudged: bool,
    asked_once_more: bool,
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
        let symbols = shown(universe, &book);
        let facts = prompt::Facts { as_of, portfolio: book.portfolio(), initial_cash, symbols: &symbols };
        let messages = match dialect {
            Dialect::ChatCompletions => vec![
                Message::plain(Role::System, 0, prompt::system(&settings.prompt.template, &facts)),
                Message::plain(Role::User, 0, prompt::user(&as_of)),
            ],
            // An agent of one's own has no use for a prompt; it gets the facts.
            Dialect::Agent => Vec::new(),
        };
        Ok(Self {
            key,
            settings,
            dialect,
            universe,
            as_of,
            book,
            symbols,
            transcript: Transcript { messages },
            state: State::Ready,
            step: 0,
            mood: Mood::default(),
            bound: Bound::default(),
            spent: Spent::default(),
            tool_calls: 0,
            fills: Vec::new(),
            refused: 0,
        })
    }

    /// What the session needs; the same until it is told.
    #[expect(clippy::should_implement_trait, reason = "it ends with a reason, not with `None`")]
    pub fn next(&mut self) -> Next {
        if let State::Ready = self.state {
            self.state = match self.limit_reached() {
                Some(reason) => State::Ended(reason),
                None => State::Asked(self.ask()),
            };
        }
        match &self.state {
            State::Asked(ask) => Next::Call(ask.clone()),
            State::Searching(wanted, _) => Next::Search(wanted.clone()),
            State::Ended(reason) => Next::Ended(*reason),
            // Just left; asking for no decision is never wrong.
            State::Ready => Next::Ended(EndReason::NoDecision),
        }
    }

    /// Tells the answer to the request: a message, or a failure that is not tried again.
    ///
    /// # Errors
    /// When no answer is awaited; nothing has changed then.
    pub fn add_response(&mut self, answer: &ModelResponse) -> Result<(), SessionError> {
        let State::Asked(ask) = &self.state else { return Err(SessionError::NotAsked) };
        match answer {
            ModelResponse::Failed(failure) => self.state = State::Ended(EndReason::Endpoint(failure.class)),
            ModelResponse::Message(message) => {
                let ask = ask.clone();
                self.charge(&ask, message);
                self.take_message(message);
            }
        }
        Ok(())
    }

    /// Tells what the search of the call `index` gave, in the words for the model.
    ///
    /// # Errors
    /// When no such search is awaited; nothing has changed then.
    pub fn add_search_result(&mut self, index: u32, result: &str) -> Result<(), SessionError> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Searching(wanted, running) if wanted.index == index => {
                self.found(running, result);
                Ok(())
            }
            other => {
                self.state = other;
                Err(SessionError::NotSearched { index })
            }
        }
    }

    /// Counts a call that was sent and whose answer was lost: it may have been billed.
    pub fn count_lost_call(&mut self) {
        if let State::Asked(ask) = &self.state {
            let ask = ask.clone();
            self.charge_lost(&ask);
        }
    }

    /// Ends the day for a reason that only the caller knows; a day that has ended stays as it is. Without budget
    /// for the first request (`EndedSession::steps` is 0 then) the day is better skipped than completed.
    pub fn stop(&mut self, reason: EndReason) {
        if let (State::Asked(_), EndReason::BudgetExhausted) = (&self.state, reason) {
            // This request is not sent, so it is no step.
            self.step = self.step.saturating_sub(1);
        }
        if !matches!(self.state, State::Ended(_)) {
            self.state = State::Ended(reason);
        }
    }

    /// The step that was asked last, from 1; 0 before the first.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// What was used so far.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// What was said so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The tools' answers of one step, in the order of the calls.
    pub fn tool_results_of(&self, step: u32) -> impl Iterator<Item = &Message> {
        self.transcript.tool_results_of(step)
    }

    /// Ends the session. A day that is still in progress ends without a decision.
    pub fn finish(self) -> EndedSession<'a> {
        let reason = match self.state {
            State::Ended(reason) => reason,
            State::Ready | State::Asked(_) | State::Searching(..) => EndReason::NoDecision,
        };
        let day = summary::Day {
            date: self.key.date,
            model: &self.key.model,
            steps: self.step,
            tool_calls: self.tool_calls,
            fills: &self.fills,
            refused: self.refused,
            portfolio: self.book.portfolio(),
            reason,
        };
        let summary = day.told();
        let (book, transcript, spent, steps) = (self.book, self.transcript, self.spent, self.step);
        EndedSession { book, transcript, spent, reason, steps, summary }
    }

    fn ask(&mut self) -> ModelRequest {
        self.step = self.step.saturating_add(1);
        let max_completion_tokens = self.completion_limit();
        let body = match self.dialect {
            Dialect::ChatCompletions => {
                dialect::chat::request(self.settings, &self.transcript, max_completion_tokens)
            }
            Dialect::Agent => dialect::agent::request(&dialect::agent::Step {
                key: self.key,
                step: self.step,
                as_of: self.as_of,
                portfolio: self.book.portfolio(),
                universe: self.universe,
                symbols: &self.symbols,
                search: self.settings.search,
                transcript: &self.transcript,
            }),
        };
        ModelRequest { step: self.step, body, max_completion_tokens }
    }
}

/// The symbols whose prices are shown: the universe, the benchmark, and what is held besides.
pub(super) fn shown(universe: &Universe, book: &DayBook<'_>) -> Vec<Symbol> {
    let mut symbols = universe.symbols.clone();
    for symbol in universe.benchmark.iter().chain(book.portfolio().holdings().keys()) {
        if !symbols.contains(symbol) {
            symbols.push(symbol.clone());
        }
    }
    symbols
}
