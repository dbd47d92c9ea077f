//! The policy that holds the members with the highest past return: cross-sectional momentum, as in N. Jegadeesh and
//! S. Titman, "Returns to Buying Winners and Selling Losers" (Journal of Finance 48, 1993), without short sales.

use rust_decimal::Decimal;

use crate::accounting::order::{Order, Side};
use crate::market::instruments::Symbol;
use crate::strategy::situation::Situation;
use crate::values::arithmetic::{exact_difference, exact_product, exact_sum};
use crate::values::money::Price;

pub(super) fn decide(situation: &Situation<'_>, lookback: usize, top: usize) -> Vec<Order> {
    let chosen = strongest(situation, lookback, top);
    targets(situation, &chosen).and_then(|targets| rebalance(situation, &targets)).unwrap_or_default()
}

/// A member to hold: its open and the number of shares.
struct Target<'a> {
    symbol: &'a Symbol,
    open: Price,
    shares: u64,
}

/// The members with the highest growth of their closes, with their opens: highest first, equal ones in symbol order.
fn strongest<'a>(situation: &Situation<'a>, lookback: usize, top: usize) -> Vec<(&'a Symbol, Price)> {
    let view = situation.as_of;
    let sessions = view.sessions_before(lookback + 1);
    let ([first, .., last], true) = (sessions, sessions.len() == lookback + 1) else { return Vec::new() };
    let close = |symbol, date| Some(view.bar(symbol, date).ok()?.close().amount());
    let growth = |symbol| close(symbol, *last)?.checked_div(close(symbol, *first)?);
    let ranked = |(symbol, open)| Some((growth(symbol)?, symbol, open));
    let mut members: Vec<_> = situation.priced_members().into_iter().filter_map(ranked).collect();
    members.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    members.into_iter().take(top).map(|(_, symbol, open)| (symbol, open)).collect()
}

/// Equal amounts of the cash and the positions that have a price today; `None` when no member is chosen, or an amount
/// is too large to be exact.
fn targets<'a>(situation: &Situation<'_>, chosen: &[(&'a Symbol, Price)]) -> Option<Vec<Target<'a>>> {
    let parts = u32::try_from(chosen.len()).ok().filter(|parts| *parts > 0)?;
    let positions = situation.priced_positions();
    let worth = positions.iter().try_fold(situation.portfolio.cash(), |worth, (_, held, open)| {
        exact_sum(worth, exact_product(open.amount(), Decimal::from(*held))?)
    })?;
    let target = |&(symbol, open)| {
        let shares = situation.costs.affordable(open, worth, parts);
        Target { symbol, open, shares }
    };
    Some(chosen.iter().map(target).collect())
}

/// The orders that lead to the targets, as far as the cash allows.
fn rebalance(situation: &Situation<'_>, targets: &[Target<'_>]) -> Option<Vec<Order>> {
    let target_shares =
        |symbol| targets.iter().find(|target| target.symbol == symbol).map_or(0, |target| target.shares);
    let mut orders = Vec::new();
    let mut cash = situation.portfolio.cash();
    for (symbol, held, open) in situation.priced_positions() {
        let surplus = held.saturating_sub(target_shares(symbol));
        if surplus == 0 {
            continue;
        }
        let after = exact_sum(cash, situation.costs.proceeds(open, surplus)?)?;
        if after >= Decimal::ZERO {
            cash = after;
            orders.push(Order::new(Side::Sell, symbol.as_str(), surplus));
        }
    }
    for Target { symbol, open, shares } in targets {
        let lacking = shares.saturating_sub(situation.portfolio.quantity(symbol));
        let quantity = lacking.min(situation.costs.affordable(*open, cash, 1));
        if quantity > 0 {
            cash = exact_difference(cash, situation.costs.outlay(*open, quantity)?)?;
            orders.push(Order::new(Side::Buy, symbol.as_str(), quantity));
        }
    }
    Some(orders)
}
