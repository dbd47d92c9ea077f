//! The bars that a symbol has on a given "today".

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;

use super::bar::Bar;
use super::{random_walk, recorded_prices};

/// The source of prices. Its series are oldest first and reach beyond "today"; [`visible`] cuts them.
pub(crate) enum Prices {
    Recorded(BTreeMap<String, Arc<Vec<Bar>>>),
    Generated { sessions: Vec<NaiveDate>, walked: Mutex<HashMap<String, Arc<Vec<Bar>>>> },
}

impl Prices {
    pub(crate) fn recorded() -> anyhow::Result<Self> {
        let series = recorded_prices::load()?;
        Ok(Self::Recorded(series.into_iter().map(|(symbol, bars)| (symbol, Arc::new(bars))).collect()))
    }

    /// Random walks that begin with the first session at or after `from`.
    pub(crate) fn generated(from: NaiveDate) -> Self {
        let sessions = Calendar::nyse().sessions(from, NaiveDate::MAX);
        Self::Generated { sessions, walked: Mutex::default() }
    }

    /// The whole series of `symbol`; `None` when the source does not know it.
    pub(crate) fn series(&self, symbol: &str) -> Option<Arc<Vec<Bar>>> {
        match self {
            Self::Recorded(series) => series.get(symbol).cloned(),
            Self::Generated { sessions, walked } => {
                let symbol: Symbol = symbol.parse().ok()?;
                let mut walked = walked.lock().unwrap_or_else(PoisonError::into_inner);
                let walk = walked
                    .entry(symbol.as_str().to_owned())
                    .or_insert_with(|| Arc::new(random_walk::walk(symbol.as_str(), sessions)));
                Some(Arc::clone(walk))
            }
        }
    }
}

/// The bars up to `today`, newest first; only those while the symbol was `listed`, when that is limited.
pub(crate) fn visible(
    series: &[Bar],
    today: NaiveDate,
    listed: Option<&RangeInclusive<NaiveDate>>,
) -> Vec<Bar> {
    let is_listed = |date: &NaiveDate| listed.is_none_or(|dates| dates.contains(date));
    series.iter().rev().filter(|bar| bar.date <= today && is_listed(&bar.date)).cloned().collect()
}
