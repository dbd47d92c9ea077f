//! Decimal numbers as agents and endpoints write them, read without losing a digit.

use rust_decimal::Decimal;

use crate::values::arithmetic::exact_product;

/// The number that `text` writes, exponents included; `None` when it is none or has more than 28 digits.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let digits = Decimal::from_str_exact(digits).ok()?;
    exact_product(digits, power_of_ten(exponent)?)
}

fn power_of_ten(exponent: i32) -> Option<Decimal> {
    let places = exponent.unsigned_abs();
    if exponent < 0 {
        return Decimal::try_from_i128_with_scale(1, places).ok();
    }
    10_i128.checked_pow(places).and_then(|power| Decimal::try_from_i128_with_scale(power, 0).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(decimal(text).map(|value| value.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_number_is_read_exactly_or_not_at_all() {
        check("0.1", Some("0.1"));
        check("-12345678901234567.89", Some("-12345678901234567.89"));
        check("1.5e3", Some("1500"));
        check("9.5E-4", Some("0.00095"));
        check("1e-40", None);
        check("1e99999999999", None);
        check("1e40", None);
        check("0.12345678901234567890123456789012", None);
        check("ten", None);
        check("", None);
    }
}
