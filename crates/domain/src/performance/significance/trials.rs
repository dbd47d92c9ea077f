//! The trials of a model as a sample: the mean of their returns and its uncertainty.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use super::student;
use crate::performance::leaderboard::{Contestant, LeaderboardRow};
use crate::performance::metrics::statistics::{mean, spread};

/// The confidence level of an interval: of 100 such intervals, about 95 contain the true mean.
pub const LEVEL: f64 = 0.95;

/// The trials of one model over a range of dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// The model's signature.
    pub model: String,
    /// Number of trials, including those without a return.
    pub count: usize,
    /// The total return of each trial that has one, as a fraction.
    pub returns: Vec<f64>,
    /// First and last date of the trials; `None` when the trials have different ones.
    pub dates: Option<(NaiveDate, NaiveDate)>,
}

/// Why a statistic of trials is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unknown {
    /// There are fewer than two trials, so that they have no deviation.
    TooFewTrials,
    /// All trials have the same return. The model may be deterministic, and there is nothing to estimate.
    NoVariance,
    /// A trial has no return, because its starting value was zero.
    NoReturn,
    /// The trials cover different dates, so that they are not one sample.
    OtherDates,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFewTrials => "fewer than two trials",
            Self::NoVariance => "all trials have the same return",
            Self::NoReturn => "a trial has no return",
            Self::OtherDates => "the trials cover different dates",
        })
    }
}

/// The confidence interval of a mean, at the level [`LEVEL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Statistics of the trials of a model; fractions, not percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The arithmetic mean of the returns.
    pub mean: Result<f64, Unknown>,
    /// Their standard deviation, with `n - 1` in the denominator.
    pub deviation: Result<f64, Unknown>,
    /// `mean ± t(1 - (1 - LEVEL) / 2, n - 1) * deviation / sqrt(n)`: NIST/SEMATECH e-Handbook, section 1.3.5.2.
    pub interval: Result<Interval, Unknown>,
}

impl Trials {
    /// The models of a leaderboard in the order of their names, each with its trials; benchmarks are left out.
    pub fn of(rows: &[LeaderboardRow]) -> Vec<Self> {
        let mut models: BTreeMap<&str, Vec<&LeaderboardRow>> = BTreeMap::new();
        for row in rows {
            match &row.contestant {
                Contestant::Model { model, .. } => models.entry(model).or_default().push(row),
                Contestant::Benchmark(_) => {}
            }
        }
        let trials = |(model, rows): (&str, Vec<&LeaderboardRow>)| Self {
            model: model.to_owned(),
            count: rows.len(),
            returns: rows.iter().filter_map(|row| row.metrics.total_return).collect(),
            dates: rows
                .first()
                .map(|row| row.dates)
                .filter(|dates| rows.iter().all(|row| row.dates == *dates)),
        };
        models.into_iter().map(trials).collect()
    }

    /// The statistics of these trials.
    pub fn summary(&self) -> Summary {
        let complete = if self.returns.len() == self.count { Ok(()) } else { Err(Unknown::NoReturn) };
        let deviation = complete.and_then(|()| spread(&self.returns).map_err(|_| Unknown::TooFewTrials));
        Summary {
            mean: complete.map(|()| mean(&self.returns)),
            deviation,
            interval: self.sample().map(|sample| {
                let half = student::quantile(f64::midpoint(1.0, LEVEL), sample.n - 1.0) * sample.error();
                Interval { low: sample.mean - half, high: sample.mean + half }
            }),
        }
    }

    /// The trials as a sample that statistical inference is possible from.
    pub(super) fn sample(&self) -> Result<Sample, Unknown> {
        let deviation = match (self.count, self.returns.len() == self.count) {
            (0 | 1, _) => return Err(Unknown::TooFewTrials),
            (_, false) => return Err(Unknown::NoReturn),
            (_, true) => spread(&self.returns).map_err(|_| Unknown::TooFewTrials)?,
        };
        match self.dates {
            None => Err(Unknown::OtherDates),
            Some(_) if deviation > 0.0 => {
                Ok(Sample { n: self.count as f64, mean: mean(&self.returns), variance: deviation.powi(2) })
            }
            Some(_) => Err(Unknown::NoVariance),
        }
    }
}

/// At least two returns that are not all equal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) n: f64,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Sample {
    /// The standard error of the mean.
    fn error(&self) -> f64 {
        (self.variance / self.n).sqrt()
    }
}
