//! What the downloader requires of a provider of prices: one call, and the class of its response.
//!
//! Quotas, retries and storage are the caller's. No text in here ever contains a key.

mod action_calls;
pub(crate) mod alpha_vantage;
mod call_span;
pub(crate) mod http;
pub(crate) mod limits;
pub(crate) mod massive;
mod numbers;
mod rows;
pub(crate) mod secret;
mod spelling;
mod split_ratio;
pub(crate) mod tiingo;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::AnswerSpan;
use domain::ingest::fetch_plan::{Offer, Request, Shape};
use domain::market::corporate_action::Action;
use domain::market::instruments::{Bar, Symbol};

/// A source of daily bars.
pub(crate) trait PriceProvider: Send + Sync {
    /// The name in quotas, warnings and metrics, e.g. `alpha_vantage`.
    fn name(&self) -> &'static str;

    /// What one call brings.
    fn shape(&self) -> Shape;

    /// What one call can bring. It may become less after the source has refused a part of its history.
    fn offer(&self, sessions: &Sessions<'_>, now: DateTime<Utc>) -> Offer;

    /// How many calls of its quota a request takes.
    fn calls(&self) -> u32 {
        1
    }

    /// Makes the calls of a request, once.
    fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> FetchFuture<'a>;
}

/// A call in progress.
pub(crate) type FetchFuture<'a> = Pin<Box<dyn Future<Output = FetchResult> + Send + 'a>>;

/// What the calendar and the clock say; the rows of a response are checked against it.
#[derive(Clone, Copy)]
pub(crate) struct Sessions<'a> {
    /// Whether the exchange trades on a date.
    pub(crate) is_session: &'a (dyn Fn(NaiveDate) -> bool + Sync),
    /// The exchange's date.
    pub(crate) today: NaiveDate,
    /// The last session that closed at least 4 hours ago: later bars may still change and are left out.
    pub(crate) storable_until: NaiveDate,
    /// The last session that closed at least 24 hours ago: a later bar that is absent may still appear.
    pub(crate) final_until: NaiveDate,
}

/// One planned call.
#[derive(Clone, Copy)]
pub(crate) struct FetchRequest<'a> {
    /// The symbol or date to fetch.
    pub(crate) call: &'a Request,
    /// The dates that the call is made for; a response may bring more.
    pub(crate) dates: &'a BTreeSet<NaiveDate>,
    /// The symbols that a call for a date is made for.
    pub(crate) symbols: &'a BTreeSet<Symbol>,
    pub(crate) sessions: Sessions<'a>,
    /// When the call is made.
    pub(crate) now: DateTime<Utc>,
}

/// The result of a fetch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FetchResult {
    /// The class of the response.
    pub(crate) outcome: Outcome,
    /// How many calls were sent: 0 when the outcome was known beforehand.
    pub(crate) calls: u32,
    /// The provider's own time (`Date` header), when it sends it. A response proves nothing about later sessions:
    /// it may come from a cache, a lagging mirror, or a stand-in for a past day.
    pub(crate) responded_at: Option<DateTime<Utc>>,
}

/// The result of a call that the provider does not have.
fn not_offered(title: &str, what: &str) -> FetchResult {
    let reason = format!("{title} has no calls {what}");
    FetchResult { outcome: Outcome::BugInRequest { reason }, calls: 0, responded_at: None }
}

