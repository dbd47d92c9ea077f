//! Metrics of a portfolio's own returns. Definitions and notation are those of the parent module.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::metric::{Metric, Undefined};
use super::statistics::{SESSIONS_PER_YEAR, annualized, mean, spread};

/// `mean(excess) / sd(excess) * sqrt(252)`: W. F. Sharpe, "The Sharpe Ratio" (Journal of Portfolio Management 21,
/// 1994).
pub(super) fn sharpe(excess: &[f64]) -> Metric {
    let spread = spread(excess)?;
    if spread > 0.0 { Ok(annualized(mean(excess) / spread)) } else { Err(Undefined::NoSpread) }
}

/// `sqrt(mean(min(excess, 0)^2)) * sqrt(252)`, the mean over all days.
fn downside_risk(excess: &[f64]) -> f64 {
    let squares: Vec<_> = excess.iter().map(|value| value.min(0.0).powi(2)).collect();
    annualized(mean(&squares).sqrt())
}

/// `mean(excess) * 252 / downside_risk`: F. A. Sortino and L. N. Price, "Performance Measurement in a Downside Risk
/// Framework" (Journal of Investing 3, 1994).
pub(super) fn sortino(excess: &[f64]) -> Metric {
    let risk = downside_risk(excess);
    match excess.len() {
        0 | 1 => Err(Undefined::TooFewReturns),
        _ if risk > 0.0 => Ok(mean(excess) * SESSIONS_PER_YEAR / risk),
        _ => Err(Undefined::NoLoss),
    }
}

/// The lowest `V_t / max(V_0..V_t) - 1`. Values are above zero, except perhaps the last one.
pub(super) fn max_drawdown(equity: &[f64]) -> f64 {
    let mut high = f64::MIN;
    let fall = |value: &f64| {
        high = high.max(*value);
        value / high - 1.0
    };
    equity.iter().map(fall).fold(0.0, f64::min)
}

/// The share of days with a gain.
pub(super) fn win_rate(returns: &[f64]) -> f64 {
    returns.iter().filter(|value| **value > 0.0).count() as f64 / returns.len() as f64
}

/// Dollars traded over the mean value of the portfolio.
pub(super) fn turnover(equity: &[f64], traded: Decimal) -> Metric {
    let traded = traded.to_f64().ok_or(Undefined::TooLarge)?;
    match mean(equity) {
        _ if equity.is_empty() => Err(Undefined::TooFewReturns),
        worth if worth > 0.0 => Ok(traded / worth),
        _ => Err(Undefined::WorthNothing),
    }
}
