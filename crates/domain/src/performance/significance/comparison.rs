//! Pairs of models: whether their trials show that they differ.

use super::student;
use super::trials::{Sample, Trials, Unknown};

/// The significance level. Two models count as different when their adjusted p-value is below it: the chance of one or
/// more false differences in the whole table is then below this level.
pub const SIGNIFICANCE: f64 = 0.05;

/// Two models side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// One model.
    pub a: String,
    /// The other model.
    pub b: String,
    /// Mean return of `a` less that of `b`, a fraction.
    pub difference: Result<f64, Unknown>,
    /// The result of the test.
    pub verdict: Result<Verdict, Unknown>,
}

/// The result of the test of equal means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The chance of a difference at least as large, in either direction, if both models had the same mean.
    pub p_value: f64,
    /// The p-value after Holm's correction over all pairs that could be tested.
    pub p_adjusted: f64,
}

impl Verdict {
    /// Whether the two models differ significantly.
    pub fn distinguishable(&self) -> bool {
        self.p_adjusted < SIGNIFICANCE
    }
}

/// Every pair of models of which at least one has several trials, in the order of `models`.
pub fn comparisons(models: &[Trials]) -> Vec<Comparison> {
    let pairs = models.iter().enumerate().flat_map(|(place, a)| {
        models.iter().skip(place + 1).filter(|b| a.count > 1 || b.count > 1).map(move |b| (a, b))
    });
    let tested: Vec<_> = pairs.map(|(a, b)| (a, b, p_value(a, b))).collect();
    let p_values: Vec<f64> = tested.iter().filter_map(|(_, _, p_value)| p_value.ok()).collect();
    let mut adjusted = holm(&p_values).into_iter();
    tested
        .into_iter()
        .map(|(a, b, p_value)| Comparison {
            a: a.model.clone(),
            b: b.model.clone(),
            difference: a.summary().mean.and_then(|mean| Ok(mean - b.summary().mean?)),
            verdict: p_value.map(|p_value| {
                let p_adjusted = adjusted.next().unwrap_or(1.0);
                Verdict { p_value, p_adjusted }
            }),
        })
        .collect()
}

/// The p-value of Welch's test of equal means.
fn p_value(a: &Trials, b: &Trials) -> Result<f64, Unknown> {
    let samples = (a.sample()?, b.sample()?);
    if a.dates == b.dates { Ok(welch(samples.0, samples.1)) } else { Err(Unknown::OtherDates) }
}

/// Welch's t-test (NIST/SEMATECH e-Handbook, section 1.3.5.3): `t = (mean_a - mean_b) / sqrt(e_a + e_b)`, where `e` is
/// a sample's variance over its size; its degrees of freedom are those of Welch and Satterthwaite, `(e_a + e_b)^2 /
/// (e_a^2 / (n_a - 1) + e_b^2 / (n_b - 1))`.
fn welch(a: Sample, b: Sample) -> f64 {
    let (error_a, error_b) = (a.variance / a.n, b.variance / b.n);
    let error = error_a + error_b;
    // Shares of the error keep the squares of small variances from underflowing to zero.
    let (share_a, share_b) = (error_a / error, error_b / error);
    let freedom = 1.0 / (share_a.powi(2) / (a.n - 1.0) + share_b.powi(2) / (b.n - 1.0));
    student::two_sided((a.mean - b.mean) / error.sqrt(), freedom)
}

/// Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979): with `m` values in rising order, the `i`th
/// from 0 becomes `m - i` times as large, but not below the one before it and not above 1. The result is in the order
/// of `p_values`.
pub(super) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..p_values.len()).collect();
    places.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor = 0.0_f64;
    for (rank, place) in places.into_iter().enumerate() {
        floor = floor.max((p_values[place] * (p_values.len() - rank) as f64).min(1.0));
        adjusted[place] = floor;
    }
    adjusted
}
