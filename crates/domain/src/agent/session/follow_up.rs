//! What follows a message: its tools run, a correction, a reminder, or the end.

use std::collections::HashSet;

use super::request::SearchRequest;
use super::{Running, Session, State, Streak};
use crate::agent::dialect::Dialect;
use crate::agent::end_reason::EndReason;
use crate::agent::json::{bounded, error, printable};
use crate::agent::prompt;
use crate::agent::response::{AssistantMessage, MessageClass, ToolCall};
use crate::agent::tool::{self, Effect, ToolOutcome};
use crate::agent::transcript::{Message, Role};

/// Messages with unusable arguments, in a row, that are corrected; the next one ends the day.
const MAX_CORRECTIONS: u32 = 2;
const MAX_SEARCH_RESULT: usize = 20_000;
/// Endpoints refuse longer ids.
const MAX_ID: usize = 64;

impl Session<'_> {
    /// Adds the model's message and goes on from it.
    pub(super) fn follow_up(&mut self, message: &AssistantMessage) {
        let class = message.class();
        self.transcript.messages.push(Message {
            class: Some(class),
            reasoning: message.reasoning.clone(),
            tool_calls: u32::try_from(message.tool_calls.len()).ok(),
            extra: message.extra.clone(),
            ..Message::plain(Role::Assistant, self.step, message.content.clone())
        });
        self.state = match class {
            MessageClass::Refused => State::Ended(EndReason::ContentFilter),
            MessageClass::Empty => self.request_again(EndReason::NoDecision),
            MessageClass::Truncated => self.request_again(EndReason::Length),
            MessageClass::Final if message.done => State::Ended(EndReason::Finished),
            MessageClass::Final => self.remind(),
            MessageClass::BadArguments => self.correct(message),
            MessageClass::ToolCalls => {
                let (calls, dropped) = self.admitted(&message.tool_calls);
                let done = message.done.then_some(EndReason::Finished);
                let then = if dropped { Some(EndReason::MaxToolCalls) } else { done };
                self.run(Running { calls, next: 0, any_used: false, then })
            }
        };
    }

    pub(super) fn continue_after_search(&mut self, mut running: Running, result: &str) {
        let text = bounded(&printable(result), MAX_SEARCH_RESULT);
        self.record(&running, text);
        running.next += 1;
        running.any_used = true;
        self.tools_used = self.tools_used.saturating_add(1);
        self.state = self.run(running);
    }

    fn request_again(&mut self, reason: EndReason) -> State {
        if self.streak.requested_again {
            return State::Ended(reason);
        }
        self.streak.requested_again = true;
        self.streak.longer = reason == EndReason::Length;
        State::Ready
    }

    fn remind(&mut self) -> State {
        if self.streak.reminded {
            return State::Ended(EndReason::NoMoreToSay);
        }
        self.streak = Streak { reminded: true, ..Streak::default() };
        let ending = match self.dialect {
            Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => prompt::STOP_TOKEN,
            Dialect::Agent | Dialect::Mcp => "finish: true",
        };
        self.transcript.messages.push(Message::plain(Role::User, self.step, prompt::reminder(ending)));
        State::Ready
    }

    /// Returns an error to every call of a message of which one cannot be read, and runs none: the others may
    /// depend on it.
    fn correct(&mut self, message: &AssistantMessage) -> State {
        let (calls, dropped) = self.admitted(&message.tool_calls);
        let mut running = Running { calls, next: 0, any_used: false, then: None };
        while let Some((_, call)) = running.calls.get(running.next) {
            let problem = match call.parsed() {
                Err(problem) => problem,
                Ok(_) => "not run: the arguments of another call could not be read".to_owned(),
            };
            self.record(&running, error(&problem));
            running.next += 1;
        }
        if dropped { State::Ended(EndReason::MaxToolCalls) } else { self.unusable() }
    }

    fn unusable(&mut self) -> State {
        let bad_arguments = self.streak.bad_arguments + 1;
        self.streak = Streak { bad_arguments, ..Streak::default() };
        // A client over MCP is not called again by us: it goes on, or ends its day, by itself.
        if bad_arguments > MAX_CORRECTIONS && self.dialect != Dialect::Mcp {
            State::Ended(EndReason::BadArguments)
        } else {
            State::Ready
        }
    }

    /// Runs the calls in order, up to a search or the end of the message.
    fn run(&mut self, mut running: Running) -> State {
        while let Some((_, call)) = running.calls.get(running.next) {
            match tool::run(call, self.settings.search, &self.as_of, &mut self.book) {
                ToolOutcome::Search(query) => {
                    let search = SearchRequest { step: self.step, index: index(&running), query };
                    return State::Searching(search, running);
                }
                ToolOutcome::Answered { text, effect } => {
                    running.any_used |= effect != Effect::BadArguments;
                    self.record(&running, text);
                    let was_used = !matches!(effect, Effect::BadArguments | Effect::UnknownTool);
                    self.tools_used = self.tools_used.saturating_add(u64::from(was_used));
                    match effect {
                        Effect::Filled(fill) => self.fills.push(fill),
                        Effect::Refused => self.refused += 1,
                        Effect::None | Effect::BadArguments | Effect::UnknownTool => {}
                    }
                }
            }
            running.next += 1;
        }
        match (running.then, running.any_used) {
            (Some(EndReason::MaxToolCalls), _) => State::Ended(EndReason::MaxToolCalls),
            (_, false) => self.unusable(),
            (Some(reason), true) => State::Ended(reason),
            (None, true) => {
                self.streak = Streak::default();
                State::Ready
            }
        }
    }

    /// The calls within the limit, each with a unique id, and whether any were left out.
    fn admitted(&mut self, calls: &[ToolCall]) -> (Vec<(String, ToolCall)>, bool) {
        let room = self.settings.limits.max_tool_calls.saturating_sub(self.tool_calls);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let mut taken: HashSet<String> =
            self.transcript.messages.iter().filter_map(|message| message.call_id.clone()).collect();
        let mut admitted = Vec::new();
        for (index, call) in calls.iter().take(room).enumerate() {
            let id = unique_id(call.id.as_deref(), self.step, index, &taken);
            taken.insert(id.clone());
            admitted.push((id, call.clone()));
        }
        self.tool_calls = self.tool_calls.saturating_add(u32::try_from(admitted.len()).unwrap_or(u32::MAX));
        (admitted, calls.len() > room)
    }

    fn record(&mut self, running: &Running, text: String) {
        let Some((id, call)) = running.calls.get(running.next) else { return };
        self.transcript.messages.push(Message {
            index: Some(index(running)),
            name: Some(call.name.clone()),
            arguments: Some(call.arguments.clone()),
            call_id: Some(id.clone()),
            extra: call.extra.clone(),
            ..Message::plain(Role::Tool, self.step, text)
        });
    }
}

fn index(running: &Running) -> u32 {
    u32::try_from(running.next).unwrap_or(u32::MAX)
}

/// The endpoint's own id when no other call has it, or one made from the call's place: nine letters and digits, which
/// is the strictest rule for ids that endpoints have.
fn unique_id(own: Option<&str>, step: u32, index: usize, taken: &HashSet<String>) -> String {
    let usable = |id: &&str| id.len() <= MAX_ID && !taken.contains(*id);
    if let Some(own) = own.filter(usable) {
        return own.to_owned();
    }
    let made = ('c'..='z').map(|first| format!("{first}{:04}{:04}", step % 10_000, index % 10_000));
    made.into_iter().find(|id| !taken.contains(id)).unwrap_or_else(|| format!("call_{step}_{index}"))
}
