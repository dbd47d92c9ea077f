//! The largest drawdown: the deepest fall of a value below an earlier high.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The dates of a drawdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawdown {
    /// The session of the high before it.
    pub peak: NaiveDate,
    /// The session of its lowest value; the first of equal ones.
    pub trough: NaiveDate,
    /// The first session after it that reached the high again, if any.
    pub recovery: Option<NaiveDate>,
}

/// A drawdown; its values are indexes into the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fall {
    /// `trough / peak - 1`, below 0.
    pub(super) depth: f64,
    peak: usize,
    trough: usize,
    recovery: Option<usize>,
}

impl Fall {
    /// Its dates; `None` when `dates` does not have a date for each value.
    pub(super) fn dated(self, dates: &[NaiveDate]) -> Option<Drawdown> {
        let recovery = match self.recovery {
            Some(place) => Some(*dates.get(place)?),
            None => None,
        };
        Some(Drawdown { peak: *dates.get(self.peak)?, trough: *dates.get(self.trough)?, recovery })
    }
}

/// The largest drawdown of `equity`, whose values are above zero except perhaps the last; `None` when it never fell.
pub(super) fn largest(equity: &[f64]) -> Option<Fall> {
    let mut peak = 0;
    let mut deepest: Option<Fall> = None;
    for (place, value) in equity.iter().enumerate() {
        if *value > equity[peak] {
            peak = place;
        }
        let depth = value / equity[peak] - 1.0;
        if depth < deepest.map_or(0.0, |fall| fall.depth) {
            deepest = Some(Fall { depth, peak, trough: place, recovery: None });
        }
    }
    deepest.map(|fall| {
        let high = equity[fall.peak];
        let recovery = (fall.trough..equity.len()).find(|place| equity[*place] >= high);
        Fall { recovery, ..fall }
    })
}
