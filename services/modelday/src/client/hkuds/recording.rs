//! What one agent did: its `position.jsonl`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::NaiveDate;
use domain::market::instruments::Symbol;
use domain::values::date::required_date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::action::{Action, RecordedFill};
use super::holdings::{Holdings, TOLERANCE};

/// The cash with which the project begins unless it is configured.
const USUAL_CASH: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// What an agent ordered, and what it had after each day.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) initial_cash: Decimal,
    pub(crate) days: BTreeMap<NaiveDate, RecordedDay>,
    /// What was odd about the file, in sentences.
    pub(crate) notes: Vec<String>,
}

/// A day of an agent.
#[derive(Debug, Default)]
pub(crate) struct RecordedDay {
    pub(crate) orders: Vec<RecordedFill>,
    pub(crate) ending: Holdings,
    /// Where the records of the day contradict each other, in sentences.
    pub(crate) faults: Vec<String>,
}

#[derive(Deserialize)]
struct Record {
    date: String,
    #[serde(default)]
    this_action: Option<Action>,
    positions: Map<String, Value>,
}

impl Recording {
    /// Reads the text of a file; `configured` is the cash that a configuration gives the agent.
    ///
    /// # Errors
    /// Why Modelday cannot run it, as the end of a sentence that begins with the agent's name.
    pub(crate) fn read(text: &str, configured: Option<Decimal>) -> Result<Self, String> {
        let (records, mut notes) = records(text)?;
        let Some((_, _, first)) = records.first() else { return Err("has no records".to_owned()) };
        let begins_with_order = !orders(first)?.is_empty();
        let mut holdings = if begins_with_order {
            let cash = configured.unwrap_or(USUAL_CASH);
            notes
                .push(format!("its first record is an order; it is taken to have begun with {cash} dollars"));
            Holdings { cash, ..Holdings::default() }
        } else {
            Holdings::read(&first.positions)?
        };
        if let Some((symbol, quantity)) = holdings.shares.first_key_value() {
            return Err(format!(
                "begins with {quantity} {symbol}; portfolios of Modelday begin with cash alone"
            ));
        }
        if holdings.cash <= Decimal::ZERO {
            return Err(format!("begins with {} dollars", holdings.cash));
        }
        let initial_cash = holdings.cash;
        let mut days = BTreeMap::<NaiveDate, RecordedDay>::new();
        for (line, date, record) in &records {
            let day = days.entry(*date).or_default();
            let mut orders = orders(record)?;
            let after = Holdings::read(&record.positions)?;
            let fault = contradiction(*line, &holdings, &orders, &after);
            if let ([order], None) = (orders.as_mut_slice(), &fault) {
                order.price = (holdings.cash - after.cash).checked_div(Decimal::from(order.change()));
            }
            day.faults.extend(fault);
            day.orders.extend(orders);
            day.ending = after.clone();
            holdings = after;
        }
        Ok(Self { initial_cash, days, notes })
    }

    /// First and last date.
    pub(crate) fn range(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((*self.days.first_key_value()?.0, *self.days.last_key_value()?.0))
    }

    /// How many orders it has.
    pub(crate) fn order_count(&self) -> usize {
        self.days.values().map(|day| day.orders.len()).sum()
    }

    /// The orders as a `recorded` model has them.
    pub(crate) fn decisions(&self, model: &str) -> String {
        let mut text = "model,date,sequence,action,symbol,quantity\n".to_owned();
        for (date, day) in &self.days {
            for (sequence, order) in (1..).zip(&day.orders) {
                let RecordedFill { side, symbol, quantity, .. } = order;
                let _ = writeln!(text, "{model},{date},{sequence},{},{symbol},{quantity}", side.as_str());
            }
        }
        text
    }
}

/// The records with their lines and dates, in the order of the dates, and what was odd.
#[expect(clippy::type_complexity, reason = "lines of a file")]
fn records(text: &str) -> Result<(Vec<(usize, NaiveDate, Record)>, Vec<String>), String> {
    let (mut records, mut notes) = (Vec::new(), Vec::new());
    let lines: Vec<_> = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).collect();
    for (place, (number, line)) in lines.iter().enumerate() {
        match serde_json::from_str::<Record>(line.trim_start_matches('\u{feff}')) {
            Ok(record) => records.push((*number, date(&record.date)?, record)),
            Err(_) if place + 1 == lines.len() => {
                notes.push(format!("its last line, {number}, is not complete and was left out"));
            }
            Err(problem) => notes.push(format!("line {number} cannot be read and was left out: {problem}")),
        }
    }
    if !records.is_sorted_by_key(|(_, date, _)| *date) {
        notes.push("its dates go back and forth; they were put in order".to_owned());
        records.sort_by_key(|(_, date, _)| *date);
    }
    Ok((records, notes))
}

fn date(text: &str) -> Result<NaiveDate, String> {
    let (date, time) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), ""));
    if !time.is_empty() && !time.starts_with("00:00") {
        return Err(format!("trades within the day ({text}); Modelday trades once a day, at the open"));
    }
    required_date(date).map_err(|problem| format!("has a wrong date: {problem}"))
}

fn orders(record: &Record) -> Result<Vec<RecordedFill>, String> {
    record.this_action.as_ref().map_or(Ok(Vec::new()), Action::orders)
}

/// Where the positions of a record do not follow from the record before it and its orders.
fn contradiction(
    line: usize,
    before: &Holdings,
    orders: &[RecordedFill],
    after: &Holdings,
) -> Option<String> {
    let mut expected = before.clone();
    for order in orders {
        expected.add(&order.symbol, order.change());
    }
    let symbols: BTreeSet<&Symbol> = expected.shares.keys().chain(after.shares.keys()).collect();
    let wrong = symbols.into_iter().find(|symbol| expected.of(symbol) != after.of(symbol));
    if let Some(symbol) = wrong {
        return Some(format!(
            "line {line} has {} {symbol}, where {} follow from the line before it and its order",
            after.of(symbol),
            expected.of(symbol)
        ));
    }
    let is_idle = orders.iter().all(|order| order.quantity == 0);
    let change = after.cash - before.cash;
    (is_idle && change.abs() > TOLERANCE).then(|| {
        format!(
            "line {line} has {:+} dollars more than the line before it, without an order",
            change.round_dp(6)
        )
    })
}
