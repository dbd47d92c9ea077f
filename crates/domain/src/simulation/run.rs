//! The run of one model-day: the model decides at the open, and its orders make the day's accounts.
//!
//! The executor and the replay share this code, so that their results cannot differ.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::accounting::day_book::DayBook;
use crate::accounting::day_error::DayError;
use crate::accounting::day_result::{DayResult, PreviousDay};
use crate::accounting::market_day::{DayPrices, MarketDay};
use crate::accounting::order::Order;
use crate::accounting::portfolio::Portfolio;
use crate::accounting::split_detection::{SuspectedSplit, suspected_splits};
use crate::agent::{AgentReport, Opening, Session};
use crate::job::{AgentModel, Model};
use crate::market::as_of::AsOf;
use crate::market::calendar::Calendar;
use crate::market::instruments::{Symbol, Universe};
use crate::market::known_actions::KnownActions;
use crate::market::price_history::{PriceHistory, ShareHistory};
use crate::market::rules::MarketRules;
use crate::simulation::decider::Decider;
use crate::simulation::model_day::{CompletedDay, DayRef, Trade};
use crate::strategy::situation::Situation;
use crate::values::ids::ModelDayKey;

/// Sessions without a price after which a held symbol is worth a warning.
pub const MANY_SESSIONS: usize = 10;

/// The position of a portfolio after a completed day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioDay {
    /// The day and its revision.
    #[serde(flatten)]
    pub day: DayRef,
    /// Cash and positions after its last order.
    pub position: Portfolio,
    /// Its value at that day's open, in dollars.
    pub value_at_open: Decimal,
}

/// The universe of a job on one of its days, under the symbols of that day.
pub fn universe_on<'u>(
    date: NaiveDate,
    universe: &'u Universe,
    prices: &dyn PriceHistory,
    actions: &KnownActions,
    rules: MarketRules,
) -> Cow<'u, Universe> {
    ShareHistory::new(prices, rules.renames(actions), date).universe(universe)
}

/// Everything that the result of a model-day depends on.
pub struct ModelDayRun<'a> {
    /// The model-day.
    pub key: &'a ModelDayKey,
    /// The symbols that may be traded, those of the day.
    pub universe: &'a Universe,
    /// The model.
    pub model: &'a Model,
    /// How the model decides.
    pub decider: &'a Decider,
    /// Bars, later ones included; a decision sees them through [`AsOf`].
    pub prices: &'a dyn PriceHistory,
    /// Corporate actions, later ones included; only those up to the day are used.
    pub actions: &'a KnownActions,
    /// What the day is shown of the market, and what it may trade.
    pub rules: MarketRules,
    /// The exchange's calendar.
    pub calendar: &'a Calendar,
    /// The day from which it continues; `None` on a portfolio's first day.
    pub previous: Option<&'a PortfolioDay>,
    /// How many days the portfolio has completed before this one.
    pub day_index: u32,
    /// The revision of its result, from 1.
    pub revision: u32,
    /// When the run began.
    pub began: DateTime<Utc>,
}

/// The attempt at an agent's day that the accounts belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAttempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// When it began; an attempt may be resumed.
    pub started_at: DateTime<Utc>,
    /// Its conversation, summed up.
    pub report: AgentReport,
}

impl<'a> ModelDayRun<'a> {
    /// Runs the day of a model that decides in memory. An agent decides in a [`Self::session`] instead, and has no
    /// orders here.
    ///
    /// # Errors
    /// Why the day has no accounts.
    pub fn run(&self) -> Result<DayResult, DayError> {
        let market = self.market();
        let mut book = self.open_book(&market)?;
        for order in self.orders(&book) {
            // The book records a refusal in the day's result; these models do not react to it.
            let _ = book.submit(&order);
        }
        book.close()
    }

