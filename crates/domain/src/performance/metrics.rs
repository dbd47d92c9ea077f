//! How well a portfolio did, from its values at the close of each session.
//!
//! Definitions are those of empyrical-reloaded 0.7.1, with which every number agrees to 1e-9
//! (`testdata/metrics.json`), except that nothing is ever infinite: what is undefined is `None` with a
//! reason. Inside are binary floats: these are statistics, not money.
//!
//! Notation: `V_0` is the initial capital, `V_1..V_n` the values after each session,
//! `r_t = V_t / V_(t-1) - 1`, `b_t` the same of the benchmark, `sd` the standard deviation with `n - 1`
//! in the denominator. A year has 252 sessions.

mod drawdown;
mod period;
mod relative;
pub(crate) mod statistics;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

pub use drawdown::Drawdown;
pub use period::{PeriodMetrics, period_metrics};
use statistics::{SESSIONS_PER_YEAR, annualized, mean, percentile, r_squared, spread};

/// Why a metric has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// There are not enough returns: two are needed for a spread, one for everything else.
    TooFewReturns,
    /// All returns are equal, so that the divisor is zero.
    NoSpread,
    /// No return is below the threshold, so that the divisor is zero.
    NoLoss,
    /// The value never fell below an earlier one, so that the divisor is zero.
    NoDrawdown,
    /// The portfolio's value was zero or less, so that no return can follow.
    WorthNothing,
    /// There is no benchmark.
    NoBenchmark,
    /// The benchmark has not one value for each of the portfolio's.
    BenchmarkMismatch,
    /// The benchmark's returns are all equal, or none has the direction in question.
    FlatBenchmark,
    /// The traded amount was not given.
    NoTradedAmount,
    /// The number is beyond what can be represented, as an annual return of a very good day may be.
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
            Self::NoTradedAmount => "the traded amount is unknown",
            Self::TooLarge => "too large",
        })
    }
}

/// What metrics are computed from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed<'a> {
    /// `V_0`, the initial capital, then the value after each session, in order.
    pub equity: &'a [Decimal],
    /// The dates of `equity`, for the drawdown; empty when they do not matter. The date of `V_0` is the
    /// session before the first.
    pub dates: &'a [NaiveDate],
    /// The benchmark's values at the same instants, of any scale.
    pub benchmark: Option<&'a [Decimal]>,
    /// What cash earns each session, as a fraction; it is 0 when the question is not asked.
    pub daily_risk_free: f64,
    /// Dollars bought plus dollars sold.
    pub traded: Option<Decimal>,
}

/// A portfolio's metrics; fractions, not percent. `None` has its reason in `reasons`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// How many returns there are: `n`.
    pub n_returns: usize,
    /// `V_n / V_0 - 1`.
    pub total_return: Option<f64>,
    /// `(V_n / V_0)^(252 / n) - 1`. Noise when `n` is small.
    pub annual_return: Option<f64>,
    /// `sd(r) * sqrt(252)`.
    pub volatility: Option<f64>,
    /// `mean(r - rf) / sd(r - rf) * sqrt(252)`.
    pub sharpe: Option<f64>,
    /// `sqrt(mean(min(r - rf, 0)^2)) * sqrt(252)`, the mean over all `n` days.
    pub downside_risk: Option<f64>,
    /// `mean(r - rf) * 252 / downside_risk`.
    pub sortino: Option<f64>,
    /// The lowest `V_t / max(V_0..V_t) - 1`: 0 or less.
    pub max_drawdown: Option<f64>,
    /// When the largest drawdown began, was deepest, and was made good; `None` without one or without dates.
    pub drawdown: Option<Drawdown>,
    /// `annual_return / |max_drawdown|`.
    pub calmar: Option<f64>,
    /// Sum of gains over sum of losses, of two or more returns.
    pub omega: Option<f64>,
    /// The 5th percentile of `r`, linearly interpolated.
    pub value_at_risk_5: Option<f64>,
    /// The mean of the `floor((n - 1) * 0.05) + 1` lowest `r`.
    pub cvar_5: Option<f64>,
    /// `|95th percentile| / |5th percentile|` of `r`.
    pub tail_ratio: Option<f64>,
    /// `R^2` of a straight line through the cumulative log returns.
    pub stability: Option<f64>,
    /// Share of all days with `r > 0`.
    pub win_rate: Option<f64>,
    /// Share of the days with `r != 0` that have `r > 0`.
    pub win_rate_nonzero: Option<f64>,
    /// The highest `r`.
    pub best_day: Option<f64>,
    /// The lowest `r`.
    pub worst_day: Option<f64>,
    /// Dollars bought plus dollars sold, over the mean of `V_0..V_n`: 1 is the portfolio's worth traded
    /// once, in one direction. Not annualised.
    pub turnover: Option<f64>,
    /// `(1 + mean((r - rf) - beta * (b - rf)))^252 - 1`.
    pub alpha: Option<f64>,
    /// `cov(r, b) / var(b)`.
    pub beta: Option<f64>,
    /// `mean(r - b) / sd(r - b) * sqrt(252)`.
    pub information_ratio: Option<f64>,
    /// `sd(r - b) * sqrt(252)`.
    pub tracking_error: Option<f64>,
    /// Pearson's correlation of `r` and `b`.
    pub correlation: Option<f64>,
    /// Annual return over the days with `b > 0`, over the benchmark's on the same days.
    pub up_capture: Option<f64>,
    /// Annual return over the days with `b < 0`, over the benchmark's on the same days.
    pub down_capture: Option<f64>,
    /// The benchmark's total return.
    pub benchmark_total_return: Option<f64>,
    /// `total_return - benchmark_total_return`.
    pub excess_total_return: Option<f64>,
    /// Why each metric that is `None` is, by the metric's name.
    pub reasons: BTreeMap<String, Undefined>,
}

