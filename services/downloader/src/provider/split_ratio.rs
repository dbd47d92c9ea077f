//! A split as whole shares: providers write 10:1 as `10.0` and 1:3 as `0.333333`.

use domain::market::corporate_action::Ratio;
use rust_decimal::Decimal;

/// The most shares before a split that are tried.
const MAX_BEFORE: u32 = 1_000;

/// The least whole numbers of shares whose ratio is `factor`, but for the digits that it lacks.
pub(super) fn split_ratio(factor: Decimal) -> Option<Ratio> {
    let tolerance = factor.checked_mul(Decimal::new(1, 5))?;
    let whole = |before: u32| {
        let before_shares = Decimal::from(before);
        let after = factor.checked_mul(before_shares)?;
        let rounded = after.round();
        let is_near = (after - rounded).abs() <= tolerance.checked_mul(before_shares)?;
        let after = u128::try_from(rounded.mantissa()).ok().filter(|shares| *shares > 0 && is_near)?;
        Ratio::reduced(before.into(), after)
    };
    (1..=MAX_BEFORE).find_map(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(factor: &str, expected: Option<(u32, u32)>) {
        let ratio = split_ratio(factor.parse().unwrap());

        assert_eq!(ratio.map(|ratio| (ratio.from().get(), ratio.to().get())), expected, "{factor}");
    }

    #[test]
    fn a_factor_is_a_ratio_of_whole_shares() {
        check("10", Some((1, 10)));
        check("1.5", Some((2, 3)));
        check("0.05", Some((20, 1)));
        check("0.333333", Some((3, 1)));
        check("1.004", Some((250, 251)));
        check("0", None);
        check("-2", None);
    }
}
