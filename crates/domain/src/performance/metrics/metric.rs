//! The value of a metric, or the reason why it has none.

use std::fmt;

/// A metric, or why it has no value.
pub(crate) type Metric = Result<f64, Undefined>;

/// Why a metric has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub enum Undefined {
    /// There are too few returns: a deviation needs two, everything else one.
    TooFewReturns,
    /// All returns are equal; the divisor is zero.
    NoSpread,
    /// No return is below the threshold; the divisor is zero.
    NoLoss,
    /// The value never fell below an earlier one; the divisor is zero.
    NoDrawdown,
    /// The portfolio's value was zero or less; no return can follow.
    WorthNothing,
    /// There is no benchmark.
    NoBenchmark,
    /// The benchmark and the portfolio have different numbers of values.
    BenchmarkMismatch,
    /// The benchmark's returns are all equal; the divisor is zero.
    FlatBenchmark,
    /// The number is too large for a float, as the annual return of one very good day may be.
    TooLarge,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFewReturns => "too few returns",
            Self::NoSpread => "all returns are equal",
            Self::NoLoss => "no day with a loss",
            Self::NoDrawdown => "no drawdown",
            Self::WorthNothing => "the portfolio was worth nothing",
            Self::NoBenchmark => "no benchmark",
            Self::BenchmarkMismatch => "the benchmark covers other days",
            Self::FlatBenchmark => "the benchmark did not move",
            Self::TooLarge => "too large",
        })
    }
}

/// `value` unless it is infinite or not a number.
pub(super) fn finite(value: f64) -> Metric {
    if value.is_finite() { Ok(value) } else { Err(Undefined::TooLarge) }
}