    /// The day's opens, closes and last known prices.
    pub fn market(&self) -> MarketDay<'a> {
        MarketDay::new(self.prices, self.actions, self.key.date).under(self.rules)
    }

    /// The market as its model sees it.
    fn as_of(&self) -> AsOf<'a> {
        AsOf::new(self.prices, self.calendar, self.key.date).with_actions(self.actions, self.rules)
    }

    /// Overnight price changes of held symbols that look like unknown splits.
    pub fn suspected_splits(&self) -> Vec<SuspectedSplit> {
        let held = self.previous.map(|day| &day.position);
        held.map(|held| suspected_splits(held, &self.market())).unwrap_or_default()
    }

    /// The symbols that are still held after the day's corporate actions and have had no price for at least
    /// [`MANY_SESSIONS`] sessions, this one included, with the sessions of their last prices.
    ///
    /// # Errors
    /// Why the day has no accounts.
    pub fn unpriced_holdings(&self) -> Result<Vec<(Symbol, NaiveDate)>, DayError> {
        let market = self.market();
        let held = self.previous.into_iter().flat_map(|day| day.position.holdings().keys());
        let Some(earliest) = self.calendar.sessions_before(self.key.date, MANY_SESSIONS).first() else {
            return Ok(Vec::new());
        };
        let is_unpriced = |date: NaiveDate| date <= *earliest;
        let mut held = held.filter(|symbol| market.open(symbol).is_none());
        if !held.any(|symbol| market.last_known_on(symbol).is_some_and(is_unpriced)) {
            return Ok(Vec::new());
        }
        let book = self.open_book(&market)?;
        let dates = book.price_dates().iter().filter(|(_, date)| is_unpriced(**date));
        Ok(dates.map(|(symbol, date)| (symbol.clone(), *date)).collect())
    }

    /// Opens the day's book, after the corporate actions since the previous day.
    ///
    /// # Errors
    /// Why the day has no accounts.
    fn open_book<'b>(&self, market: &'b dyn DayPrices) -> Result<DayBook<'b>, DayError>
    where
        'a: 'b,
    {
        let previous = self.previous.map(|day| PreviousDay {
            date: day.day.date,
            portfolio: day.position.clone(),
            ending_value_at_open: day.value_at_open,
        });
        let due = previous.as_ref().map(|previous| self.actions.between(previous.date, self.key.date));
        DayBook::open(
            self.key.date,
            previous.as_ref(),
            self.model.initial_cash,
            self.universe,
            market,
            due.unwrap_or_default(),
            self.model.costs,
        )
    }

    /// Opens the conversation of an agent's day.
    ///
    /// # Errors
    /// Why the day has no accounts.
    pub fn session<'b>(
        &self,
        agent: &'b AgentModel,
        market: &'b dyn DayPrices,
    ) -> Result<Session<'b>, DayError>
    where
        'a: 'b,
    {
        let opening = Opening {
            key: self.key,
            settings: &agent.settings,
            dialect: agent.dialect,
            universe: self.universe,
            as_of: self.as_of(),
            book: self.open_book(market)?,
            initial_cash: self.model.initial_cash,
        };
        // It refuses parts of different days only, and all three are of this day.
        Session::open(opening)
            .map_err(|_| DayError::NotAfter { date: self.key.date, previous: self.key.date })
    }

    fn orders(&self, book: &DayBook<'_>) -> Vec<Order> {
        match self.decider {
            Decider::Recorded(orders) => orders.get(&self.key.date).cloned().unwrap_or_default(),
            Decider::Policy(policy) => policy.decide(&Situation {
                as_of: self.as_of(),
                portfolio: book.portfolio(),
                universe: self.universe,
                costs: &self.model.costs,
                day_index: self.day_index,
                salt: &salt(self.key),
            }),
            Decider::Agent(_) => Vec::new(),
        }
    }

    /// The completed day with the accounts `result`; `attempt` is `None` unless the model is an agent.
    pub fn completed(
        &self,
        result: DayResult,
        attempt: Option<AgentAttempt>,
        completed_at: DateTime<Utc>,
    ) -> CompletedDay {
        let trades = result.fills.iter().map(|fill| Trade {
            sequence: fill.sequence,
            side: fill.side,
            symbol: fill.symbol.clone(),
            quantity: fill.quantity,
            price: fill.price.amount(),
            fee: fill.fee,
            cash_after: fill.cash_after,
        });
        let carried_over = self.previous.is_some_and(|day| day.position == result.starting);
        CompletedDay {
            key: self.key.clone(),
            attempt: attempt.as_ref().map_or(1, |attempt| attempt.attempt),
            revision: self.revision,
            base: self.previous.map(|day| day.day),
            config_hash: self.model.config_hash.clone(),
            trades: trades.collect(),
            starting_position: (!carried_over).then_some(result.starting),
            starting_value: result.starting_value,
            profit: result.profit,
            return_pct: result.return_pct,
            days_since_last_trading: result.days_since_last_trading,
            refused: result.refusals,
            ending_position: result.ending,
            value_at_open: result.value_at_open,
            value_at_close: result.value_at_close,
            corporate_actions: result.actions,
            stale_symbols: result.stale,
            price_dates: result.price_dates,
            started_at: attempt.as_ref().map_or(self.began, |attempt| attempt.started_at),
            completed_at,
            agent: attempt.map(|attempt| attempt.report),
        }
    }
}

/// The salt of random policies. It differs between the trials of a model; the first trial has the model's name alone.
fn salt(key: &ModelDayKey) -> String {
    match key.trial {
        0 => key.model.clone(),
        trial => format!("{}#{trial}", key.model),
    }
}
