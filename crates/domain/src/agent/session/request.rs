//! What a session needs from its caller, and what is left of it at the end.

use chrono::NaiveDate;

use crate::accounting::day_book::DayBook;
use crate::agent::end_reason::EndReason;
use crate::agent::transcript::Transcript;
use crate::agent::usage::UsageTotal;

/// Why a session cannot be opened, or cannot take what is added.
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
    /// The session waits for no response.
    #[error("a response came without a request")]
    NoCall,
    /// The session waits for no search with this index.
    #[error("results came for search {index}, which was not requested")]
    NoSearch {
        /// The index of the result.
        index: u32,
    },
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRequest {
    /// The step, from 1.
    pub step: u32,
    /// The body, to be sent unchanged: its hash identifies the request.
    pub body: String,
    /// The limit of response tokens in the body; `None` when it has none.
    pub max_completion_tokens: Option<u64>,
}

/// A search to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// The step, from 1.
    pub step: u32,
    /// The call's place in the step, from 0.
    pub index: u32,
    /// The search terms, about 400 characters or fewer.
    pub query: String,
}

/// What the session needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The response to a request.
    Call(ModelRequest),
    /// The result of a search.
    Search(SearchRequest),
    /// Nothing: the day has ended.
    Ended(EndReason),
}

/// A day that has ended.
pub struct EndedSession<'a> {
    /// The book with the day's orders; to be closed if the reason completes the day.
    pub book: DayBook<'a>,
    /// All messages.
    pub transcript: Transcript,
    /// What the calls used.
    pub spent: UsageTotal,
    /// Calls of tools that the tools could use.
    pub tool_calls: u64,
    /// Why it ended.
    pub reason: EndReason,
    /// How many requests were sent.
    pub steps: u32,
    /// The day in two or three sentences.
    pub summary: String,
}
