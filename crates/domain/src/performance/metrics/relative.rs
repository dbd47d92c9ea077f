//! Metrics against a benchmark.

use super::statistics::{SESSIONS_PER_YEAR, annualized, covariance, mean, spread};
use super::{Metric, Metrics, Observed, Undefined, floats, less, returns, sharpe};

/// Fills in the metrics that need `observed.benchmark`. `keep` notes why a metric has no value.
pub(super) fn against(
    metrics: &mut Metrics,
    observed: &Observed<'_>,
    own: Result<&[f64], Undefined>,
    keep: &mut impl FnMut(&str, Metric) -> Option<f64>,
) {
    let benchmark = match observed.benchmark {
        None => Err(Undefined::NoBenchmark),
        Some(values) if values.len() != observed.equity.len() => Err(Undefined::BenchmarkMismatch),
        Some(values) => own.and_then(|own| Ok((own.to_vec(), returns(&floats(values))?))),
    };
    let pair = benchmark.as_ref().map(|(r, b)| (r.as_slice(), b.as_slice())).map_err(|reason| *reason);
    let rf = observed.daily_risk_free;
    let excess = pair.map(|(r, b)| r.iter().zip(b).map(|(r, b)| r - b).collect::<Vec<_>>());

    let total = pair.map(|(_, b)| growth(b.iter().copied()) - 1.0);
    metrics.alpha = keep("alpha", pair.and_then(|(r, b)| alpha(&less(r, rf), &less(b, rf))));
    metrics.beta = keep("beta", pair.and_then(|(r, b)| beta(r, b)));
    metrics.information_ratio =
        keep("information_ratio", excess.as_ref().map_err(|reason| *reason).and_then(|x| sharpe(x)));
    metrics.tracking_error =
        keep("tracking_error", excess.and_then(|excess| Ok(annualized(spread(&excess)?))));
    metrics.correlation = keep("correlation", pair.and_then(|(r, b)| correlation(r, b)));
    metrics.up_capture = keep("up_capture", pair.and_then(|(r, b)| capture(r, b, |b| b > 0.0)));
    metrics.down_capture = keep("down_capture", pair.and_then(|(r, b)| capture(r, b, |b| b < 0.0)));
    metrics.benchmark_total_return = keep("benchmark_total_return", total);
    metrics.excess_total_return = keep(
        "excess_total_return",
        total.and_then(|total| Ok(own.map(|own| growth(own.iter().copied()) - 1.0)? - total)),
    );
}

fn growth(returns: impl Iterator<Item = f64>) -> f64 {
    returns.map(|value| 1.0 + value).product()
}

fn beta(own: &[f64], benchmark: &[f64]) -> Metric {
    let spread = spread(benchmark)?;
    if spread > 0.0 { Ok(covariance(own, benchmark) / spread.powi(2)) } else { Err(Undefined::FlatBenchmark) }
}

fn alpha(own: &[f64], benchmark: &[f64]) -> Metric {
    let beta = beta(own, benchmark)?;
    let daily = mean(&own.iter().zip(benchmark).map(|(r, b)| r - beta * b).collect::<Vec<_>>());
    Ok((1.0 + daily).powf(SESSIONS_PER_YEAR) - 1.0)
}

fn correlation(own: &[f64], benchmark: &[f64]) -> Metric {
    match (spread(own)?, spread(benchmark)?) {
        (_, b) if b <= 0.0 => Err(Undefined::FlatBenchmark),
        (r, _) if r <= 0.0 => Err(Undefined::NoSpread),
        (r, b) => Ok((covariance(own, benchmark) / (r * b)).clamp(-1.0, 1.0)),
    }
}

/// Annual returns over the days that `counts` by the benchmark's return, own over benchmark's.
fn capture(own: &[f64], benchmark: &[f64], counts: impl Fn(f64) -> bool) -> Metric {
    let days: Vec<_> = own.iter().zip(benchmark).filter(|(_, b)| counts(**b)).collect();
    if days.is_empty() {
        return Err(Undefined::FlatBenchmark);
    }
    let annual = |growth: f64| growth.powf(SESSIONS_PER_YEAR / days.len() as f64) - 1.0;
    Ok(annual(growth(days.iter().map(|(r, _)| **r))) / annual(growth(days.iter().map(|(_, b)| **b))))
}