/// A metric, or why it has no value.
type Metric = Result<f64, Undefined>;

/// Computes every metric that `observed` allows.
pub fn metrics(observed: &Observed<'_>) -> Metrics {
    let equity = floats(observed.equity);
    let returns = returns(&equity);
    let known = returns.as_ref().map_or(&[][..], Vec::as_slice);
    let worth = Worth { equity: &equity, returns: returns.as_deref().map_err(|reason| *reason) };
    let rf = observed.daily_risk_free;
    let drawdown = worth.returns.ok().and_then(|_| drawdown::largest(&equity));

    let mut reasons = BTreeMap::new();
    let mut keep = |name: &str, metric: Metric| match metric.and_then(finite) {
        Ok(value) => Some(value),
        Err(reason) => {
            reasons.insert(name.to_owned(), reason);
            None
        }
    };
    let mut metrics = Metrics {
        n_returns: known.len(),
        total_return: keep("total_return", worth.total_return()),
        annual_return: keep("annual_return", worth.annual_return()),
        volatility: keep("volatility", worth.returns.and_then(|r| Ok(annualized(spread(r)?)))),
        sharpe: keep("sharpe", worth.returns.and_then(|r| sharpe(&less(r, rf)))),
        downside_risk: keep("downside_risk", worth.returns.map(|r| downside_risk(&less(r, rf)))),
        sortino: keep("sortino", worth.returns.and_then(|r| sortino(&less(r, rf)))),
        max_drawdown: keep("max_drawdown", worth.max_drawdown()),
        drawdown: drawdown.and_then(|drawdown| drawdown.dated(observed.dates)),
        calmar: keep("calmar", worth.calmar()),
        omega: keep("omega", worth.returns.and_then(omega)),
        value_at_risk_5: keep("value_at_risk_5", worth.returns.map(|r| percentile(r, 5.0))),
        cvar_5: keep("cvar_5", worth.returns.map(cvar_5)),
        tail_ratio: keep("tail_ratio", worth.returns.and_then(tail_ratio)),
        stability: keep("stability", worth.returns.and_then(stability)),
        win_rate: keep("win_rate", worth.returns.map(|r| share_of_gains(r, r.len()))),
        win_rate_nonzero: keep("win_rate_nonzero", worth.returns.and_then(win_rate_nonzero)),
        best_day: keep("best_day", worth.returns.map(|r| r.iter().copied().fold(f64::MIN, f64::max))),
        worst_day: keep("worst_day", worth.returns.map(|r| r.iter().copied().fold(f64::MAX, f64::min))),
        turnover: keep("turnover", turnover(&equity, observed.traded)),
        ..Metrics::default()
    };
    relative::against(&mut metrics, observed, worth.returns, &mut keep);
    metrics.reasons = reasons;
    metrics
}

/// Values and, unless there are none, their returns.
struct Worth<'a> {
    equity: &'a [f64],
    returns: Result<&'a [f64], Undefined>,
}

