//! The file of a bundle: JSON Lines, of which the last has the checksum of the others.
//!
//! The first line has the format and the job. Then come the bars by symbol, then each portfolio with its days.
//! Amounts are decimal text. A reader ignores unknown members.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::NaiveDate;
use domain::accounting::fill::Fill;
use domain::accounting::known_actions::KnownActions;
use domain::accounting::portfolio::Portfolio;
use domain::agent::{AgentReport, Entry, EntryKind, Journal, UsageTotal};
use domain::market::instruments::{Bar, Symbol};
use domain::replay::{BaseDay, RecordedDay, RecordedOutcome};
use domain::simulation::model_day::DayRef;
use domain::simulation::run::PortfolioDay;
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
    bases: Vec<BaseLine>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
struct DayRefLine {
    date: NaiveDate,
    revision: u32,
}

#[derive(Serialize, Deserialize)]
struct BaseLine {
    #[serde(flatten)]
    day: DayRefLine,
    position: Portfolio,
    value_at_open: Decimal,
    value_at_close: Option<Decimal>,
}

#[derive(Serialize, Deserialize)]
struct ModelDayLine {
    model: String,
    trial: u32,
    #[serde(flatten)]
    day: DayRefLine,
    base: Option<DayRefLine>,
    day_index: u32,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    journal: Vec<EntryLine>,
    outcome: OutcomeLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<AgentLine>,
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
#[serde(tag = "status", rename_all = "snake_case")]
enum OutcomeLine {
    Completed {
        fills: Vec<Fill>,
        position: Portfolio,
        value_at_open: Decimal,
        value_at_close: Option<Decimal>,
    },
    Failed {
        error: String,
    },
}

#[derive(Serialize, Deserialize)]
struct AgentLine {
    end_reason: String,
    summary: String,
    usage: UsageTotal,
    possibly_paid_twice: u64,
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    lines: u64,
    sha256: String,
}

impl From<DayRef> for DayRefLine {
    fn from(day: DayRef) -> Self {
        Self { date: day.date, revision: day.revision }
    }
}

impl From<DayRefLine> for DayRef {
    fn from(day: DayRefLine) -> Self {
        Self { date: day.date, revision: day.revision }
    }
}

impl From<&BaseDay> for BaseLine {
    fn from(base: &BaseDay) -> Self {
        let PortfolioDay { day, position, value_at_open } = base.end.clone();
        Self { day: day.into(), position, value_at_open, value_at_close: base.value_at_close }
    }
}

impl From<BaseLine> for BaseDay {
    fn from(line: BaseLine) -> Self {
        let BaseLine { day, position, value_at_open, value_at_close } = line;
        Self { end: PortfolioDay { day: day.into(), position, value_at_open }, value_at_close }
    }
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
        let outcome = match day.outcome.clone() {
            RecordedOutcome::Completed { fills, position, value_at_open, value_at_close } => {
                OutcomeLine::Completed { fills, position, value_at_open, value_at_close }
            }
            RecordedOutcome::Failed { error } => OutcomeLine::Failed { error },
        };
        let agent = day.report.clone().map(|report| AgentLine {
            end_reason: report.reason,
            summary: report.summary,
            usage: report.spent,
            possibly_paid_twice: report.possibly_paid_twice,
        });
        Self {
            model: model.to_owned(),
            trial,
            day: DayRefLine { date: day.date, revision: day.revision },
            base: day.base.map(Into::into),
            day_index: day.day_index,
            attempt: day.attempt,
            journal: day.journal.entries().map(entry).collect(),
            outcome,
            agent,
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
        let outcome = match self.outcome {
            OutcomeLine::Completed { fills, position, value_at_open, value_at_close } => {
                RecordedOutcome::Completed { fills, position, value_at_open, value_at_close }
            }
            OutcomeLine::Failed { error } => RecordedOutcome::Failed { error },
        };
        Ok(RecordedDay {
            date: self.day.date,
            revision: self.day.revision,
            base: self.base.map(Into::into),
            day_index: self.day_index,
            attempt: self.attempt,
            journal: entries.into_values().collect::<Journal>(),
            outcome,
            report: self.agent.map(|agent| AgentReport {
                reason: agent.end_reason,
                summary: agent.summary,
                spent: agent.usage,
                possibly_paid_twice: agent.possibly_paid_twice,
            }),
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
