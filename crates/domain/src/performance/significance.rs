//! What the trials of models tell about the models: means with their uncertainty, and which models differ.
//!
//! The trials of a model are independent runs of it, so that their returns are a sample of what it would do.
//! Formulas are those of the NIST/SEMATECH e-Handbook of Statistical Methods: the confidence interval of a
//! mean (section 1.3.5.2), the two-sample t-test for unequal variances after Welch (section 1.3.5.3). The
//! correction for many comparisons is S. Holm's step-down (Scandinavian Journal of Statistics 6, 1979).
//! Inside are binary floats: these are statistics, not money.

mod comparison;
mod student;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use crate::performance::leaderboard::{Contestant, Row};
use crate::performance::metrics::statistics::{mean, spread};

pub use comparison::{Comparison, SIGNIFICANCE, Verdict, comparisons};

/// How sure an interval is meant to be: of 100 such intervals, 95 contain the mean they are about.
pub const LEVEL: f64 = 0.95;

/// The trials of one model over a range of dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// The model's signature.
    pub model: String,
    /// How many trials there are, those without a return among them.
    pub count: usize,
    /// The total return of each trial that has one, as a fraction.
    pub returns: Vec<f64>,
    /// First and last date of the trials; `None` when they differ among the trials.
    pub dates: Option<(NaiveDate, NaiveDate)>,
}

/// Why something cannot be said about trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unknown {
    /// Two trials are the least that has a spread.
    TooFewTrials,
    /// All trials have the same return: the model may be deterministic, and there is nothing to estimate.
    NoVariance,
    /// A trial has no return, since it started from nothing.
    NoReturn,
    /// The returns are of other dates, so that they are no sample of the same thing.
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

/// Where a mean lies, with the confidence [`LEVEL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What the trials of a model tell; fractions, not percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The arithmetic mean of the returns.
    pub mean: Result<f64, Unknown>,
    /// Their standard deviation, with `n - 1` in the denominator.
    pub deviation: Result<f64, Unknown>,
    /// `mean ± t(1 - (1 - LEVEL) / 2, n - 1) * deviation / sqrt(n)`.
    pub interval: Result<Interval, Unknown>,
}

impl Trials {
    /// The models of a leaderboard by name, each with its trials; benchmarks are left out.
    pub fn of(rows: &[Row]) -> Vec<Self> {
        let mut models: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            match &row.contestant {
                Contestant::Model { model, .. } => models.entry(model).or_default().push(row),
                Contestant::Benchmark(_) => {}
            }
        }
        let trials = |(model, rows): (&str, Vec<&Row>)| Self {
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

    /// What these trials tell.
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

    /// The trials as a sample from which something can be inferred.
    fn sample(&self) -> Result<Sample, Unknown> {
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
struct Sample {
    n: f64,
    mean: f64,
    variance: f64,
}

impl Sample {
    /// The standard error of the mean.
    fn error(&self) -> f64 {
        (self.variance / self.n).sqrt()
    }
}
