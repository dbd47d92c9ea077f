//! One model-day: what the model decides at the open, and what the account makes of it. No I/O.

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::as_of::AsOf;
use domain::calendar::Calendar;
use domain::corporate::CorporateActions;
use domain::day::{DayBook, DayError, DayPrices, DayResult, PreviousDay};
use domain::job::{Job, Model};
use domain::market_day::MarketDay;
use domain::model_day::{CompletedDay, ModelDayKey, Trade};
use domain::order::{Fill, Order};
use domain::policy::Situation;
use domain::price_table::PriceTable;
use storage::execution::PortfolioDay;

use crate::agent::Talked;
use crate::jobs::Decider;

/// All that a day depends on.
pub(crate) struct Today<'a> {
    pub(crate) key: &'a ModelDayKey,
    pub(crate) job: &'a Job,
    pub(crate) model: &'a Model,
    pub(crate) decider: &'a Decider,
    pub(crate) prices: &'a PriceTable,
    pub(crate) calendar: &'a Calendar,
    pub(crate) previous: Option<&'a PortfolioDay>,
    pub(crate) day_index: u32,
    pub(crate) revision: u32,
    pub(crate) began: DateTime<Utc>,
}

/// A day that can take effect.
pub(crate) struct Decided {
    pub(crate) day: CompletedDay,
    pub(crate) fills: Vec<Fill>,
}

/// Runs the day of a model that decides in memory.
pub(crate) fn run_day(today: &Today<'_>) -> Result<Decided, DayError> {
    let market = MarketDay::new(today.prices, &[], today.key.date);
    let mut book = open_book(today, &market)?;
    for order in orders(today, &book) {
        // A refusal is part of the day's result; these models do not react to it.
        let _ = book.submit(&order);
    }
    Ok(decided(today, book.close()?, None))
}

/// Opens the day's book over its market.
pub(crate) fn open_book<'a>(today: &Today<'a>, market: &'a dyn DayPrices) -> Result<DayBook<'a>, DayError> {
    let previous = today.previous.map(|day| PreviousDay {
        date: day.day.date,
        portfolio: day.position.clone(),
        ending_value_at_open: day.value_at_open,
    });
    DayBook::open(
        today.key.date,
        previous.as_ref(),
        today.model.initial_cash,
        &today.job.universe,
        market,
        &CorporateActions::default(),
        today.model.costs,
    )
}

fn orders(today: &Today<'_>, book: &DayBook<'_>) -> Vec<Order> {
    match today.decider {
        Decider::Recorded(orders) => orders.get(&today.key.date).cloned().unwrap_or_default(),
        Decider::Policy(policy) => policy.decide(&Situation {
            as_of: AsOf::new(today.prices, today.calendar, today.key.date),
            portfolio: book.portfolio(),
            universe: &today.job.universe,
            costs: &today.model.costs,
            day_index: today.day_index,
            salt: &salt(today.key),
        }),
        // Decides in conversation, over as many turns as it takes.
        Decider::Agent(_) => Vec::new(),
    }
}

/// Trials of one model draw differently; the first draws as the model alone would.
fn salt(key: &ModelDayKey) -> String {
    match key.trial {
        0 => key.model.clone(),
        trial => format!("{}#{trial}", key.model),
    }
}

/// The day's accounts as they are told; `talked` is what an agent's day adds.
pub(crate) fn decided(today: &Today<'_>, result: DayResult, talked: Option<&Talked>) -> Decided {
    let trades = result.fills.iter().map(|fill| Trade {
        sequence: fill.sequence,
        side: fill.side,
        symbol: fill.symbol.clone(),
        quantity: fill.quantity,
        price: fill.price.amount(),
        fee: fill.fee,
        cash_after: fill.cash_after,
    });
    let carried_over = today.previous.is_some_and(|day| day.position == result.starting);
    let day = CompletedDay {
        key: today.key.clone(),
        attempt: talked.map_or(1, |talked| talked.attempt),
        revision: today.revision,
        base: today.previous.map(|day| day.day),
        config_hash: today.model.config_hash.clone(),
        starting_position: (!carried_over).then(|| result.starting.clone()),
        starting_value: result.starting_value,
        profit: result.profit,
        return_pct: result.return_pct,
        days_since_last_trading: result.days_since_last_trading,
        trades: trades.collect(),
        refused: result.refusals,
        ending_position: result.ending,
        value_at_open: result.value_at_open,
        value_at_close: result.value_at_close,
        stale_symbols: result.stale,
        started_at: talked.map_or(today.began, |talked| talked.started_at),
        completed_at: Utc::now().trunc_subsecs(6),
        agent: talked.map(|talked| talked.report.clone()),
    };
    Decided { day, fills: result.fills }
}
