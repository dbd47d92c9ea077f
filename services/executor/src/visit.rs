//! A visit: what a client that decides a day by itself does in one turn of the lane, and what it gets to see.
//!
//! It is memory alone: what it does is in the journal before the client hears of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use domain::agent::AssistantMessage;
use rust_decimal::Decimal;
use storage::execution::{DayOutcome, NewModelDay};

/// A visit.
#[derive(Debug, Default)]
pub(crate) struct Visit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What the client does, until a day takes it.
    message: Option<AssistantMessage>,
    /// The day that it is meant for, if the client has named one.
    date: Option<NaiveDate>,
    seen: Seen,
}

/// What a client gets to see.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The step that took the message.
    step: Option<u32>,
    /// The results of its tools, in order.
    pub(crate) results: Vec<String>,
    /// Days that ended in the visit.
    pub(crate) ended: Vec<EndedDay>,
    /// The day that waits for the client.
    pub(crate) today: Option<Today>,
}

/// A day that waits for its client.
#[derive(Debug)]
pub(crate) struct Today {
    /// The day.
    pub(crate) date: NaiveDate,
    /// The request of `modelday.agent/1` that the client has to answer.
    pub(crate) request: String,
    /// Value of the position before the first order.
    pub(crate) starting_value: Decimal,
    /// The messages with which a language model would begin the day.
    pub(crate) prompt: (String, String),
    /// Whether the web may be searched.
    pub(crate) search: bool,
}

/// How a day came out.
#[derive(Debug)]
pub(crate) struct EndedDay {
    pub(crate) date: NaiveDate,
    pub(crate) result: Result<ClosedDay, String>,
}

/// The accounts of a day that completed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClosedDay {
    pub(crate) orders: usize,
    pub(crate) value_at_open: Decimal,
    pub(crate) value_at_close: Decimal,
}

impl Visit {
    /// The client does this, on `date` alone if it is given.
    pub(crate) fn with(message: AssistantMessage, date: Option<NaiveDate>) -> Self {
        Self(Mutex::new(State { message: Some(message), date, seen: Seen::default() }))
    }

    /// Whether there is a message for that day.
    pub(crate) fn is_for(&self, date: NaiveDate) -> bool {
        let state = self.state();
        state.message.is_some() && state.date.is_none_or(|meant| meant == date)
    }

    /// Hands the message to a step of the day, once.
    pub(crate) fn take(&self, step: u32) -> Option<AssistantMessage> {
        let mut state = self.state();
        let message = state.message.take()?;
        state.seen.step = Some(step);
        Some(message)
    }

    /// Shows the result of a tool in `step`, if it is one of the message's.
    pub(crate) fn show_result(&self, step: u32, result: &str) {
        let mut state = self.state();
        // Steps of the next day count from 1 again.
        if state.seen.step == Some(step) && state.seen.ended.is_empty() {
            state.seen.results.push(result.to_owned());
        }
    }

    /// Shows the day that waits.
    pub(crate) fn show_today(&self, today: Today) {
        self.state().seen.today = Some(today);
    }

    /// Shows a day that ended.
    pub(crate) fn show_end(&self, day: &NewModelDay) {
        let result = match &day.outcome {
            DayOutcome::Completed(row) => Ok(ClosedDay {
                orders: row.fills.len(),
                value_at_open: row.value_at_open,
                value_at_close: row.value_at_close,
            }),
            DayOutcome::Failed(error) => Err(error.clone()),
            DayOutcome::Skipped(reason) => Err(reason.as_str().to_owned()),
        };
        self.state().seen.ended.push(EndedDay { date: day.date, result });
    }

    /// Whether the message is still to be used.
    pub(crate) fn is_unused(&self) -> bool {
        self.state().message.is_some()
    }

    /// What the client gets to see, at the end.
    pub(crate) fn seen(&self) -> Seen {
        std::mem::take(&mut self.state().seen)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
