//! Textbook statistics that do not take rounding noise for a spread.

use super::{Metric, Undefined};

pub(super) const SESSIONS_PER_YEAR: f64 = 252.0;

/// Noise of a return is a few units of the last place of `1 + r`; a real spread is far above it.
const NOISE: f64 = 1e-14;

pub(super) fn annualized(daily: f64) -> f64 {
    daily * SESSIONS_PER_YEAR.sqrt()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation with `n - 1` in the denominator; exactly zero when the values are equal but for
/// rounding, where the naive formula would give a tiny number and ratios of 1e16.
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

/// Covariance with `n - 1` in the denominator, of equally many values.
pub(super) fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    products / (a.len() as f64 - 1.0)
}

/// The value below which `percent` of the values lie, linearly interpolated as numpy does.
pub(super) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = percent / 100.0 * (sorted.len() as f64 - 1.0);
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * place.fract()
}

/// How much of the variance of `values` a straight line through them explains.
pub(super) fn r_squared(values: &[f64]) -> Metric {
    let steps: Vec<f64> = (0..values.len()).map(|step| step as f64).collect();
    let spread = spread(values)?;
    if spread > 0.0 {
        Ok((covariance(&steps, values) / (self::spread(&steps)? * spread)).powi(2))
    } else {
        Err(Undefined::NoSpread)
    }
}
