//! The dates that a job requests of a model: every weekday from the model's start to the job's end, or a selection.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::market::calendar::weekdays;

/// A selection of dates of a model, by trial. A trial without dates has no part in the job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestedDates(BTreeMap<u32, BTreeSet<NaiveDate>>);

impl RequestedDates {
    /// The trials that have dates, each with these.
    pub fn trials(&self) -> impl Iterator<Item = (u32, &BTreeSet<NaiveDate>)> {
        self.0.iter().map(|(trial, dates)| (*trial, dates))
    }

    /// Whether the trial has dates.
    pub fn has_trial(&self, trial: u32) -> bool {
        self.0.get(&trial).is_some_and(|dates| !dates.is_empty())
    }

    /// Whether the trial has that date.
    pub fn has(&self, trial: u32, date: NaiveDate) -> bool {
        self.0.get(&trial).is_some_and(|dates| dates.contains(&date))
    }
}

impl FromIterator<(u32, NaiveDate)> for RequestedDates {
    fn from_iter<T: IntoIterator<Item = (u32, NaiveDate)>>(dates: T) -> Self {
        let mut selection = Self::default();
        for (trial, date) in dates {
            selection.0.entry(trial).or_default().insert(date);
        }
        selection
    }
}

/// The requested dates of one portfolio, ascending; every weekday without a selection.
pub(crate) fn dates_of(
    selection: Option<&RequestedDates>,
    trial: u32,
    start: NaiveDate,
    end: NaiveDate,
) -> Vec<NaiveDate> {
    let Some(selection) = selection else { return weekdays(start, end) };
    let dates = selection.0.get(&trial).into_iter().flatten();
    dates.copied().filter(|date| (start..=end).contains(date)).collect()
}

/// How many dates are requested, over all `trials`.
pub(crate) fn count_of(
    selection: Option<&RequestedDates>,
    trials: u32,
    start: NaiveDate,
    end: NaiveDate,
) -> usize {
    match selection {
        Some(_) => (0..trials).map(|trial| dates_of(selection, trial, start, end).len()).sum(),
        None => weekdays(start, end).len() * trials as usize,
    }
}
