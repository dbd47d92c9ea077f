//! Statistics of samples, protected against rounding noise: equal values have a deviation of exactly zero.

use super::metric::{Metric, Undefined};

pub(super) const SESSIONS_PER_YEAR: f64 = 252.0;

/// The rounding noise of a return is a few units in the last place of `1 + r`. A real deviation is far above it.
const NOISE: f64 = 1e-14;

/// A daily deviation or ratio scaled to a year, by the square root of time.
pub(super) fn annualized(daily: f64) -> f64 {
    daily * SESSIONS_PER_YEAR.sqrt()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sample standard deviation, with `n - 1` in the denominator. It is exactly zero when the values differ by rounding
/// noise only; the plain formula would give a tiny number, and ratios of 1e16.
pub(crate) fn spread(values: &[f64]) -> Metric {
    if values.len() < 2 {
        return Err(Undefined::TooFewReturns);
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (values.len() - 1) as f64).sqrt();
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    Ok(if deviation <= NOISE * (1.0 + largest) { 0.0 } else { deviation })
}

/// Sample covariance, with `n - 1` in the denominator, of two samples of equal size.
pub(super) fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    products / (a.len() as f64 - 1.0)
}