impl Worth<'_> {
    /// `V_n / V_0`.
    fn growth(&self) -> Metric {
        self.returns?;
        match (self.equity.first(), self.equity.last()) {
            (Some(first), Some(last)) => Ok(last / first),
            _ => Err(Undefined::TooFewReturns),
        }
    }

    fn total_return(&self) -> Metric {
        Ok(self.growth()? - 1.0)
    }

    fn annual_return(&self) -> Metric {
        finite(self.growth()?.powf(SESSIONS_PER_YEAR / self.returns?.len() as f64) - 1.0)
    }

    fn max_drawdown(&self) -> Metric {
        self.returns?;
        Ok(drawdown::largest(self.equity).map_or(0.0, |drawdown| drawdown.depth))
    }

    fn calmar(&self) -> Metric {
        let annual = self.annual_return()?;
        let drawdown = drawdown::largest(self.equity).ok_or(Undefined::NoDrawdown)?;
        Ok(annual / drawdown.depth.abs())
    }
}

fn floats(values: &[Decimal]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect()
}

/// `r_1..r_n`; at least one.
fn returns(equity: &[f64]) -> Result<Vec<f64>, Undefined> {
    match equity.split_last() {
        None | Some((_, [])) => Err(Undefined::TooFewReturns),
        Some((_, before)) if before.iter().any(|value| *value <= 0.0) => Err(Undefined::WorthNothing),
        Some(_) => Ok(equity.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()),
    }
}

fn finite(value: f64) -> Metric {
    if value.is_finite() { Ok(value) } else { Err(Undefined::TooLarge) }
}

fn less(values: &[f64], each: f64) -> Vec<f64> {
    values.iter().map(|value| value - each).collect()
}

fn sharpe(excess: &[f64]) -> Metric {
    let spread = spread(excess)?;
    if spread > 0.0 { Ok(annualized(mean(excess) / spread)) } else { Err(Undefined::NoSpread) }
}

fn downside_risk(excess: &[f64]) -> f64 {
    let squares: Vec<_> = excess.iter().map(|value| value.min(0.0).powi(2)).collect();
    annualized(mean(&squares).sqrt())
}

fn sortino(excess: &[f64]) -> Metric {
    let risk = downside_risk(excess);
    match excess.len() {
        0 | 1 => Err(Undefined::TooFewReturns),
        _ if risk > 0.0 => Ok(mean(excess) * SESSIONS_PER_YEAR / risk),
        _ => Err(Undefined::NoLoss),
    }
}

fn omega(returns: &[f64]) -> Metric {
    if returns.len() < 2 {
        return Err(Undefined::TooFewReturns);
    }
    let gains: f64 = returns.iter().map(|value| value.max(0.0)).sum();
    let losses: f64 = returns.iter().map(|value| value.min(0.0)).sum();
    if losses < 0.0 { Ok(gains / -losses) } else { Err(Undefined::NoLoss) }
}

fn cvar_5(returns: &[f64]) -> f64 {
    let mut sorted = returns.to_vec();
    sorted.sort_by(f64::total_cmp);
    let lowest = (returns.len().saturating_sub(1) as f64 * 0.05) as usize + 1;
    mean(&sorted[..lowest.min(sorted.len())])
}

fn tail_ratio(returns: &[f64]) -> Metric {
    let (low, high) = (percentile(returns, 5.0).abs(), percentile(returns, 95.0).abs());
    if low > 0.0 { Ok(high / low) } else { Err(Undefined::NoLoss) }
}

fn stability(returns: &[f64]) -> Metric {
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

fn share_of_gains(returns: &[f64], of: usize) -> f64 {
    returns.iter().filter(|value| **value > 0.0).count() as f64 / of as f64
}

fn win_rate_nonzero(returns: &[f64]) -> Metric {
    match returns.iter().filter(|value| **value != 0.0).count() {
        0 => Err(Undefined::NoSpread),
        moved => Ok(share_of_gains(returns, moved)),
    }
}

fn turnover(equity: &[f64], traded: Option<Decimal>) -> Metric {
    let traded = traded.and_then(|traded| traded.to_f64()).ok_or(Undefined::NoTradedAmount)?;
    match mean(equity) {
        _ if equity.is_empty() => Err(Undefined::TooFewReturns),
        worth if worth > 0.0 => Ok(traded / worth),
        _ => Err(Undefined::WorthNothing),
    }
}

#[cfg(test)]
mod tests;
