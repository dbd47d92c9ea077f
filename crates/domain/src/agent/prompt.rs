//! The prompt of a day: a template filled with the day's facts.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::action_notices::{self, ActionNotice};
use crate::accounting::portfolio::Portfolio;
use crate::market::as_of::AsOf;
use crate::market::instruments::{Symbol, Universe};
use crate::values::money::Price;

mod template;
#[cfg(test)]
mod tests;

use template::Placeholder;
pub use template::{STOP_TOKEN, Template, TemplateError};

const DEFAULT_VERSION: &str = "1";
const NONE: &str = "(none)";

/// A template, and the name of its version, which is stored with the days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The version's name.
    pub version: String,
    /// The text.
    pub template: Template,
}

impl Default for Prompt {
    fn default() -> Self {
        Self { version: DEFAULT_VERSION.to_owned(), template: Template::standard() }
    }
}

/// The facts of a day's beginning.
pub(super) struct Facts<'a> {
    pub(super) as_of: AsOf<'a>,
    pub(super) portfolio: &'a Portfolio,
    pub(super) initial_cash: Decimal,
    /// [`priced_symbols`].
    pub(super) symbols: &'a [Symbol],
}

impl Facts<'_> {
    fn of(&self, placeholder: Placeholder) -> String {
        match placeholder {
            Placeholder::Date => self.as_of.today().to_string(),
            Placeholder::PreviousSession => {
                self.as_of.previous_session().map_or_else(|| NONE.to_owned(), |date| date.to_string())
            }
            Placeholder::Positions => positions(self.portfolio),
            Placeholder::PreviousCloses => prices(self.as_of.previous_closes(self.symbols)),
            Placeholder::Opens => prices(opens(&self.as_of, self.symbols)),
            Placeholder::StopToken => STOP_TOKEN.to_owned(),
            Placeholder::InitialCash => self.initial_cash.normalize().to_string(),
        }
    }
}

/// The system prompt of a day.
pub(super) fn system(template: &Template, facts: &Facts<'_>) -> String {
    template.filled(|placeholder| facts.of(placeholder))
}

/// The user's message of a day, with what companies did since the last one.
pub(super) fn user(as_of: &AsOf<'_>, notices: &[ActionNotice<'_>]) -> String {
    let request = format!("Please analyze and update today's ({}) positions.", as_of.today());
    match action_notices::words(notices) {
        Some(lines) => format!(
            "{request}\n\nWhat companies did before today's open; prices and volumes of earlier days are in today's \
             shares:\n{lines}"
        ),
        None => request,
    }
}

/// The message to a model that neither used tools nor ended its day, which it does with `ending`.
pub(super) fn reminder(ending: &str) -> String {
    format!("Use the tools to act, or end the day with {ending}.")
}

/// Today's opens of those of `symbols` that have one, in their order.
pub(super) fn opens<'s>(as_of: &AsOf<'_>, symbols: &'s [Symbol]) -> Vec<(&'s Symbol, Price)> {
    symbols.iter().filter_map(|symbol| Some((symbol, as_of.open(symbol)?))).collect()
}

/// The symbols whose prices are shown: the universe, the benchmark, and the other holdings.
pub(super) fn priced_symbols(universe: &Universe, portfolio: &Portfolio) -> Vec<Symbol> {
    let mut symbols = universe.symbols.clone();
    for symbol in universe.benchmark.iter().chain(portfolio.holdings().keys()) {
        if !symbols.contains(symbol) {
            symbols.push(symbol.clone());
        }
    }
    symbols
}

fn positions(portfolio: &Portfolio) -> String {
    let mut lines = format!("CASH: {}", portfolio.cash());
    for (symbol, quantity) in portfolio.holdings() {
        // Writing to a string cannot fail.
        let _ = write!(lines, "\n{symbol}: {quantity}");
    }
    lines
}

fn prices(prices: Vec<(&Symbol, Price)>) -> String {
    if prices.is_empty() {
        return NONE.to_owned();
    }
    prices.iter().map(|(symbol, price)| format!("{symbol}: {price}")).collect::<Vec<_>>().join("\n")
}
