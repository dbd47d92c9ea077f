//! A portfolio that is led through sessions by hand: tool call by tool call, day by day, never back.
//!
//! Tools and results are those of a model-day; nothing is stored. A sandbox holds only the prices that it was given,
//! so it cannot show a later day than its caller does.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::action_notices::notices;
use super::dialect::agent_protocol::{Observed, observation};
use super::json::{Object, error};
use super::prompt::{self, Facts, Prompt};
use super::response::ToolCall;
use super::tool::{Effect, ToolOutcome, run};
use crate::accounting::costs::Costs;
use crate::accounting::day_book::DayBook;
use crate::accounting::day_error::DayError;
use crate::accounting::day_result::PreviousDay;
use crate::accounting::market_day::MarketDay;
use crate::accounting::order::Order;
use crate::market::as_of::AsOf;
use crate::market::calendar::Calendar;
use crate::market::instruments::{Bar, Symbol, Universe};
use crate::market::known_actions::KnownActions;
use crate::market::price_table::PriceTable;
use crate::market::rules::MarketRules;

/// What the user of a sandbox has to know.
const IN_MEMORY: &str = "This position is in the memory of this process: it is lost when the process ends, and nothing is recorded.";

/// What stays the same on all days of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// What may be traded.
    pub universe: Universe,
    /// The exchange's sessions.
    pub calendar: Calendar,
    /// Dollars before the first day.
    pub initial_cash: Decimal,
    /// Whether the web may be searched.
    pub search: bool,
}

/// One portfolio and its current day.
#[derive(Debug)]
pub struct Sandbox {
    settings: SandboxSettings,
    prices: PriceTable,
    actions: KnownActions,
    today: NaiveDate,
    previous: Option<PreviousDay>,
    /// Today's filled orders. Each call makes the day's book again from them: the same orders at the same open lead to
    /// the same position.
    orders: Vec<Order>,
}

/// A bar with its symbol and date.
pub type DatedBar = (Symbol, NaiveDate, Bar);

/// What is known of the market at the open of a day.
#[derive(Debug, Default)]
pub struct KnownMarket {
    /// Bars up to and including the day; those that the sandbox has already may be left out.
    pub bars: Vec<DatedBar>,
    /// All corporate actions up to and including the day.
    pub actions: KnownActions,
}

impl Sandbox {
    /// Begins at the open of `today` with cash alone.
    ///
    /// # Errors
    /// When the initial cash is below zero.
    pub fn begin(
        settings: SandboxSettings,
        today: NaiveDate,
        KnownMarket { bars, actions }: KnownMarket,
    ) -> Result<Self, DayError> {
        let prices = bars.into_iter().collect();
        let sandbox = Self { settings, prices, actions, today, previous: None, orders: Vec::new() };
        sandbox.book(&sandbox.market()).map(drop)?;
        Ok(sandbox)
    }

    /// The current day.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// The session after today; `None` when the calendar does not reach it.
    pub fn next_session(&self) -> Option<NaiveDate> {
        self.settings.calendar.next_session(self.today)
    }

    /// The symbols that are held after today's orders.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn held(&self) -> Result<Vec<Symbol>, DayError> {
        let market = self.market();
        Ok(self.book(&market)?.portfolio().holdings().keys().cloned().collect())
    }

    /// Runs a tool call, as on a model-day.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn call(&mut self, call: &ToolCall) -> Result<ToolOutcome, DayError> {
        let market = self.market();
        let mut book = self.book(&market)?;
        let outcome = run(call, self.settings.search, &self.as_of(), &mut book);
        if let ToolOutcome::Answered { effect: Effect::Filled(fill), .. } = &outcome {
            let order = Order::new(fill.side, fill.symbol.as_str(), fill.quantity);
            self.orders.push(order);
        }
        Ok(outcome)
    }

    /// Today's date and an agent's observation, as JSON text.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn observation(&self) -> Result<String, DayError> {
        Ok(self.add_observation(Object::new())?.text("note", IN_MEMORY).finish())
    }

    /// Closes the day and goes to `next`, of which `known` is known. Returns the closed day's result and the next
    /// observation, as JSON text.
    ///
    /// # Errors
    /// When `next` is not after today or a day has no accounts; nothing has changed then.
    pub fn advance_to(&mut self, next: NaiveDate, known: KnownMarket) -> Result<String, DayError> {
        let market = self.market();
        let result = self.book(&market)?.close()?;
        let closed = Object::new()
            .text("date", &result.date.to_string())
            .json("orders", result.fills.len())
            .decimal("value_at_open", result.value_at_open)
            .decimal("value_at_close", result.value_at_close)
            .finish();
        let mut later = self.prices.clone();
        later.extend(known.bars);
        let next = Self {
            settings: self.settings.clone(),
            prices: later,
            actions: known.actions,
            today: next,
            previous: Some(result.into_previous()),
            orders: Vec::new(),
        };
        let text = next.add_observation(Object::new().json("closed", closed))?.finish();
        *self = next;
        Ok(text)
    }

    /// The messages with which a language model begins today: the standard system prompt, and the user's message.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn prompt(&self) -> Result<(String, String), DayError> {
        let market = self.market();
        let book = self.book(&market)?;
        let symbols = prompt::priced_symbols(&self.settings.universe, book.portfolio());
        let initial_cash = self.settings.initial_cash;
        let as_of = self.as_of();
        let facts = Facts { as_of, portfolio: book.portfolio(), initial_cash, symbols: &symbols };
        let notices = notices(&as_of, &symbols, book.applied_actions());
        Ok((prompt::system(&Prompt::default().template, &facts), prompt::user(&as_of, &notices)))
    }

    fn add_observation(&self, object: Object) -> Result<Object, DayError> {
        let market = self.market();
        let book = self.book(&market)?;
        let symbols = prompt::priced_symbols(&self.settings.universe, book.portfolio());
        let observed = observation(&Observed {
            as_of: self.as_of(),
            portfolio: book.portfolio(),
            applied: book.applied_actions(),
            universe: &self.settings.universe,
            symbols: &symbols,
        });
        let object = object.text("date", &self.today.to_string());
        Ok(object.decimal("starting_value", book.starting_value()).json("observation", observed))
    }

    fn market(&self) -> MarketDay<'_> {
        MarketDay::new(&self.prices, &self.actions, self.today)
    }

    fn as_of(&self) -> AsOf<'_> {
        let as_of = AsOf::new(&self.prices, &self.settings.calendar, self.today);
        as_of.with_actions(&self.actions, MarketRules::default())
    }

    fn book<'a>(&'a self, market: &'a MarketDay<'a>) -> Result<DayBook<'a>, DayError> {
        let (previous, cash) = (self.previous.as_ref(), self.settings.initial_cash);
        let universe = &self.settings.universe;
        let due =
            previous.map(|previous| self.actions.between(previous.date, self.today)).unwrap_or_default();
        let mut book = DayBook::open(self.today, previous, cash, universe, market, due, Costs::NONE)?;
        for order in &self.orders {
            // It was filled before, at this open and in this order, so it is filled again.
            let _ = book.submit(order);
        }
        Ok(book)
    }
}

/// The result of a tool that could do nothing.
pub fn refused(text: &str) -> String {
    error(text)
}
