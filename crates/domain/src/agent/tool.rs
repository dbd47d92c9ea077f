//! The tools of an agent: their names, arguments and results.
//!
//! They see only the market as of the open and the day's book. The caller makes the web search.

use crate::accounting::fill::Fill;

mod arguments;
mod arithmetic;
mod orders;
mod prices;
mod run;
mod schema;

pub(super) use run::run;
pub use schema::{definitions, parameters};

/// A tool that an agent may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// The prices of one symbol on one day.
    GetPriceLocal,
    /// The bars of one symbol before today.
    GetPriceHistory,
    /// Cash and holdings.
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
    /// In the order in which they are offered.
    const ALL: [Self; 8] = [
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

    /// The tool that a model means by `name`: its name, or with what some models put around it, such as
    /// `functions.buy`, `default_api:buy`, `functions.buy:0` or `buy<|channel|>commentary`.
    pub(super) fn meant(name: &str) -> Option<Self> {
        let exact = |name: &str| {
            let name = name.trim().trim_end_matches("()");
            Self::ALL.into_iter().find(|tool| tool.name().eq_ignore_ascii_case(name))
        };
        let is_count = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        let last = |name: &str| exact(name.rsplit(['.', ':', '/', '=']).find(|part| !is_count(part))?);
        let before_token = name.split("<|").next().unwrap_or_default();
        [name, before_token].into_iter().find_map(|name| exact(name).or_else(|| last(name)))
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

/// What a call changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An order was filled.
    Filled(Fill),
    /// An order was refused and changed nothing.
    Refused,
    /// Nothing.
    None,
    /// Nothing, because the arguments could not be used.
    BadArguments,
    /// Nothing, because there is no such tool.
    UnknownTool,
}

/// What a call led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolOutcome {
    /// It has a result.
    Answered {
        /// The result as JSON text.
        text: String,
        /// What it changed.
        effect: Effect,
    },
    /// The caller has to search the web for this.
    Search(String),
}
