//! Jobs, prices and what can be said about the events of a job.

use std::collections::BTreeMap;

use chrono::{NaiveDate, SubsecRound as _, Utc};
use domain::accounting::costs::Costs;
use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::events::event::{DataReady, Event, JobEnded};
use domain::job::{Job, Model, ModelKind, Options};
use domain::market::calendar::{Calendar, weekdays};
use domain::market::instruments::{Bar, Symbol, Universe};
use domain::simulation::model_day::{CompletedDay, DayRef, SkipReason, SkippedDate};
use domain::strategy::policy::Policy;
use domain::values::ids::JobId;
use domain::values::money::Price;
use rust_decimal::Decimal;
use storage::market::BarRow;
use uuid::Uuid;

/// What the tests trade.
const SYMBOLS: [&str; 4] = ["AAA", "BBB", "CCC", "DDD"];
/// Prices begin here, so that policies can look back.
const PRICES_FROM: &str = "2025-01-02";
const PRICES_TO: &str = "2025-12-31";

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Bars of all symbols and sessions: deterministic, uneven, to the cent.
pub(crate) fn bars() -> Vec<BarRow> {
    let sessions = Calendar::nyse().sessions(day(PRICES_FROM), day(PRICES_TO));
    let cents = |amount: usize| Price::try_from(Decimal::new(amount.try_into().unwrap(), 2)).unwrap();
    let bar = |symbol: usize, session: usize| {
        let open = 1_000 * (symbol + 1) + (session * (7 + 4 * symbol)) % 613;
        let close = 1_000 * (symbol + 1) + (session * (11 + 2 * symbol)) % 601;
        let (high, low) = (open.max(close) + 50, open.min(close) - 50);
        Bar::new(cents(open), cents(high), cents(low), cents(close), 1_000).unwrap()
    };
    let of_symbol = |(index, name): (usize, &&str)| {
        let symbol: Symbol = name.parse().unwrap();
        let row = |(session, date): (usize, &NaiveDate)| BarRow {
            symbol: symbol.clone(),
            date: *date,
            bar: bar(index, session),
        };
        sessions.iter().enumerate().map(row).collect::<Vec<_>>()
    };
    SYMBOLS.iter().enumerate().flat_map(of_symbol).collect()
}

/// A policy by its name, as models of the same name have it.
fn policy(name: &str) -> Policy {
    serde_json::from_value(match name {
        "hold" => serde_json::json!({ "policy": "buy_and_hold", "symbol": "BBB" }),
        "equal" => serde_json::json!({ "policy": "equal_weight" }),
        "momentum" => {
            serde_json::json!({ "policy": "momentum", "lookback": 5, "top": 2, "rebalance_every": 2 })
        }
        "random" => serde_json::json!({ "policy": "random", "seed": 7, "orders_per_day": 3 }),
        "cash" => serde_json::json!({ "policy": "cash" }),
        other => panic!("no model {other}"),
    })
    .unwrap()
}

/// A job of these models, from `start` to `end`.
pub(crate) fn job(models: &[&str], start: &str, end: &str) -> Job {
    let model = |name: &&str| Model {
        signature: (*name).to_owned(),
        config_hash: format!("hash of {name}"),
        initial_cash: Decimal::from(10_000),
        trials: 1,
        start: day(start),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(policy(name)),
    };
    Job {
        id: JobId(Uuid::now_v7()),
        experiment: "default".to_owned(),
        models: models.iter().map(model).collect(),
        universe: Universe {
            name: "four".to_owned(),
            symbols: SYMBOLS.iter().map(|name| name.parse().unwrap()).collect(),
            benchmark: None,
        },
        start: day(start),
        end: day(end),
        options: Options::default(),
        accepted_at: Utc::now().trunc_subsecs(6),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

/// Sessions of a range, as the exchange has them.
pub(crate) fn sessions(start: &str, end: &str) -> Vec<NaiveDate> {
    Calendar::nyse().sessions(day(start), day(end))
}

/// All sessions of the job can run.
pub(crate) fn ready(job: &Job) -> Event {
    let runnable = Calendar::nyse().sessions(job.start, job.end);
    let closed = weekdays(job.start, job.end).into_iter().filter(|date| !runnable.contains(date));
    let skipped = closed.map(|date| SkippedDate { date, reason: SkipReason::MarketClosed }).collect();
    Event::DataReady(DataReady { job: job.clone(), runnable, skipped, warnings: Vec::new() })
}

/// The completed days among events, in their order.
pub(crate) fn completed(events: &[Event]) -> Vec<CompletedDay> {
    let days = events.iter().filter_map(|event| match event {
        Event::ModelDayCompleted(day) => Some((**day).clone()),
        _ => None,
    });
    days.collect()
}

/// Completed days of one model.
pub(crate) fn completed_by(events: &[Event], model: &str) -> Vec<CompletedDay> {
    completed(events).into_iter().filter(|day| day.key.model == model).collect()
}

/// The terminal events, of which there should be one.
pub(crate) fn ends(events: &[Event]) -> Vec<JobEnded> {
    let ends = events.iter().filter_map(|event| match event {
        Event::JobEnded(end) => Some(end.clone()),
        _ => None,
    });
    ends.collect()
}

/// Days that were skipped with their reasons.
pub(crate) fn skipped(events: &[Event]) -> Vec<SkippedDate> {
    let of = |event: &Event| match event {
        Event::ModelDaysSkipped(event) => event.dates.clone(),
        _ => Vec::new(),
    };
    events.iter().flat_map(of).collect()
}

/// Insists that the days are one chain: each continues from the one before, and every position is what the
/// fills so far make of the initial cash. A second fill, or a lost one, would show here.
pub(crate) fn assert_chain(days: &[CompletedDay]) {
    let mut base: Option<DayRef> = None;
    let mut cash = Decimal::from(10_000);
    let mut holdings: BTreeMap<Symbol, u64> = BTreeMap::new();
    for day in days {
        let name = format!("{} on {}", day.key.model, day.key.date);
        assert_eq!(day.base, base, "{name} continues from another day");
        for trade in &day.trades {
            let notional = trade.price * Decimal::from(trade.quantity);
            let held = holdings.entry(trade.symbol.clone()).or_default();
            match trade.side {
                Side::Buy => {
                    cash -= notional;
                    *held += trade.quantity;
                }
                Side::Sell => {
                    cash += notional;
                    *held = held.checked_sub(trade.quantity).unwrap();
                }
            }
            assert_eq!(trade.cash_after, cash, "{name}");
        }
        holdings.retain(|_, quantity| *quantity > 0);
        let position = Portfolio::new(cash, holdings.clone()).unwrap();
        assert_eq!(day.ending_position, position, "{name} ends with another position than its fills say");
        base = Some(DayRef { date: day.key.date, revision: day.revision });
    }
}

pub(crate) fn dates(days: &[CompletedDay]) -> Vec<NaiveDate> {
    days.iter().map(|day| day.key.date).collect()
}
