//! Student's t-distribution, by the regularised incomplete beta function `I`
//! (NIST Digital Library of Mathematical Functions, 8.17).

use statrs::function::beta::{beta_reg, inv_beta_reg};

/// The chance that `|T|` is `t` or more, with `freedom` degrees of freedom: `I(x; freedom / 2, 1 / 2)` at
/// `x = freedom / (freedom + t^2)`. `freedom` is above 0 and need not be whole.
pub(super) fn two_sided(t: f64, freedom: f64) -> f64 {
    beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The quantile of `p`: `T` is below it with the chance `p`, which is at least 1/2 and less than 1.
pub(super) fn quantile(p: f64, freedom: f64) -> f64 {
    let x = inv_beta_reg(freedom / 2.0, 0.5, 2.0 * (1.0 - p));
    (freedom * (1.0 - x) / x).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{value} is not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // The published three digits (NIST e-Handbook, 1.3.6.7.2), continued by arithmetic of 30 digits.
        close(quantile(0.975, 1.0), 12.706_204_736_174_7);
        close(quantile(0.975, 2.0), 4.302_652_729_749_464);
        close(quantile(0.975, 3.0), 3.182_446_305_283_71);
        close(quantile(0.975, 4.0), 2.776_445_105_197_794);
        close(quantile(0.975, 9.0), 2.262_157_162_798_206);
        close(quantile(0.975, 30.0), 2.042_272_456_301_238);
        close(quantile(0.975, 99.0), 1.984_216_951_586_417);
        close(quantile(0.975, 1000.0), 1.962_339_080_826_408);
    }

    #[test]
    fn with_one_and_two_degrees_of_freedom_the_closed_forms_hold() {
        close(quantile(0.975, 1.0), (std::f64::consts::PI * 0.475).tan());
        close(quantile(0.975, 2.0), 0.95 * (2.0_f64 / (1.0 - 0.95 * 0.95)).sqrt());
        close(two_sided(2.0, 1.0), 1.0 - 2.0 * 2.0_f64.atan() / std::f64::consts::PI);
        close(two_sided(2.0, 2.0), 1.0 - 2.0 / (2.0_f64 + 4.0).sqrt());
    }

    #[test]
    fn chances_are_known_for_broken_degrees_of_freedom_and_far_tails() {
        close(two_sided(1.5, 4.7), 0.197_541_500_862_797_8);
        close(two_sided(-0.1, 30.0), 0.921_009_611_790_271_2);
        assert!((two_sided(12.0, 7.0) / 6.358_310_378_185_1e-6 - 1.0).abs() < 1e-9);
        close(two_sided(0.0, 5.0), 1.0);
    }
}
