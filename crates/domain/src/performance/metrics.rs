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
mod metric;
mod period;
mod ratios;
mod returns;
pub(crate) mod statistics;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use benchmark_ratios::ReturnPairs;
use metric::{Metric, finite};
use ratios::{max_drawdown, sharpe, sortino, turnover, win_rate};
use returns::{excess, floats, returns};
use statistics::{SESSIONS_PER_YEAR, annualized, spread};

pub use metric::Undefined;
pub use period::{PeriodMetrics, period_metrics};

/// The input of the metrics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed<'a> {
    /// `V_0`, the initial capital, then the value after each session, in order.
    pub equity: &'a [Decimal],
    /// The benchmark's values at the same instants, of any scale.
    pub benchmark: Option<&'a [Decimal]>,
    /// Risk-free return of each session, as a fraction; 0 when risk-free returns do not matter.
    pub daily_risk_free: f64,
    /// Dollars bought plus dollars sold.
    pub traded: Decimal,
}

/// A portfolio's metrics; fractions, not percent. One that is `None` has a reason.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Metrics {
    /// `V_n / V_0 - 1`.
    pub total_return: Option<f64>,
    /// `(V_n / V_0)^(252 / n) - 1`. It is mostly noise when `n` is small.
    pub annual_return: Option<f64>,
    /// `sd(r) * sqrt(252)`.
    pub volatility: Option<f64>,
    /// `mean(r - rf) / sd(r - rf) * sqrt(252)`.
    pub sharpe: Option<f64>,
    /// `mean(r - rf) * 252 / downside_risk`.
    pub sortino: Option<f64>,
    /// The lowest `V_t / max(V_0..V_t) - 1`: 0 or less.
    pub max_drawdown: Option<f64>,
    /// `annual_return / |max_drawdown|`: T. W. Young, "Calmar Ratio: A Smoother Tool" (Futures, 1991).
    pub calmar: Option<f64>,
    /// Share of all days with `r > 0`.
    pub win_rate: Option<f64>,
    /// Dollars bought plus dollars sold, over the mean of `V_0..V_n`; not annualised. Buying or selling the whole
    /// portfolio once is 1.
    pub turnover: Option<f64>,
    /// `(1 + mean((r - rf) - beta * (b - rf)))^252 - 1`.
    pub alpha: Option<f64>,
    /// `cov(r, b) / var(b)`.
    pub beta: Option<f64>,
    /// `mean(r - b) / sd(r - b) * sqrt(252)`.
    pub information_ratio: Option<f64>,
    /// Why a metric is `None`, by its name.
    pub reasons: BTreeMap<&'static str, Undefined>,
}

/// Computes every metric that `observed` allows.
pub fn metrics(observed: &Observed<'_>) -> Metrics {
    let equity = floats(observed.equity);
    let returns = returns(&equity);
    let worth = Worth { equity: &equity, returns: returns.as_deref().map_err(|reason| *reason) };
    let rf = observed.daily_risk_free;
    let pairs = ReturnPairs::of(worth.returns, equity.len(), observed.benchmark);
    let pairs = pairs.as_ref().map_err(|reason| *reason);

    let mut reasons = BTreeMap::new();
    let mut keep = |name: &'static str, metric: Metric| match metric.and_then(finite) {
        Ok(value) => Some(value),
        Err(reason) => {
            reasons.insert(name, reason);
            None
        }
    };
    let metrics = Metrics {
        total_return: keep("total_return", worth.total_return()),
        annual_return: keep("annual_return", worth.annual_return()),
        volatility: keep("volatility", worth.returns.and_then(|r| Ok(annualized(spread(r)?)))),
        sharpe: keep("sharpe", worth.returns.and_then(|r| sharpe(&excess(r, rf)))),
        sortino: keep("sortino", worth.returns.and_then(|r| sortino(&excess(r, rf)))),
        max_drawdown: keep("max_drawdown", worth.max_drawdown()),
        calmar: keep("calmar", worth.calmar()),
        win_rate: keep("win_rate", worth.returns.map(win_rate)),
        turnover: keep("turnover", turnover(&equity, observed.traded)),
        alpha: keep("alpha", pairs.and_then(|pairs| pairs.alpha(rf))),
        beta: keep("beta", pairs.and_then(ReturnPairs::beta)),
        information_ratio: keep("information_ratio", pairs.and_then(ReturnPairs::information_ratio)),
        reasons: BTreeMap::new(),
    };
    Metrics { reasons, ..metrics }
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
        self.returns.map(|_| max_drawdown(self.equity))
    }

    fn calmar(&self) -> Metric {
        let (annual, drawdown) = (self.annual_return()?, self.max_drawdown()?);
        if drawdown < 0.0 { Ok(annual / drawdown.abs()) } else { Err(Undefined::NoDrawdown) }
    }
}

#[cfg(test)]
mod tests;
