//! What a model owns: cash and whole shares, neither of them below zero.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::market::instruments::Symbol;
use crate::values::arithmetic::{exact_product, exact_sum};
use crate::values::money::Price;

/// Why cash and positions are not a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortfolioError {
    /// The cash is below zero. There is no margin.
    #[error("cash {0} is below zero")]
    NegativeCash(Decimal),
    /// A position has no shares.
    #[error("no shares of {0} are held")]
    EmptyPosition(Symbol),
}

/// Cash in dollars, exact and at least zero, and the shares held, at least one in each position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PortfolioJson", into = "PortfolioJson")]
pub struct Portfolio {
    cash: Decimal,
    holdings: BTreeMap<Symbol, u64>,
}

impl Portfolio {
    /// A portfolio of this cash and these positions.
    ///
    /// # Errors
    /// When the cash is below zero or a position is empty.
    pub fn new(cash: Decimal, holdings: BTreeMap<Symbol, u64>) -> Result<Self, PortfolioError> {
        if let Some((symbol, _)) = holdings.iter().find(|(_, quantity)| **quantity == 0) {
            return Err(PortfolioError::EmptyPosition(symbol.clone()));
        }
        let mut portfolio = Self { cash: Decimal::ZERO, holdings };
        portfolio.set_cash(cash)?;
        Ok(portfolio)
    }

    /// Cash in dollars, without trailing zeros.
    pub fn cash(&self) -> Decimal {
        self.cash
    }

    /// Shares held by symbol.
    pub fn holdings(&self) -> &BTreeMap<Symbol, u64> {
        &self.holdings
    }

    /// Shares of `symbol` held; 0 without a position.
    pub fn quantity(&self, symbol: &Symbol) -> u64 {
        self.holdings.get(symbol).copied().unwrap_or(0)
    }

    /// The exact value of cash and all positions, in dollars; `None` when a held symbol has no price or the amount
    /// needs more than 28 digits.
    pub fn value(&self, price: impl Fn(&Symbol) -> Option<Price>) -> Option<Decimal> {
        self.holdings.iter().try_fold(self.cash, |value, (symbol, quantity)| {
            let position = exact_product(price(symbol)?.amount(), Decimal::from(*quantity))?;
            exact_sum(value, position)
        })
    }

    /// Sets the cash and one position together; a position of 0 is removed.
    ///
    /// # Errors
    /// When the cash is below zero; then nothing has changed.
    pub(crate) fn settle(
        &mut self,
        symbol: &Symbol,
        position: u64,
        cash: Decimal,
    ) -> Result<(), PortfolioError> {
        self.set_cash(cash)?;
        match position {
            0 => self.holdings.remove(symbol),
            _ => self.holdings.insert(symbol.clone(), position),
        };
        Ok(())
    }

    fn set_cash(&mut self, cash: Decimal) -> Result<(), PortfolioError> {
        if cash < Decimal::ZERO {
            return Err(PortfolioError::NegativeCash(cash));
        }
        self.cash = cash.normalize();
        Ok(())
    }
}

/// The form of a portfolio in JSON: `{"cash": "12.5", "holdings": {"AAPL": 3}}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortfolioJson {
    cash: Decimal,
    holdings: BTreeMap<Symbol, u64>,
}

impl TryFrom<PortfolioJson> for Portfolio {
    type Error = PortfolioError;

    fn try_from(stored: PortfolioJson) -> Result<Self, Self::Error> {
        Self::new(stored.cash, stored.holdings)
    }
}

impl From<Portfolio> for PortfolioJson {
    fn from(portfolio: Portfolio) -> Self {
        Self { cash: portfolio.cash, holdings: portfolio.holdings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(text: &str) -> Symbol {
        text.parse().unwrap()
    }

    fn portfolio(cash: &str, holdings: &[(&str, u64)]) -> Result<Portfolio, PortfolioError> {
        let holdings = holdings.iter().map(|(name, quantity)| (symbol(name), *quantity)).collect();
        Portfolio::new(cash.parse().unwrap(), holdings)
    }

    #[test]
    fn cash_is_never_below_zero_and_positions_are_never_empty() {
        assert!(portfolio("0", &[]).is_ok());
        assert!(matches!(portfolio("-0.0001", &[]), Err(PortfolioError::NegativeCash(_))));
        assert!(matches!(portfolio("1", &[("AAPL", 0)]), Err(PortfolioError::EmptyPosition(_))));
    }

    #[test]
    fn the_value_is_exact_and_needs_every_price() {
        let held = portfolio("0.10", &[("AAPL", 3), ("MSFT", 1)]).unwrap();

        let all = |_: &Symbol| Some("0.1".parse().unwrap());
        let apple_only = |name: &Symbol| (name.as_str() == "AAPL").then(|| "0.1".parse().unwrap());

        assert_eq!(held.value(all).unwrap().to_string(), "0.5");
        assert_eq!(held.value(apple_only), None);
    }

    #[test]
    fn a_value_beyond_decimal_is_none_not_a_panic() {
        let held = portfolio("1", &[("AAPL", u64::MAX)]).unwrap();

        assert_eq!(held.value(|_| Some("99999999999999.9999999999".parse().unwrap())), None);
    }

    #[test]
    fn the_written_form_is_checked_when_read() {
        let held = portfolio("12.50", &[("AAPL", 3)]).unwrap();
        let text = serde_json::to_string(&held).unwrap();

        assert_eq!(text, r#"{"cash":"12.5","holdings":{"AAPL":3}}"#);
        assert_eq!(serde_json::from_str::<Portfolio>(&text).unwrap(), held);
        assert!(serde_json::from_str::<Portfolio>(r#"{"cash":"-1","holdings":{}}"#).is_err());
        assert!(serde_json::from_str::<Portfolio>(r#"{"cash":"1","holdings":{"AAPL":0}}"#).is_err());
        assert!(serde_json::from_str::<Portfolio>(r#"{"cash":"1","holdings":{"AAPL":-1}}"#).is_err());
    }
}
