//! The metrics of a portfolio, computed from its values at the close of each session.
//!
//! Definitions are those of empyrical-reloaded 0.7.1, and every number agrees with it to 1e-9
//! (`testdata/metrics.json`). One thing differs: no metric is infinite; one that is undefined is `None` and has a
//! reason. `ratios` and `benchmark_ratios` name the publications behind the formulas. The arithmetic is binary floating
//! point: these are statistics, not money.
//!
//! Notation: `V_0` is the initial capital, `V_1..V_n` are the values after each session, `r_t = V_t / V_(t-1) - 1`,
//! `b_t` is the same of the benchmark, `rf` is the risk-free return of a session, and `sd` is the standard deviation
//! with `n - 1` in the denominator. A year has 252 sessions.

mod benchmark_ratios;
mod drawdown;
mod metric;
mod period;
mod ratios;
mod returns;
pub(crate) mod statistics;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use benchmark_ratios::ReturnPairs;
use metric::{Metric, finite};
use ratios::{
    cvar_5, downside_risk, omega, share_of_gains, sharpe, sortino, stability, tail_ratio, turnover,
    win_rate_nonzero,
};
use returns::{excess, floats, returns};
use statistics::{SESSIONS_PER_YEAR, annualized, percentile, spread};

pub use drawdown::Drawdown;
pub use metric::Undefined;
pub use period::{PeriodMetrics, period_metrics};

/// The input of the metrics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed<'a> {
    /// `V_0`, the initial capital, then the value after each session, in order.
    pub equity: &'a [Decimal],
    /// The dates of `equity`, for the drawdown; empty when they do not matter. The date of `V_0` is the
    /// session before the first.
    pub dates: &'a [NaiveDate],
    /// The benchmark's values at the same instants, of any scale.
    pub benchmark: Option<&'a [Decimal]>,
    /// Risk-free return of each session, as a fraction; 0 when risk-free returns do not matter.
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
    /// The dates of the largest drawdown; `None` without one or without dates.
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

/// Computes every metric that `observed` allows.
pub fn metrics(observed: &Observed<'_>) -> Metrics {
    let equity = floats(observed.equity);
    let returns = returns(&equity);
    let worth = Worth { equity: &equity, returns: returns.as_deref().map_err(|reason| *reason) };
    let rf = observed.daily_risk_free;
    let drawdown = worth.returns.ok().and_then(|_| drawdown::largest(&equity));
    let pairs = ReturnPairs::of(worth.returns, equity.len(), observed.benchmark);
    let against =
        |metric: &dyn Fn(&ReturnPairs) -> Metric| pairs.as_ref().map_err(|reason| *reason).and_then(metric);

    let mut reasons = BTreeMap::new();
    let mut keep = |name: &str, metric: Metric| match metric.and_then(finite) {
        Ok(value) => Some(value),
        Err(reason) => {
            reasons.insert(name.to_owned(), reason);
            None
        }
    };
    let mut metrics = Metrics {
        n_returns: worth.returns.map_or(0, <[f64]>::len),
        total_return: keep("total_return", worth.total_return()),
        annual_return: keep("annual_return", worth.annual_return()),
        volatility: keep("volatility", worth.returns.and_then(|r| Ok(annualized(spread(r)?)))),
        sharpe: keep("sharpe", worth.returns.and_then(|r| sharpe(&excess(r, rf)))),
        downside_risk: keep("downside_risk", worth.returns.map(|r| downside_risk(&excess(r, rf)))),
        sortino: keep("sortino", worth.returns.and_then(|r| sortino(&excess(r, rf)))),
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
        alpha: keep("alpha", against(&|pairs| pairs.alpha(rf))),
        beta: keep("beta", against(&ReturnPairs::beta)),
        information_ratio: keep("information_ratio", against(&ReturnPairs::information_ratio)),
        tracking_error: keep("tracking_error", against(&ReturnPairs::tracking_error)),
        correlation: keep("correlation", against(&ReturnPairs::correlation)),
        up_capture: keep("up_capture", against(&|pairs| pairs.capture(|b| b > 0.0))),
        down_capture: keep("down_capture", against(&|pairs| pairs.capture(|b| b < 0.0))),
        benchmark_total_return: keep("benchmark_total_return", against(&ReturnPairs::benchmark_total_return)),
        excess_total_return: keep("excess_total_return", against(&ReturnPairs::excess_total_return)),
        reasons: BTreeMap::new(),
    };
    metrics.reasons = reasons;
    metrics
}

/// The values of a portfolio and their returns, or why there are none.
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

#[cfg(test)]
mod tests;
