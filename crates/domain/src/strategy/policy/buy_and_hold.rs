//! Policies that buy once and hold: one symbol, or all members in equal parts.
//!
//! A portfolio with holdings has bought already. So a restart or a replaced day needs no memory.

use crate::accounting::order::{Order, Side};
use crate::market::instruments::Symbol;
use crate::strategy::situation::Situation;
use crate::values::money::Price;

pub(super) fn one(situation: &Situation<'_>, symbol: &Symbol) -> Vec<Order> {
    if !situation.portfolio.holdings().is_empty() {
        return Vec::new();
    }
    let symbol = situation.as_of.symbol_today(symbol);
    let open = situation.as_of.open(&symbol).map(|open| (&symbol, open));
    in_equal_parts(situation, open.as_slice())
}

pub(super) fn all(situation: &Situation<'_>) -> Vec<Order> {
    if !situation.portfolio.holdings().is_empty() {
        return Vec::new();
    }
    in_equal_parts(situation, &situation.priced_members())
}

fn in_equal_parts(situation: &Situation<'_>, members: &[(&Symbol, Price)]) -> Vec<Order> {
    let parts = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let purchase = |(symbol, open): &(&Symbol, Price)| {
        let quantity = situation.costs.affordable(*open, situation.portfolio.cash(), parts);
        (quantity > 0).then(|| Order::new(Side::Buy, symbol.as_str(), quantity))
    };
    members.iter().filter_map(purchase).collect()
}
