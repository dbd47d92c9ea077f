//! What an agent had at one moment.

use std::collections::BTreeMap;

use domain::market::instruments::Symbol;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// Dollars up to which two amounts are equal: the project computes with binary floating-point numbers.
pub(super) const TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// Cash and shares; a symbol without shares is not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) cash: Decimal,
    pub(crate) shares: BTreeMap<Symbol, i64>,
}

impl Holdings {
    /// Reads the `positions` of a record.
    ///
    /// # Errors
    /// Why Modelday cannot have such holdings, as the end of a sentence that begins with the agent's name.
    pub(super) fn read(positions: &Map<String, Value>) -> Result<Self, String> {
        let mut holdings = Self::default();
        for (name, value) in positions {
            let amount = decimal(value).ok_or_else(|| format!("has {value} as its position in {name}"))?;
            if name == "CASH" {
                holdings.cash = amount;
            } else if !amount.is_zero() {
                let quantity =
                    whole(amount).ok_or_else(|| format!("holds {amount} of {name}, no whole number"))?;
                holdings.shares.insert(symbol(name)?, quantity);
            }
        }
        if positions.contains_key("CASH") {
            Ok(holdings)
        } else {
            Err("has positions without CASH".to_owned())
        }
    }

    /// The shares of a symbol.
    pub(crate) fn of(&self, symbol: &Symbol) -> i64 {
        self.shares.get(symbol).copied().unwrap_or_default()
    }

    /// Adds shares, or takes them away.
    pub(super) fn add(&mut self, symbol: &Symbol, quantity: i64) {
        let sum = self.of(symbol).saturating_add(quantity);
        if sum == 0 {
            self.shares.remove(symbol);
        } else {
            self.shares.insert(symbol.clone(), sum);
        }
    }
}

/// A number, which some versions of the project write as a text.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// The number as one of shares.
pub(super) fn whole(amount: Decimal) -> Option<i64> {
    amount.is_integer().then(|| i64::try_from(amount).ok())?
}

/// A symbol of a US exchange.
///
/// # Errors
/// That it is none.
pub(super) fn symbol(name: &str) -> Result<Symbol, String> {
    let of_elsewhere = || format!("trades {name}, which is no symbol of a US exchange");
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(of_elsewhere());
    }
    name.parse().map_err(|_| of_elsewhere())
}
