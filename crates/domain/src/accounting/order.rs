//! An order as a model writes it, before any rule is checked. The rules are in `fill`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Cash becomes shares.
    Buy,
    /// Shares become cash.
    Sell,
}

impl Side {
    /// `buy` or `sell`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The quantity as the model wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestedQuantity {
    /// A whole number, of any sign and size; one beyond the type becomes the type's bound.
    Integer(i128),
    /// Anything else, as JSON text: `1.5`, `"ten"`, `null`.
    NotInteger(String),
}

impl From<u64> for RequestedQuantity {
    fn from(quantity: u64) -> Self {
        Self::Integer(quantity.into())
    }
}

impl From<&Value> for RequestedQuantity {
    /// Only a JSON number written as an integer is an integer: `10` is, `10.0` and `"10"` are not. A number of 2^64 or
    /// more, which JSON readers hold as a float, counts as an integer too.
    fn from(value: &Value) -> Self {
        let integer = value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from));
        let huge =
            || value.as_f64().filter(|number| number.abs() >= 2_f64.powi(64)).map(|number| number as i128);
        integer.or_else(huge).map_or_else(|| Self::NotInteger(value.to_string()), Self::Integer)
    }
}

impl fmt::Display for RequestedQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(quantity) => quantity.fmt(f),
            Self::NotInteger(text) => f.write_str(text),
        }
    }
}

/// A market order, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// Buy or sell.
    pub side: Side,
    /// The text for the symbol; it may not be a symbol.
    pub symbol: String,
    /// The requested shares; it may not be a possible number of shares.
    pub quantity: RequestedQuantity,
}

impl Order {
    /// An order for `quantity` shares of `symbol`.
    pub fn new(side: Side, symbol: impl Into<String>, quantity: impl Into<RequestedQuantity>) -> Self {
        Self { side, symbol: symbol.into(), quantity: quantity.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: RequestedQuantity) {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(RequestedQuantity::from(&value), expected, "{json}");
    }

    fn not_integer(text: &str) -> RequestedQuantity {
        RequestedQuantity::NotInteger(text.to_owned())
    }

    #[test]
    fn only_json_integers_are_integers() {
        check("10", RequestedQuantity::Integer(10));
        check("0", RequestedQuantity::Integer(0));
        check("-3", RequestedQuantity::Integer(-3));
        check("18446744073709551615", RequestedQuantity::Integer(u64::MAX.into()));
        check("10.0", not_integer("10.0"));
        check("1.5", not_integer("1.5"));
        check("\"10\"", not_integer("\"10\""));
        check("true", not_integer("true"));
        check("null", not_integer("null"));
        check("[1]", not_integer("[1]"));
    }

    #[test]
    fn an_integer_too_large_for_the_reader_stays_an_integer() {
        check("18446744073709551616", RequestedQuantity::Integer(1 << 64));
        check(&format!("1{}", "0".repeat(60)), RequestedQuantity::Integer(i128::MAX));
        check(&format!("-1{}", "0".repeat(60)), RequestedQuantity::Integer(i128::MIN));
    }
}
