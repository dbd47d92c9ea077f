//! Metrics of a portfolio against a benchmark. Definitions and notation are those of the parent module.

use rust_decimal::Decimal;

use super::metric::{Metric, Undefined};
use super::ratios::sharpe;
use super::returns::{excess, floats, returns};
use super::statistics::{SESSIONS_PER_YEAR, covariance, mean, spread};

/// The returns of a portfolio and of its benchmark on the same sessions.
pub(super) struct ReturnPairs {
    own: Vec<f64>,
    benchmark: Vec<f64>,
}

impl ReturnPairs {
    /// Pairs the returns `own` with those of `benchmark`, which has as many values as the portfolio: one more than
    /// returns.
    pub(super) fn of(
        own: Result<&[f64], Undefined>,
        values: usize,
        benchmark: Option<&[Decimal]>,
    ) -> Result<Self, Undefined> {
        match benchmark {
            None => Err(Undefined::NoBenchmark),
            Some(benchmark) if benchmark.len() != values => Err(Undefined::BenchmarkMismatch),
            Some(benchmark) => Ok(Self { own: own?.to_vec(), benchmark: returns(&floats(benchmark))? }),
        }
    }

    /// `(1 + mean((r - rf) - beta * (b - rf)))^252 - 1`: M. C. Jensen, "The Performance of Mutual Funds in the Period
    /// 1945-1964" (Journal of Finance 23, 1968).
    pub(super) fn alpha(&self, daily_risk_free: f64) -> Metric {
        let (own, benchmark) = (excess(&self.own, daily_risk_free), excess(&self.benchmark, daily_risk_free));
        let beta = beta(&own, &benchmark)?;
        let daily = mean(&own.iter().zip(&benchmark).map(|(r, b)| r - beta * b).collect::<Vec<_>>());
        Ok((1.0 + daily).powf(SESSIONS_PER_YEAR) - 1.0)
    }

    /// `cov(r, b) / var(b)`: W. F. Sharpe, "Capital Asset Prices" (Journal of Finance 19, 1964).
    pub(super) fn beta(&self) -> Metric {
        beta(&self.own, &self.benchmark)
    }

    /// `mean(r - b) / sd(r - b) * sqrt(252)`: T. H. Goodwin, "The Information Ratio" (Financial Analysts Journal 54,
    /// 1998).
    pub(super) fn information_ratio(&self) -> Metric {
        let differences: Vec<f64> = self.own.iter().zip(&self.benchmark).map(|(r, b)| r - b).collect();
        sharpe(&differences)
    }
}

fn beta(own: &[f64], benchmark: &[f64]) -> Metric {
    let spread = spread(benchmark)?;
    if spread > 0.0 { Ok(covariance(own, benchmark) / spread.powi(2)) } else { Err(Undefined::FlatBenchmark) }
}
