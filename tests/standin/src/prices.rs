//! Which bars a symbol has at a "today".

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use domain::market::calendar::Calendar;

use crate::bar::Bar;
use crate::{generated, recorded};

/// Where prices come from. Series are oldest first and reach beyond "today"; [`Gaps`] and "today" cut them.
pub(crate) enum Prices {
    Recorded(BTreeMap<String, Arc<Vec<Bar>>>),
    Generated { sessions: Vec<NaiveDate>, walked: Mutex<HashMap<String, Arc<Vec<Bar>>>> },
}

impl Prices {
    pub(crate) fn recorded() -> anyhow::Result<Self> {
        let series = recorded::load()?;
        Ok(Self::Recorded(series.into_iter().map(|(symbol, bars)| (symbol, Arc::new(bars))).collect()))
    }

    /// Walks that begin with the first session at or after `from`.
    pub(crate) fn generated(from: NaiveDate) -> Self {
        let sessions = Calendar::nyse().sessions(from, NaiveDate::MAX);
        Self::Generated { sessions, walked: Mutex::default() }
    }

    /// The whole series of `symbol`; `None` when there is no such symbol.
    pub(crate) fn series(&self, symbol: &str) -> Option<Arc<Vec<Bar>>> {
        match self {
            Self::Recorded(series) => series.get(symbol).cloned(),
            Self::Generated { sessions, walked } => {
                let symbol: domain::market::instruments::Symbol = symbol.parse().ok()?;
                let mut walked = walked.lock().unwrap_or_else(PoisonError::into_inner);
                let walk = walked
                    .entry(symbol.as_str().to_owned())
                    .or_insert_with(|| Arc::new(generated::walk(symbol.as_str(), sessions)));
                Some(Arc::clone(walk))
            }
        }
    }
}

/// Bars that a symbol does not have: it was not listed yet or any more, or it was halted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaps {
    pub(crate) listed: Option<(NaiveDate, NaiveDate)>,
    pub(crate) halted: BTreeSet<NaiveDate>,
}

impl Gaps {
    pub(crate) fn has(&self, date: NaiveDate) -> bool {
        self.listed.is_none_or(|(first, last)| first <= date && date <= last) && !self.halted.contains(&date)
    }
}

/// The bars up to `today` that `gaps` leaves, newest first.
pub(crate) fn visible(series: &[Bar], today: NaiveDate, gaps: &Gaps) -> Vec<Bar> {
    series.iter().rev().filter(|bar| bar.date <= today && gaps.has(bar.date)).cloned().collect()
}
