//! The tools of an agent: what they are called, what they take, and what they answer.
//!
//! They see the market through `AsOf` and the day's book only. The web search is asked of the shell.

use super::json;
use super::response::ToolCall;
use crate::accounting::day_book::DayBook;
use crate::accounting::fill::Fill;
use crate::market::as_of::AsOf;

mod arguments;
mod arithmetic;
mod prices;
mod schema;
mod trade;

use arguments::Wanted;
pub use schema::{definitions, parameters};

/// The longest part of an agent's own words that an answer repeats, in characters.
const ECHO_LIMIT: usize = 64;

/// A tool that an agent may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// The prices of one symbol on one day.
    GetPriceLocal,
    /// The bars of one symbol before today.
    GetPriceHistory,
    /// What is owned.
    GetPosition,
    /// An order to buy.
    Buy,
    /// An order to sell.
    Sell,
    /// The sum of two numbers.
    Add,
    /// The product of two numbers.
    Multiply,
    /// A search of the web.
    GetInformation,
}

impl Tool {
    /// All tools in the order in which they are offered; the search is the last.
    pub const ALL: [Self; 8] = [
        Self::GetPriceLocal,
        Self::GetPriceHistory,
        Self::GetPosition,
        Self::Buy,
        Self::Sell,
        Self::Add,
        Self::Multiply,
        Self::GetInformation,
    ];

    /// The tools on offer with or without the web search.
    pub fn offered(search: bool) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |tool| search || *tool != Self::GetInformation)
    }

    /// The name by which agents call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetPriceLocal => "get_price_local",
            Self::GetPriceHistory => "get_price_history",
            Self::GetPosition => "get_position",
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::GetInformation => "get_information",
        }
    }
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An order was carried out.
    Filled(Fill),
    /// An order was refused and changed nothing.
    Refused,
    /// Nothing but the answer.
    Told,
    /// Nothing, because the arguments could not be used.
    BadArguments,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It is answered.
    Answered {
        /// JSON text.
        text: String,
        /// What it did.
        effect: Effect,
    },
    /// The web is to be searched for this.
    Search(String),
}

/// Runs `call`. Arguments that the tool does not know are ignored.
pub(super) fn run(call: &ToolCall, search: bool, as_of: &AsOf<'_>, book: &mut DayBook<'_>) -> Ran {
    let Some(tool) = Tool::offered(search).find(|tool| tool.name() == call.name) else {
        return Ran::Answered { text: unknown(&call.name, search), effect: Effect::Told };
    };
    let wanted = match call.parsed().and_then(|arguments| Wanted::read(tool, &arguments, &call.arguments)) {
        Ok(wanted) => wanted,
        Err(problem) => return Ran::Answered { text: json::error(&problem), effect: Effect::BadArguments },
    };
    let (text, effect) = match wanted {
        Wanted::Order(order) => trade::submit(&order, book),
        Wanted::Position => (trade::position(book.portfolio()), Effect::Told),
        Wanted::Price { symbol, date } => (prices::on(as_of, &symbol, date), Effect::Told),
        Wanted::History { symbol, days } => (prices::history(as_of, &symbol, days), Effect::Told),
        Wanted::Sum(a, b) => (arithmetic::sum(a, b), Effect::Told),
        Wanted::Product(a, b) => (arithmetic::product(a, b), Effect::Told),
        Wanted::Search(query) => return Ran::Search(query),
    };
    Ran::Answered { text, effect }
}

fn unknown(name: &str, search: bool) -> String {
    let known = Tool::offered(search).map(Tool::name).collect::<Vec<_>>().join(", ");
    json::error(&format!("Unknown tool {}. Available tools: {known}", json::bounded(name, ECHO_LIMIT)))
}
