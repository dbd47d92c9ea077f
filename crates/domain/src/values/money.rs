//! The price of a share, as an exact decimal number.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Why a text or a number is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The text is not a decimal number.
    #[error("{0:?} is not a decimal number")]
    NotDecimal(String),
    /// The number is zero or less.
    #[error("price {0} is not above zero")]
    NotPositive(Decimal),
    /// The number has more than ten decimal places, or more than fourteen digits before the point.
    #[error("price {0} has more digits than a price can have")]
    OutOfRange(Decimal),
}

/// The price of one share in dollars: above zero, at most ten decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Price(Decimal);

impl Price {
    /// The amount in dollars.
    pub fn amount(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Price {
    type Error = PriceError;

    fn try_from(value: Decimal) -> Result<Self, Self::Error> {
        let value = value.normalize();
        if value <= Decimal::ZERO {
            return Err(PriceError::NotPositive(value));
        }
        if value.scale() > 10 || value >= Decimal::from(100_000_000_000_000_i64) {
            return Err(PriceError::OutOfRange(value));
        }
        Ok(Self(value))
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = Decimal::from_str_exact(text).map_err(|_| PriceError::NotDecimal(text.to_owned()))?;
        Self::try_from(value)
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        price.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_above_zero_and_exact() {
        assert_eq!("256.5750".parse::<Price>().unwrap().to_string(), "256.575");
        assert!("0.0000".parse::<Price>().is_err());
        assert!("-1".parse::<Price>().is_err());
        assert!("1e3".parse::<Price>().is_err());
        assert!("".parse::<Price>().is_err());
    }
}