/// The class of a response, which decides how to go on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Prices. All of them are stored, not only those of the requested dates.
    Bars(PriceResponse),
    /// The call was too fast. It may be made again after a while.
    Throttled { retry_after: Duration },
    /// The key's calls are used up for the day.
    QuotaExhausted {
        /// When there are calls again; most providers do not say it.
        until: Option<DateTime<Utc>>,
    },
    /// The key's plan does not include the requested data. The same call will never succeed.
    PlanGated(Gate),
    /// The key is wrong, or is a demonstration key. No call will succeed.
    BadCredentials { reason: String },
    /// The provider has no prices of the symbol, or gives none on the key's plan.
    NoPrices(NoPrices),
    /// The provider does not understand the call: a bug in this program, or a wrong address in the configuration.
    BugInRequest { reason: String },
    /// A response that cannot be trusted: cut, too long, of the wrong shape, about another symbol. Nothing of it is
    /// used; another try may succeed.
    Malformed { reason: String },
    /// No response, or a server error. Another try may succeed.
    Unreachable {
        reason: String,
        /// How long the provider requests to wait, if it does.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// The names of all classes.
    pub(crate) const CLASSES: [&str; 10] = [
        "bars",
        "throttled",
        "quota_exhausted",
        "plan_gated",
        "bad_credentials",
        "unknown_symbol",
        "empty",
        "bug_in_request",
        "malformed",
        "unreachable",
    ];

    /// A short name of the class, for metrics and log fields.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Bars(_) => "bars",
            Self::Throttled { .. } => "throttled",
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::PlanGated(_) => "plan_gated",
            Self::BadCredentials { .. } => "bad_credentials",
            Self::NoPrices(NoPrices::Unknown(_)) => "unknown_symbol",
            Self::NoPrices(NoPrices::Empty(_)) => "empty",
            Self::NoPrices(NoPrices::NotInPlan) => "plan_gated",
            Self::BugInRequest { .. } => "bug_in_request",
            Self::Malformed { .. } => "malformed",
            Self::Unreachable { .. } => "unreachable",
        }
    }
}

/// Why there are no prices of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPrices {
    /// The provider does not know it.
    Unknown(Certainty),
    /// A response without any data.
    Empty(Certainty),
    /// The key's plan does not include it.
    NotInPlan,
}

impl NoPrices {
    /// Whether the same call may bring prices a little later.
    pub(crate) fn certainty(self) -> Certainty {
        match self {
            Self::Unknown(certainty) | Self::Empty(certainty) => certainty,
            Self::NotInPlan => Certainty::Definite,
        }
    }

    /// The reason for people, after the provider's name.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Unknown(_) => "does not know it",
            Self::Empty(_) => "has no prices of it",
            Self::NotInPlan => "does not include it in the key's plan",
        }
    }
}

/// How far one answer without prices can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The provider gives this answer for symbols without prices only.
    Definite,
    /// The provider gives it now and then for a symbol that it knows.
    Doubtful,
}

/// What a key's plan does not include.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The value of a parameter: the old part of the history.
    Parameter,
    /// The whole kind of call.
    Endpoint,
}

/// The usable part of a response with prices.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PriceResponse {
    /// Bars that passed every check, oldest first; each symbol and date occurs once.
    pub(crate) bars: Vec<(Symbol, NaiveDate, Bar)>,
    /// The dates that the response covers: a session in them without a bar is known to have none. Empty when more
    /// rows were rejected than passed.
    pub(crate) spans: Vec<AnswerSpan>,
    /// Splits and dividends that come with the bars.
    pub(crate) actions: Vec<(Symbol, NaiveDate, Action)>,
    /// Rows that were left out; users are warned of each.
    pub(crate) rejected: Vec<RejectedRow>,
    /// How many rows were left out because their session had closed too recently.
    pub(crate) not_storable: usize,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedRow {
    pub(crate) symbol: Symbol,
    /// The row's date as it was written, at most its first 32 characters.
    pub(crate) date: String,
    pub(crate) fault: RowFault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowFault {
    /// The date has another form than `2025-10-03`.
    #[error("not a date")]
    NotADate,
    #[error("no session on that date")]
    NotASession,
    #[error("a date in the future")]
    InTheFuture,
    /// Of equal rows one is kept, of different rows none.
    #[error("the date occurs more than once")]
    Duplicate,
    /// A field is missing or not a text.
    #[error("no {0}")]
    MissingField(&'static str),
    #[error("the {0} is not a price above zero")]
    NotAPrice(&'static str),
    /// The volume has another form than digits.
    #[error("the volume is not a whole number")]
    NotAVolume,
    #[error("high and low do not enclose the other prices")]
    OutOfOrder,
}
