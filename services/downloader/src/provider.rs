//! Where prices come from: what a provider is asked, and the classes of what it answers.
//!
//! Budgets, retries and storage are the caller's. No text in here ever contains a key.

pub mod alpha_vantage;
pub mod secret;

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::AnswerSpan;
use domain::ingest::fetch_plan::{Offer, Request};
use domain::market::instruments::{Bar, Symbol};

/// A source of daily bars.
pub trait PriceProvider: Send + Sync {
    /// What the source is called in budgets, warnings and metrics, e.g. `alpha_vantage`.
    fn name(&self) -> &'static str;

    /// What one call can bring. It may shrink once the source has refused a part of its history.
    fn offer(&self, sessions: &Sessions<'_>, now: DateTime<Utc>) -> Offer;

    /// Makes the call. Not retried, except once for a smaller answer where the source refuses the larger.
    fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> Fetching<'a>;
}

/// A call under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>;

/// What the calendar and the clock say, by which the rows of an answer are judged.
#[derive(Clone, Copy)]
pub struct Sessions<'a> {
    /// Whether the exchange trades on a date.
    pub is_session: &'a (dyn Fn(NaiveDate) -> bool + Sync),
    /// The exchange's date.
    pub today: NaiveDate,
    /// The last session that closed at least 4 hours ago: later bars may still change and are left out.
    pub storable_until: NaiveDate,
    /// The last session that closed at least 24 hours ago: a later bar that is not there may still come.
    pub settled_until: NaiveDate,
}

/// One planned call.
#[derive(Clone, Copy)]
pub struct FetchRequest<'a> {
    /// What to ask for.
    pub call: &'a Request,
    /// The dates that the call is made for; an answer may bring more.
    pub wanted: &'a BTreeSet<NaiveDate>,
    /// By what the rows are judged.
    pub sessions: Sessions<'a>,
    /// When the call is made.
    pub now: DateTime<Utc>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// The class of the last answer.
    pub outcome: Outcome,
    /// How many calls were sent: 0 when the answer was known beforehand, 2 when the larger answer was refused.
    pub calls: u32,
    /// The provider's own time, when it says it (`Date`). An answer cannot vouch for sessions after it: a cache,
    /// a lagging mirror or a stand-in may live in the past.
    pub answered_at: Option<DateTime<Utc>>,
}

/// The class of an answer, which says how to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Prices. Store all of them, not only those that were wanted.
    Bars(Answer),
    /// Too fast. The same call may be made after a while.
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The key's calls are used up for the day.
    QuotaExhausted {
        /// When the provider says that there are calls again; mostly it does not say.
        until: Option<DateTime<Utc>>,
    },
    /// The key's plan does not include what was asked for. The same call will never succeed.
    PlanGated(Gate),
    /// The key is wrong, or is a demonstration key. No call will succeed.
    BadCredentials {
        /// The provider's words.
        reason: String,
    },
    /// The provider does not know the symbol.
    UnknownSymbol,
    /// An answer without anything in it. It proves no absence.
    Empty,
    /// The provider does not understand the call: a mistake in this program or in the configured address.
    BugInRequest {
        /// What was wrong.
        reason: String,
    },
    /// An answer that cannot be trusted: cut, too long, of the wrong shape, about another symbol. Nothing of
    /// it is used; another try may succeed.
    Malformed {
        /// What was wrong.
        reason: String,
    },
    /// No answer, or a server's error. Another try may succeed.
    Unreachable {
        /// What happened.
        reason: String,
        /// How long the provider asks to wait, if it does.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// A short name of the class, for metrics and log fields.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Bars(_) => "bars",
            Self::Throttled { .. } => "throttled",
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::PlanGated(_) => "plan_gated",
            Self::BadCredentials { .. } => "bad_credentials",
            Self::UnknownSymbol => "unknown_symbol",
            Self::Empty => "empty",
            Self::BugInRequest { .. } => "bug_in_request",
            Self::Malformed { .. } => "malformed",
            Self::Unreachable { .. } => "unreachable",
        }
    }
}

/// What a key's plan does not include.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// A parameter's value: the old part of the history.
    Parameter,
    /// The whole kind of call.
    Endpoint,
}

/// The usable part of a good answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Bars that passed every check, oldest first; a symbol and date occur once.
    pub bars: Vec<(Symbol, NaiveDate, Bar)>,
    /// What the answer speaks for; a session in here without a bar is known to have none. Empty when more
    /// rows were rejected than passed.
    pub spans: Vec<AnswerSpan>,
    /// Rows that were left out, each worth a warning.
    pub rejected: Vec<RejectedRow>,
    /// How many rows were left out because their session had not been closed for long enough.
    pub unsettled: usize,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The row's date as it was written, at most 32 characters of it.
    pub date: String,
    /// What is wrong with it.
    pub fault: RowFault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// The date is not one.
    NotADate,
    /// The exchange does not trade on the date.
    NotASession,
    /// The date has not come yet.
    InTheFuture,
    /// The date occurs several times. One of equal rows is kept, none of different ones.
    Duplicate,
    /// A field is missing, or is not text.
    MissingField(&'static str),
    /// A field is not a price above zero.
    NotAPrice(&'static str),
    /// The volume is not a whole number.
    NotAVolume,
    /// The high is not the highest, or the low not the lowest price.
    OutOfOrder,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADate => f.write_str("not a date"),
            Self::NotASession => f.write_str("no session on that date"),
            Self::InTheFuture => f.write_str("a date in the future"),
            Self::Duplicate => f.write_str("the date occurs more than once"),
            Self::MissingField(field) => write!(f, "no {field}"),
            Self::NotAPrice(field) => write!(f, "the {field} is not a price above zero"),
            Self::NotAVolume => f.write_str("the volume is not a whole number"),
            Self::OutOfOrder => f.write_str("high and low do not enclose the other prices"),
        }
    }
}
