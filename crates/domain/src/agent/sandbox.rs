//! A walk through sessions by hand: one portfolio, tool call by tool call, day by day, never back.
//!
//! The tools and their answers are those of a model-day; nothing of it is stored. Of the prices a walk holds
//! only what it was given, so whoever gives it no later days than today can show none.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::dialect::agent::{Observed, observation};
use super::json::{Object, error};
use super::prompt::{self, Facts, Prompt};
use super::response::ToolCall;
use super::session::shown;
use super::tool::{Effect, Ran, run};
use crate::accounting::costs::Costs;
use crate::accounting::day_book::DayBook;
use crate::accounting::day_error::DayError;
use crate::accounting::day_result::PreviousDay;
use crate::accounting::market_day::MarketDay;
use crate::accounting::order::Order;
use crate::market::as_of::AsOf;
use crate::market::calendar::Calendar;
use crate::market::instruments::{Bar, Symbol, Universe};
use crate::market::price_table::PriceTable;

/// What a walk goes through.
#[derive(Debug, Clone)]
pub struct Ground {
    /// What may be traded.
    pub universe: Universe,
    /// The request's sessions.
    pub calendar: Calendar,
    /// Dollars before the first day.
    pub initial_cash: Decimal,
    /// Whether the web may be searched.
    pub search: bool,
}

/// One portfolio on its way through the sessions.
#[derive(Debug)]
pub struct Walk {
    ground: Ground,
    prices: PriceTable,
    today: NaiveDate,
    previous: Option<PreviousDay>,
    /// The orders that were carried out today. The day's book is made from them again for each call: the same
    /// orders at the same open come to the same position.
    orders: Vec<Order>,
}

/// A bar with its symbol and date.
pub type Dated = (Symbol, NaiveDate, Bar);

impl Walk {
    /// Begins at the open of `today` with cash alone. `prices` are the bars up to today, today's included.
    ///
    /// # Errors
    /// When the initial cash is below zero.
    pub fn begin(
        ground: Ground,
        today: NaiveDate,
        prices: impl IntoIterator<Item = Dated>,
    ) -> Result<Self, DayError> {
        let prices = prices.into_iter().collect();
        let walk = Self { ground, prices, today, previous: None, orders: Vec::new() };
        walk.book(&MarketDay::new(&walk.prices, &[], today)).map(drop)?;
        Ok(walk)
    }

    /// The day whose open has just been seen.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// The session after today; `None` when the calendar does not say.
    pub fn next_session(&self) -> Option<NaiveDate> {
        self.ground.calendar.next_session(self.today)
    }

    /// Runs a call of a tool, as on a model-day.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn call(&mut self, call: &ToolCall) -> Result<Ran, DayError> {
        let market = MarketDay::new(&self.prices, &[], self.today);
        let mut book = self.book(&market)?;
        let ran = run(call, self.ground.search, &self.as_of(), &mut book);
        if let Ran::Answered { effect: Effect::Filled(fill), .. } = &ran {
            let order = Order::new(fill.side, fill.symbol.as_str(), fill.quantity);
            self.orders.push(order);
        }
        Ok(ran)
    }

    /// Today's date and what an agent may observe on it, as JSON text.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn observation(&self) -> Result<String, DayError> {
        Ok(self.told(Object::new())?.finish())
    }

    /// Closes the day and goes to `next`, whose bars and those between are `prices`. Tells how the day went,
    /// and what is observed on the next one, as JSON text.
    ///
    /// # Errors
    /// When `next` is not after today or a day has no accounts; nothing has changed then.
    pub fn go_to(
        &mut self,
        next: NaiveDate,
        prices: impl IntoIterator<Item = Dated>,
    ) -> Result<String, DayError> {
        let market = MarketDay::new(&self.prices, &[], self.today);
        let result = self.book(&market)?.close()?;
        let closed = Object::new()
            .text("date", &result.date.to_string())
            .json("orders", result.fills.len())
            .decimal("value_at_open", result.value_at_open)
            .decimal("value_at_close", result.value_at_close)
            .finish();
        let mut later = self.prices.clone();
        later.extend(prices);
        let next = Self {
            ground: self.ground.clone(),
            prices: later,
            today: next,
            previous: Some(result.into_previous()),
            orders: Vec::new(),
        };
        let told = next.told(Object::new().json("closed", closed))?.finish();
        *self = next;
        Ok(told)
    }

    /// What a language model is told today: the standard system prompt, and the user's message.
    ///
    /// # Errors
    /// When the day has no accounts.
    pub fn prompt(&self) -> Result<(String, String), DayError> {
        let market = MarketDay::new(&self.prices, &[], self.today);
        let book = self.book(&market)?;
        let symbols = shown(&self.ground.universe, &book);
        let initial_cash = self.ground.initial_cash;
        let facts =
            Facts { as_of: self.as_of(), portfolio: book.portfolio(), initial_cash, symbols: &symbols };
        Ok((prompt::system(&Prompt::default().template, &facts), prompt::user(&self.as_of())))
    }

    fn told(&self, object: Object) -> Result<Object, DayError> {
        let market = MarketDay::new(&self.prices, &[], self.today);
        let book = self.book(&market)?;
        let symbols = shown(&self.ground.universe, &book);
        let observed = observation(&Observed {
            as_of: self.as_of(),
            portfolio: book.portfolio(),
            universe: &self.ground.universe,
            symbols: &symbols,
        });
        let object = object.text("date", &self.today.to_string());
        Ok(object.decimal("starting_value", book.starting_value()).json("observation", observed))
    }

    fn as_of(&self) -> AsOf<'_> {
        AsOf::new(&self.prices, &self.ground.calendar, self.today)
    }

    fn book<'a>(&'a self, market: &'a MarketDay<'a>) -> Result<DayBook<'a>, DayError> {
        let (previous, cash) = (self.previous.as_ref(), self.ground.initial_cash);
        let universe = &self.ground.universe;
        let mut book = DayBook::open(self.today, previous, cash, universe, market, &[], Costs::NONE)?;
        for order in &self.orders {
            // It was carried out before, at this open and in this order.
            let _ = book.submit(order);
        }
        Ok(book)
    }
}

/// What a walk's tool answers when it could do nothing.
pub fn refused(text: &str) -> String {
    error(text)
}
