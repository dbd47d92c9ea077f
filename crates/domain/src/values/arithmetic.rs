//! Decimal arithmetic: exact operations, which return `None` where `Decimal` would round or overflow, and the one way
//! in which amounts are rounded on purpose.

use rust_decimal::{Decimal, RoundingStrategy};

/// `a + b` without trailing zeros; `None` when it needs more than 28 digits.
pub(crate) fn exact_sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let sum = a.checked_add(b)?;
    (sum.scale() >= a.scale().max(b.scale())).then(|| sum.normalize())
}

/// `a - b` without trailing zeros; `None` when it needs more than 28 digits.
pub(crate) fn exact_difference(a: Decimal, b: Decimal) -> Option<Decimal> {
    exact_sum(a, -b)
}

/// `a * b` without trailing zeros; `None` when it needs more than 28 digits.
pub(crate) fn exact_product(a: Decimal, b: Decimal) -> Option<Decimal> {
    if a.is_zero() || b.is_zero() {
        return Some(Decimal::ZERO);
    }
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    (product.scale() == a.scale() + b.scale()).then(|| product.normalize())
}

/// `value` rounded half-even (banker's rounding) to `places`, without trailing zeros.
pub(crate) fn half_even(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn what_fits_is_exact_and_without_trailing_zeros() {
        assert_eq!(exact_sum(decimal("0.50"), decimal("0.50")).unwrap().to_string(), "1");
        assert_eq!(exact_difference(decimal("0.3"), decimal("0.3")).unwrap().to_string(), "0");
        assert_eq!(exact_product(decimal("33.3333"), decimal("3")).unwrap().to_string(), "99.9999");
        assert_eq!(exact_product(decimal("0.00"), Decimal::MAX), Some(Decimal::ZERO));
    }

    #[test]
    fn what_would_be_rounded_or_overflow_is_none() {
        let large = decimal("70000000000000000000000000000");
        assert_eq!(exact_sum(large, decimal("0.1")), None);
        assert_eq!(exact_sum(large, large), None);
        assert_eq!(
            exact_difference(decimal("1"), decimal("70000000000000000000000000000"))
                .map(|d| d < Decimal::ZERO),
            Some(true)
        );
        assert_eq!(exact_product(decimal("99999999999999.9999999999"), Decimal::from(u64::MAX)), None);
        assert_eq!(exact_product(large, decimal("10")), None);
        assert_eq!(exact_product(decimal("12345678901234.1234567891"), decimal("1234567")), None);
    }
}
