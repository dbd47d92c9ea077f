//! Statistical significance: the uncertainty of a model's mean return over its trials, and which models differ.
//!
//! The trials of a model are independent runs, so that their returns are a sample. Formulas are those of the
//! NIST/SEMATECH e-Handbook of Statistical Methods: the confidence interval of a mean (section 1.3.5.2) and Welch's
//! two-sample t-test for unequal variances (section 1.3.5.3). The correction for many comparisons is S. Holm's
//! step-down (Scandinavian Journal of Statistics 6, 1979). The arithmetic is binary floating point: these are
//! statistics, not money.

mod comparison;
mod student;
#[cfg(test)]
mod tests;
mod trials;

pub use comparison::{Comparison, SIGNIFICANCE, Verdict, comparisons};
pub use trials::{Interval, LEVEL, Summary, Trials, Unknown};
