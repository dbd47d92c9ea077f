//! Numbers of JSON, digit by digit: a detour through binary floats would change prices.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::value::RawValue;

/// The decimal places that a price can have.
const PLACES: u32 = 10;

/// The number that a JSON value is, as a decimal with at most ten places; `None` when it is no number.
pub(super) fn decimal(value: &RawValue) -> Option<Decimal> {
    let text = value.get();
    let number = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .or_else(|_| text.parse::<Decimal>())
        .ok()?;
    Some(number.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointNearestEven).normalize())
}

/// The text of a price.
pub(super) fn price(value: Option<&RawValue>) -> Option<String> {
    Some(
        decimal(value?).map_or_else(
            || value.map(RawValue::get).unwrap_or_default().to_owned(),
            |number| number.to_string(),
        ),
    )
}

/// The text of a volume. Some providers count parts of shares, which are left out.
pub(super) fn volume(value: Option<&RawValue>) -> Option<String> {
    let value = value?;
    Some(
        decimal(value)
            .map_or_else(|| value.get().to_owned(), |number| number.trunc().normalize().to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected_price: &str, expected_volume: &str) {
        let value: Box<RawValue> = serde_json::from_str(json).unwrap();

        assert_eq!(price(Some(&value)).unwrap(), expected_price);
        assert_eq!(volume(Some(&value)).unwrap(), expected_volume);
    }

    #[test]
    fn every_digit_of_a_number_is_kept() {
        check("256.575", "256.575", "256");
        check("0.1000", "0.1", "0");
        check("4.2630239e+07", "42630239", "42630239");
        check("42630239.0", "42630239", "42630239");
        check("255.4499969482422", "255.4499969482", "255");
        check("255.44999694824218750000000000000001", "255.4499969482", "255");
    }

    #[test]
    fn what_is_no_number_is_no_price() {
        check("\"12\"", "\"12\"", "\"12\"");
        check("null", "null", "null");
    }
}
