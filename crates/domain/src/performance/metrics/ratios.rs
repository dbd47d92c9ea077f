//! Metrics of a portfolio's own returns. Definitions and notation are those of the parent module.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::metric::{Metric, Undefined};
use super::statistics::{SESSIONS_PER_YEAR, annualized, mean, percentile, r_squared, spread};

/// `mean(excess) / sd(excess) * sqrt(252)`: W. F. Sharpe, "The Sharpe Ratio" (Journal of Portfolio Management 21,
/// 1994).
pub(super) fn sharpe(excess: &[f64]) -> Metric {
    let spread = spread(excess)?;
    if spread > 0.0 { Ok(annualized(mean(excess) / spread)) } else { Err(Undefined::NoSpread) }
}

/// `sqrt(mean(min(excess, 0)^2)) * sqrt(252)`, the mean over all days.
pub(super) fn downside_risk(excess: &[f64]) -> f64 {
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

/// The sum of gains over the sum of losses: C. Keating and W. F. Shadwick, "A Universal Performance Measure" (2002),
/// with the threshold 0.
pub(super) fn omega(returns: &[f64]) -> Metric {
    if returns.len() < 2 {
        return Err(Undefined::TooFewReturns);
    }
    let gains: f64 = returns.iter().map(|value| value.max(0.0)).sum();
    let losses: f64 = returns.iter().map(|value| value.min(0.0)).sum();
    if losses < 0.0 { Ok(gains / -losses) } else { Err(Undefined::NoLoss) }
}

/// The mean of the lowest 5 % of the returns, the conditional value at risk: R. T. Rockafellar and S. Uryasev,
/// "Optimization of Conditional Value-at-Risk" (Journal of Risk 2, 2000).
pub(super) fn cvar_5(returns: &[f64]) -> f64 {
    let mut sorted = returns.to_vec();
    sorted.sort_by(f64::total_cmp);
    let lowest = (returns.len().saturating_sub(1) as f64 * 0.05) as usize + 1;
    mean(&sorted[..lowest.min(sorted.len())])
}

/// `|95th percentile| / |5th percentile|`, as empyrical defines it.
pub(super) fn tail_ratio(returns: &[f64]) -> Metric {
    let (low, high) = (percentile(returns, 5.0).abs(), percentile(returns, 95.0).abs());
    if low > 0.0 { Ok(high / low) } else { Err(Undefined::NoLoss) }
}

/// `R^2` of a straight line through the cumulative log returns, as empyrical defines it.
pub(super) fn stability(returns: &[f64]) -> Metric {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = returns
        .iter()
        .map(|value| {
            sum += value.ln_1p();
            sum
        })
        .collect();
    r_squared(&cumulative)
}

pub(super) fn share_of_gains(returns: &[f64], of: usize) -> f64 {
    returns.iter().filter(|value| **value > 0.0).count() as f64 / of as f64
}

pub(super) fn win_rate_nonzero(returns: &[f64]) -> Metric {
    match returns.iter().filter(|value| **value != 0.0).count() {
        0 => Err(Undefined::NoSpread),
        moved => Ok(share_of_gains(returns, moved)),
    }
}

/// Dollars traded over the mean value of the portfolio.
pub(super) fn turnover(equity: &[f64], traded: Option<Decimal>) -> Metric {
    let traded = traded.and_then(|traded| traded.to_f64()).ok_or(Undefined::NoTradedAmount)?;
    match mean(equity) {
        _ if equity.is_empty() => Err(Undefined::TooFewReturns),
        worth if worth > 0.0 => Ok(traded / worth),
        _ => Err(Undefined::WorthNothing),
    }
}
