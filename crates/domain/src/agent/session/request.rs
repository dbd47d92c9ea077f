//! What a session asks for, what it cannot be told, and what is left of it at the end.

use chrono::NaiveDate;

use crate::accounting::day_book::DayBook;
use crate::agent::end_reason::EndReason;
use crate::agent::transcript::Transcript;
use crate::agent::usage::Spent;

/// Why a session cannot be opened, or is told something that it did not ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The key, the market and the book are not of the same day.
    #[error("the day is {key}, the market's {market} and the book's {book}")]
    Dates {
        /// The day of the key.
        key: NaiveDate,
        /// The day of the market.
        market: NaiveDate,
        /// The day of the book.
        book: NaiveDate,
    },
    /// No answer is awaited.
    #[error("an answer came that was not asked for")]
    NotAsked,
    /// No search with this index is awaited.
    #[error("results came for search {index}, which was not asked for")]
    NotSearched {
        /// The index told.
        index: u32,
    },
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRequest {
    /// The step, from 1.
    pub step: u32,
    /// The body to send, as it is: its hash identifies the request.
    pub body: String,
    /// The most tokens that the body allows the answer; `None` when it does not say.
    pub max_completion_tokens: Option<u64>,
}

/// A search to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// The step, from 1.
    pub step: u32,
    /// The call's place in the step, from 0.
    pub index: u32,
    /// What to search for, at most about 400 characters.
    pub query: String,
}

/// What the session needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The model's answer to a request.
    Call(ModelRequest),
    /// The results of a search.
    Search(SearchRequest),
    /// Nothing: the day has ended.
    Ended(EndReason),
}

/// A day that has ended.
pub struct EndedSession<'a> {
    /// The book with the day's orders; to be closed if the reason completes the day.
    pub book: DayBook<'a>,
    /// What was said.
    pub transcript: Transcript,
    /// What was used.
    pub spent: Spent,
    /// Why it ended.
    pub reason: EndReason,
    /// Times the model was asked.
    pub steps: u32,
    /// The day in two or three sentences.
    pub summary: String,
}
