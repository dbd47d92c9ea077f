//! Models over their trials, and pairs of models, as responses show them.

use std::collections::BTreeMap;

use domain::performance::significance::{
    Comparison, Interval, LEVEL, SIGNIFICANCE, Summary, Trials, Unknown,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A model over its trials; figures are fractions. An undefined figure is null, and `reasons` says why.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelTrials)]
pub(super) struct ModelDetail {
    model: String,
    trials: usize,
    mean_return: Option<f64>,
    std_dev: Option<f64>,
    interval: Option<IntervalDetail>,
    reasons: BTreeMap<&'static str, String>,
}

/// Confidence interval of the mean, with this level.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfidenceInterval)]
struct IntervalDetail {
    low: f64,
    high: f64,
    level: f64,
}

/// Whether the returns of two models differ significantly. The p-values are null together with `distinguishable`.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelComparison)]
pub(super) struct ComparisonDetail {
    a: String,
    b: String,
    /// Mean return of `a` minus that of `b`.
    difference: Option<f64>,
    /// P-value of Welch's test, two-sided.
    p_value: Option<f64>,
    /// The same after Holm's correction over all tested pairs; this one decides.
    p_adjusted: Option<f64>,
    significance: f64,
    distinguishable: Option<bool>,
    reason: Option<String>,
}

impl From<Interval> for IntervalDetail {
    fn from(Interval { low, high }: Interval) -> Self {
        Self { low, high, level: LEVEL }
    }
}

impl From<&Trials> for ModelDetail {
    fn from(trials: &Trials) -> Self {
        let Summary { mean, deviation, interval } = trials.summary();
        let missing =
            [("mean_return", mean.err()), ("std_dev", deviation.err()), ("interval", interval.err())];
        Self {
            model: trials.model.clone(),
            trials: trials.count,
            mean_return: mean.ok(),
            std_dev: deviation.ok(),
            interval: interval.ok().map(Into::into),
            reasons: missing
                .into_iter()
                .filter_map(|(name, reason): (_, Option<Unknown>)| Some((name, reason?.to_string())))
                .collect(),
        }
    }
}

impl From<Comparison> for ComparisonDetail {
    fn from(pair: Comparison) -> Self {
        let verdict = pair.verdict.ok();
        Self {
            a: pair.a,
            b: pair.b,
            difference: pair.difference.ok(),
            p_value: verdict.map(|verdict| verdict.p_value),
            p_adjusted: verdict.map(|verdict| verdict.p_adjusted),
            significance: SIGNIFICANCE,
            distinguishable: verdict.map(|verdict| verdict.distinguishable()),
            reason: pair.verdict.err().map(|reason| reason.to_string()),
        }
    }
}
