//! `this_action` of a record: the orders that led to its positions.

use domain::accounting::order::Side;
use domain::market::instruments::Symbol;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::holdings::{decimal, symbol, whole};

/// An order of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedFill {
    pub(crate) side: Side,
    pub(crate) symbol: Symbol,
    pub(crate) quantity: i64,
    /// Dollars a share, by which the cash changed; unknown when several orders are in one record.
    pub(crate) price: Option<Decimal>,
}

/// An action as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct Action {
    #[serde(default)]
    action: String,
    #[serde(default)]
    symbol: Value,
    #[serde(default)]
    amount: Value,
    /// Several orders of one kind, as forks of the project write them: symbol and quantity.
    #[serde(default)]
    trades: Map<String, Value>,
}

impl Action {
    /// Its orders; none when nothing was traded.
    ///
    /// # Errors
    /// Why Modelday cannot run such an order, as the end of a sentence that begins with the agent's name.
    pub(super) fn orders(&self) -> Result<Vec<RecordedFill>, String> {
        let side = match self.action.as_str() {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            "" | "no_trade" | "hold" | "init" => return Ok(Vec::new()),
            other if other.ends_with("_crypto") => {
                return Err(format!("trades crypto ({other}), on all days of the week"));
            }
            other => return Err(format!("has the action {other:?}, which is neither buy nor sell")),
        };
        let order = |name: &str, amount: &Value| {
            let known = decimal(amount).ok_or_else(|| format!("has an order of {amount} {name}"))?;
            let quantity =
                whole(known).ok_or_else(|| format!("trades {known} of {name}, no whole number"))?;
            Ok(RecordedFill { side, symbol: symbol(name)?, quantity, price: None })
        };
        if self.trades.is_empty() {
            return Ok(vec![order(self.symbol.as_str().unwrap_or_default(), &self.amount)?]);
        }
        self.trades.iter().map(|(name, amount)| order(name, amount)).collect()
    }
}

impl RecordedFill {
    /// The change of shares.
    pub(super) fn change(&self) -> i64 {
        match self.side {
            Side::Buy => self.quantity,
            Side::Sell => -self.quantity,
        }
    }
}
