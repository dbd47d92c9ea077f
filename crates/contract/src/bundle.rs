//! The file of a bundle: JSON Lines, of which the last has the checksum of the others.
//!
//! The first line has the format and the job. Then come the bars by symbol, then each portfolio with its days.
//! Amounts are decimal text. A reader ignores unknown members.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::NaiveDate;
use domain::accounting::known_actions::KnownActions;
use domain::agent::{AgentReport, Entry, EntryKind, Journal};
use domain::market::instruments::{Bar, Symbol};
use domain::replay::{BaseDay, RecordedDay, RecordedOutcome};
use domain::simulation::model_day::DayRef;
use domain::values::money::Price;
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
        let splits = actions.splits().iter().filter(|(_, split)| split.symbol == *symbol);
        let dividends = actions.dividends().iter().filter(|(_, dividend)| dividend.symbol == *symbol);
        Self {
            symbol: symbol.clone(),
            bars: bars.iter().map(row).collect(),
            splits: splits.map(|(date, split)| (*date, split.from, split.to)).collect(),
            dividends: dividends.map(|(date, dividend)| (*date, dividend.per_share)).collect(),
        }
    }
}
