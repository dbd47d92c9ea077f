//! Runs a tool call.

use super::arguments::{MAX_ECHO, ParsedCall};
use super::{Effect, Tool, ToolOutcome, arithmetic, orders, prices};
use crate::accounting::day_book::DayBook;
use crate::agent::json;
use crate::agent::response::ToolCall;
use crate::market::as_of::AsOf;

/// Runs `call`. Arguments that the tool does not know are ignored.
pub(in crate::agent) fn run(
    call: &ToolCall,
    search: bool,
    as_of: &AsOf<'_>,
    book: &mut DayBook<'_>,
) -> ToolOutcome {
    let Some(tool) = Tool::offered(search).find(|tool| tool.name() == call.name) else {
        return ToolOutcome::Answered { text: unknown(&call.name, search), effect: Effect::UnknownTool };
    };
    let parsed = match call.parsed().and_then(|arguments| ParsedCall::read(tool, &arguments, &call.arguments))
    {
        Ok(parsed) => parsed,
        Err(problem) => {
            return ToolOutcome::Answered { text: json::error(&problem), effect: Effect::BadArguments };
        }
    };
    let (text, effect) = match parsed {
        ParsedCall::Order(order) => orders::submit(&order, book),
        ParsedCall::Position => (orders::position(book.portfolio()), Effect::None),
        ParsedCall::Price { symbol, date } => (prices::on(as_of, &symbol, date), Effect::None),
        ParsedCall::History { symbol, days } => (prices::history(as_of, &symbol, days), Effect::None),
        ParsedCall::Sum(a, b) => (arithmetic::sum(a, b), Effect::None),
        ParsedCall::Product(a, b) => (arithmetic::product(a, b), Effect::None),
        ParsedCall::Search(query) => return ToolOutcome::Search(query),
    };
    ToolOutcome::Answered { text, effect }
}

fn unknown(name: &str, search: bool) -> String {
    let known = Tool::offered(search).map(Tool::name).collect::<Vec<_>>().join(", ");
    json::error(&format!("Unknown tool {}. Available tools: {known}", json::bounded(name, MAX_ECHO)))
}
