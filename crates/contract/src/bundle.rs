//! The file of a bundle: JSON Lines, of which the last has the checksum of the others.
//!
//! The first line has the format and the job. Then come the bars by symbol, then each portfolio with its days.
//! Amounts are decimal text. A reader ignores unknown members.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::NaiveDate;
use domain::agent::{AgentReport, Entry, EntryKind, Journal};
use domain::market::corporate_action::{Action, ActionKind, CorporateAction, Ratio};
use domain::market::instruments::{Bar, Symbol};
use domain::market::known_actions::KnownActions;
use domain::replay::{BaseDay, RecordedDay, RecordedOutcome};
use domain::simulation::model_day::DayRef;
use domain::values::money::Price;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::wire;

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{BundleError, read};
pub use write::Encoder;

/// The format's name and version.
pub const FORMAT: &str = "modelday.bundle/1";

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Header(Box<HeaderLine>),
    Bars(BarsLine),
    Portfolio(PortfolioLine),
    ModelDay(Box<ModelDayLine>),
    End(EndLine),
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    format: String,
    job: wire::Job,
    state: String,
    /// Sessions of the built-in calendar on which the job's exchange was closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    closures: Vec<NaiveDate>,
    /// What the days were shown of the market; absent in bundles of the first versions, which showed prices as traded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    market_rules: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct BarsLine {
    symbol: Symbol,
    /// Date, open, high, low, close, volume.
    bars: Vec<(NaiveDate, Price, Price, Price, Price, u64)>,
    /// Date, shares before, shares after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    splits: Vec<(NaiveDate, NonZeroU32, NonZeroU32)>,
    /// Date, dollars for each share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dividends: Vec<(NaiveDate, Price)>,
    /// The corporate actions of other kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionLine>,
}

#[derive(Serialize, Deserialize)]
struct ActionLine {
    date: NaiveDate,
    action: String,
    /// Shares before, shares after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratio: Option<(NonZeroU32, NonZeroU32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_share: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_symbol: Option<Symbol>,
}

#[derive(Serialize, Deserialize)]
struct PortfolioLine {
    model: String,
    trial: u32,
    bases: Vec<BaseDay>,
}

#[derive(Serialize, Deserialize)]
struct ModelDayLine {
    model: String,
    trial: u32,
    #[serde(flatten)]
    day: DayRef,
    base: Option<DayRef>,
    day_index: u32,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    journal: Vec<EntryLine>,
    outcome: RecordedOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<AgentReport>,
}

#[derive(Serialize, Deserialize)]
struct EntryLine {
    step: u32,
    index: u32,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    sent: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    refused: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    lines: u64,
    sha256: String,
}

impl ModelDayLine {
    fn of(model: &str, trial: u32, day: &RecordedDay) -> Self {
        let entry = |entry: &Entry| EntryLine {
            step: entry.step,
            index: entry.index,
            kind: entry.kind.as_str().to_owned(),
            hash: entry.hash.clone(),
            sent: entry.sent,
            refused: entry.refused,
            answer: entry.answer.clone(),
        };
        Self {
            model: model.to_owned(),
            trial,
            day: DayRef { date: day.date, revision: day.revision },
            base: day.base,
            day_index: day.day_index,
            attempt: day.attempt,
            journal: day.journal.entries().map(entry).collect(),
            outcome: day.outcome.clone(),
            agent: day.report.clone(),
        }
    }

    fn recorded(self) -> Result<RecordedDay, String> {
        let mut entries = BTreeMap::new();
        for line in self.journal {
            let EntryLine { step, index, kind, hash, sent, refused, answer } = line;
            let kind = EntryKind::parse(&kind).ok_or_else(|| format!("{kind:?} is no kind of entry"))?;
            let entry = Entry { step, index, kind, hash, sent, refused, answer };
            if entries.insert((step, index), entry).is_some() {
                return Err(format!("step {step} has two entries {index}"));
            }
        }
        Ok(RecordedDay {
            date: self.day.date,
            revision: self.day.revision,
            base: self.base,
            day_index: self.day_index,
            attempt: self.attempt,
            journal: entries.into_values().collect::<Journal>(),
            outcome: self.outcome,
            report: self.agent,
        })
    }
}

impl BarsLine {
    fn of(symbol: &Symbol, bars: &[(NaiveDate, Bar)], actions: &KnownActions) -> Self {
        let row = |(date, bar): &(NaiveDate, Bar)| {
            (*date, bar.open(), bar.high(), bar.low(), bar.close(), bar.volume())
        };
        let bars = bars.iter().map(row).collect();
        let mut line = Self {
            symbol: symbol.clone(),
            bars,
            splits: Vec::new(),
            dividends: Vec::new(),
            actions: Vec::new(),
        };
        for (date, CorporateAction { action, .. }) in
            actions.all().iter().filter(|(_, action)| action.symbol == *symbol)
        {
            match action {
                Action::Split(ratio) => line.splits.push((*date, ratio.from(), ratio.to())),
                Action::Dividend { per_share } => line.dividends.push((*date, *per_share)),
                other => line.actions.push(ActionLine::of(*date, other)),
            }
        }
        line
    }

    /// The corporate actions of the line.
    fn actions(&self) -> Result<KnownActions, String> {
        let split = |&(date, from, to): &_| (date, Action::Split(Ratio::new(from, to)));
        let dividend = |&(date, per_share): &_| (date, Action::Dividend { per_share });
        let mut actions: Vec<(NaiveDate, Action)> =
            self.splits.iter().map(split).chain(self.dividends.iter().map(dividend)).collect();
        for line in &self.actions {
            actions.push((line.date, line.action()?));
        }
        let of_symbol = |action| CorporateAction { symbol: self.symbol.clone(), action };
        Ok(KnownActions::new(actions.into_iter().map(|(date, action)| (date, of_symbol(action)))))
    }
}

impl ActionLine {
    fn of(date: NaiveDate, action: &Action) -> Self {
        Self {
            date,
            action: action.kind().as_str().to_owned(),
            ratio: action.ratio().map(|ratio| (ratio.from(), ratio.to())),
            per_share: action.per_share(),
            new_symbol: action.new_symbol().cloned(),
        }
    }

    fn action(&self) -> Result<Action, String> {
        let kind = ActionKind::parse(&self.action)
            .ok_or_else(|| format!("{:?} is no corporate action", self.action))?;
        let ratio = self.ratio.map(|(from, to)| Ratio::new(from, to));
        let action = Action::of(kind, ratio, self.per_share, self.new_symbol.clone());
        action.ok_or_else(|| format!("the {} of {} lacks a term", self.action, self.date))
    }
}
