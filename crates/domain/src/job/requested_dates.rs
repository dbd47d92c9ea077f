//! Which dates a job asks for of a model: every weekday from the model's start to the job's end, or just some.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::market::calendar::weekdays;

/// The only dates of a model that a job asks for, by trial. A trial without any has no part in the job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestedDates(BTreeMap<u32, BTreeSet<NaiveDate>>);

impl RequestedDates {
    /// The dates of a trial.
    pub fn of(&self, trial: u32) -> impl Iterator<Item = NaiveDate> + '_ {
        self.0.get(&trial).into_iter().flatten().copied()
    }

    /// The trials that have dates, each with these.
    pub fn trials(&self) -> impl Iterator<Item = (u32, &BTreeSet<NaiveDate>)> {
        self.0.iter().map(|(trial, dates)| (*trial, dates))
    }

    /// How many dates there are, over all trials.
    pub fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Whether a trial has that date.
    pub fn has(&self, trial: u32, date: NaiveDate) -> bool {
        self.0.get(&trial).is_some_and(|dates| dates.contains(&date))
    }
}

impl FromIterator<(u32, NaiveDate)> for RequestedDates {
    fn from_iter<T: IntoIterator<Item = (u32, NaiveDate)>>(dates: T) -> Self {
        let mut only = Self::default();
        for (trial, date) in dates {
            only.0.entry(trial).or_default().insert(date);
        }
        only
    }
}

/// The dates that are asked for of one portfolio, ascending.
pub(crate) fn dates_of(
    only: Option<&RequestedDates>,
    trial: u32,
    start: NaiveDate,
    end: NaiveDate,
) -> Vec<NaiveDate> {
    match only {
        Some(only) => only.of(trial).filter(|date| (start..=end).contains(date)).collect(),
        None => weekdays(start, end),
    }
}

/// How many dates are asked for, over all `trials`.
pub(crate) fn count_of(
    only: Option<&RequestedDates>,
    trials: u32,
    start: NaiveDate,
    end: NaiveDate,
) -> usize {
    match only {
        Some(_) => (0..trials).map(|trial| dates_of(only, trial, start, end).len()).sum(),
        None => weekdays(start, end).len() * trials as usize,
    }
}
