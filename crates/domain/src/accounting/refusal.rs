//! Why an order is refused.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::order::{Order, Side};
use crate::market::instruments::Symbol;

/// Why an order was refused. A refused order changes nothing.
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
        /// The requested quantity.
        quantity: i128,
    },
    /// The symbol is neither in the universe nor the benchmark.
    #[error("symbol {symbol:?} is not tradable")]
    UnknownSymbol {
        /// The symbol as the model wrote it.
        symbol: String,
    },
    /// The symbol has no price that day, or none at which an exact amount can be formed.
    #[error("{symbol} has no price")]
    NoPrice {
        /// The requested symbol.
        symbol: Symbol,
    },
    /// Nothing was traded in the session, so that there is no price to trade at.
    #[error("{symbol} is halted")]
    Halted {
        /// The requested symbol.
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
    #[error("{requested} shares of {symbol} are to be sold and {held} held")]
    InsufficientShares {
        /// The symbol to be sold.
        symbol: Symbol,
        /// Shares held; 0 without a position.
        held: u64,
        /// Shares to be sold.
        requested: i128,
    },
}

impl Refusal {
    /// The reason's stable name in the database and in events.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QuantityNotInteger { .. } => "quantity_not_integer",
            Self::QuantityNotPositive { .. } => "quantity_not_positive",
            Self::UnknownSymbol { .. } => "unknown_symbol",
            Self::NoPrice { .. } => "no_price",
            Self::Halted { .. } => "halted",
            Self::InsufficientCash { .. } => "insufficient_cash",
            Self::InsufficientShares { .. } => "insufficient_shares",
        }
    }

    /// The answer to an agent whose order of `date` was refused, in the words of the original server.
    pub fn agent_text(&self, date: NaiveDate) -> String {
        match self {
            Self::QuantityNotInteger { .. } => "Quantity must be an integer".to_owned(),
            Self::QuantityNotPositive { .. } => "Quantity must be positive".to_owned(),
            Self::UnknownSymbol { symbol } => format!("Symbol {symbol} not found on {date}"),
            Self::NoPrice { symbol } => format!("Symbol {symbol} not found on {date}"),
            Self::Halted { symbol } => {
                format!("Symbol {symbol} is halted on {date}: nothing was traded in the session")
            }
            Self::InsufficientCash { .. } => "Insufficient cash".to_owned(),
            Self::InsufficientShares { symbol, held: 0, .. } => format!("No position for {symbol}"),
            Self::InsufficientShares { .. } => "Insufficient shares".to_owned(),
        }
    }
}

/// A refused order with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedOrder {
    /// Position among the day's orders, from 0.
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
    /// The order as it was written, with the first rule that it broke.
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

    #[test]
    fn an_agent_reads_the_words_of_the_original_server() {
        let date = "2025-10-02".parse().unwrap();
        let symbol: Symbol = "AAPL".parse().unwrap();
        let shares = |held| Refusal::InsufficientShares { symbol: symbol.clone(), held, requested: 5 };
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
