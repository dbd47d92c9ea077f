//! Decimals as JSON numbers, digit by digit: 0.1 is written `0.1`, never as its nearest binary float.

use rust_decimal::Decimal;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An exact decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.normalize().to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Number);
        number.description(Some("An exact decimal, written digit by digit.")).into()
    }
}

impl ToSchema for Number {}

impl From<Decimal> for Number {
    fn from(amount: Decimal) -> Self {
        Self(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        serde_json::to_string(&Number(text.parse().unwrap())).unwrap()
    }

    #[test]
    fn amounts_are_written_with_the_digits_they_have() {
        assert_eq!(written("0.1"), "0.1");
        assert_eq!(written("10000.00"), "10000");
        assert_eq!(written("-0.00"), "0");
        assert_eq!(written("9999.999999999998"), "9999.999999999998", "exact, when it is what was computed");
        assert_eq!(written("12345678901234567.8901234567"), "12345678901234567.8901234567");
    }

    #[test]
    fn sums_do_not_drift() {
        let sum: Decimal = ["0.1", "0.2", "9999.7"].map(|text| text.parse::<Decimal>().unwrap()).iter().sum();

        assert_eq!(serde_json::to_string(&Number(sum)).unwrap(), "10000");
    }
}
