//! The returns of a series of values.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::metric::Undefined;

pub(super) fn floats(values: &[Decimal]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect()
}

/// The returns `r_1..r_n` of the values `V_0..V_n`; there is at least one.
pub(super) fn returns(equity: &[f64]) -> Result<Vec<f64>, Undefined> {
    match equity.split_last() {
        None | Some((_, [])) => Err(Undefined::TooFewReturns),
        Some((_, before)) if before.iter().any(|value| *value <= 0.0) => Err(Undefined::WorthNothing),
        Some(_) => Ok(equity.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()),
    }
}

/// The returns above `rate`, the return of each session without risk.
pub(super) fn excess(returns: &[f64], rate: f64) -> Vec<f64> {
    returns.iter().map(|value| value - rate).collect()
}
