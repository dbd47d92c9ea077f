//! What a model asks for, and what becomes of it: a fill, or a refusal with its reason.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::market::instruments::Symbol;
use crate::values::money::Price;

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

/// The quantity as the agent wrote it, before any rule looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestedQuantity {
    /// A whole number, of any sign and size; beyond the type it is held at the type's bounds.
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
    /// Only a JSON number written as an integer is one: `10` is, `10.0` and `"10"` are not. Numbers
    /// that JSON readers can hold only as floats, at least 2^64 in size, are taken as integers.
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

/// A market order as the agent wrote it, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// Buy or sell.
    pub side: Side,
    /// The symbol's text; need not be a symbol.
    pub symbol: String,
    /// The shares asked for; need not be a possible number of shares.
    pub quantity: RequestedQuantity,
}

impl Order {
    /// An order for `quantity` shares of `symbol`.
    pub fn new(side: Side, symbol: impl Into<String>, quantity: impl Into<RequestedQuantity>) -> Self {
        Self { side, symbol: symbol.into(), quantity: quantity.into() }
    }
}

/// An order carried out in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Position of the order among all orders of the day, refused ones included, from 0.
    pub sequence: u32,
    /// Bought or sold.
    pub side: Side,
    /// What was traded.
    pub symbol: Symbol,
    /// Shares, at least 1.
    pub quantity: u64,
    /// Dollars a share, slippage included.
    pub price: Price,
    /// Price times quantity, in dollars.
    pub notional: Decimal,
    /// Dollars paid for the trade itself.
    pub fee: Decimal,
    /// Cash after it, in dollars.
    pub cash_after: Decimal,
    /// Shares of the symbol held after it.
    pub position_after: u64,
}

/// Why an order was not carried out. A refused order changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The quantity is no integer.
    #[error("quantity {quantity} is not an integer")]
    QuantityNotInteger {
        /// The quantity as JSON text.
        quantity: String,
    },
    /// The quantity is zero or less.
    #[error("quantity {quantity} is not positive")]
    QuantityNotPositive {
        /// The quantity asked for.
        quantity: i128,
    },
    /// The symbol is neither in the universe nor the benchmark.
    #[error("symbol {symbol:?} is not tradable")]
    UnknownSymbol {
        /// The symbol as the agent wrote it.
        symbol: String,
    },
    /// The symbol has no price that day, or none at which an exact amount can be formed.
    #[error("{symbol} has no price")]
    NoPrice {
        /// The symbol asked for.
        symbol: Symbol,
    },
    /// The order costs more than there is.
    #[error("{required} dollars are required and {available} available")]
    InsufficientCash {
        /// Dollars needed, fees included; `Decimal::MAX` when beyond exact arithmetic.
        required: Decimal,
        /// Dollars at hand.
        available: Decimal,
    },
    /// More shares are to be sold than are held.
    #[error("{want} shares of {symbol} are to be sold and {have} held")]
    InsufficientShares {
        /// The symbol to be sold.
        symbol: Symbol,
        /// Shares held; 0 without a position.
        have: u64,
        /// Shares to be sold.
        want: i128,
    },
}

impl Refusal {
    /// The stable name of the reason, for rows and events.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QuantityNotInteger { .. } => "quantity_not_integer",
            Self::QuantityNotPositive { .. } => "quantity_not_positive",
            Self::UnknownSymbol { .. } => "unknown_symbol",
            Self::NoPrice { .. } => "no_price",
            Self::InsufficientCash { .. } => "insufficient_cash",
            Self::InsufficientShares { .. } => "insufficient_shares",
        }
    }

    /// What the agent is told, in the words of the original server, for an order on `date`.
    pub fn agent_text(&self, date: NaiveDate) -> String {
        match self {
            Self::QuantityNotInteger { .. } => "Quantity must be an integer".to_owned(),
            Self::QuantityNotPositive { .. } => "Quantity must be positive".to_owned(),
            Self::UnknownSymbol { symbol } => format!("Symbol {symbol} not found on {date}"),
            Self::NoPrice { symbol } => format!("Symbol {symbol} not found on {date}"),
            Self::InsufficientCash { .. } => "Insufficient cash".to_owned(),
            Self::InsufficientShares { symbol, have: 0, .. } => format!("No position for {symbol}"),
            Self::InsufficientShares { .. } => "Insufficient shares".to_owned(),
        }
    }
}

/// An order that was answered with a refusal and changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedOrder {
    /// Place among the day's orders, from 0.
    pub sequence: u32,
    /// Buy or sell.
    pub side: Side,
    /// The symbol as it was written.
    pub symbol: String,
    /// The quantity as it was written.
    pub quantity: String,
    /// Stable code, e.g. `insufficient_cash`.
    pub code: String,
}

impl RefusedOrder {
    /// The order with the first rule that it broke.
    pub fn new(sequence: u32, order: &Order, refusal: &Refusal) -> Self {
        Self {
            sequence,
            side: order.side,
            symbol: order.symbol.clone(),
            quantity: order.quantity.to_string(),
            code: refusal.code().to_owned(),
        }
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

    #[test]
    fn the_agent_hears_the_original_words() {
        let date = "2025-10-02".parse().unwrap();
        let symbol: Symbol = "AAPL".parse().unwrap();
        let shares = |have| Refusal::InsufficientShares { symbol: symbol.clone(), have, want: 5 };
        let cash = Refusal::InsufficientCash { required: Decimal::ONE, available: Decimal::ZERO };

        let unknown = Refusal::UnknownSymbol { symbol: "apple".to_owned() };

        assert_eq!(unknown.agent_text(date), "Symbol apple not found on 2025-10-02");
        assert_eq!(
            Refusal::NoPrice { symbol: symbol.clone() }.agent_text(date),
            "Symbol AAPL not found on 2025-10-02"
        );
        assert_eq!(cash.agent_text(date), "Insufficient cash");
        assert_eq!(shares(0).agent_text(date), "No position for AAPL");
        assert_eq!(shares(1).agent_text(date), "Insufficient shares");
    }
}
