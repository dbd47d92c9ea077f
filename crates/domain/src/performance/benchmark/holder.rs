//! A holder of one share and of what it becomes, in fractions of shares.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::market::{BenchmarkMarket, Dividends};
use crate::market::corporate_action::{Action, Cash, CorporateAction, Ratio};
use crate::market::instruments::Symbol;

/// What the share has become so far.
pub(super) struct Holder {
    positions: Vec<Position>,
    cash: Decimal,
    /// The session up to which it has gone through corporate actions; `None` before the first.
    until: Option<NaiveDate>,
}

struct Position {
    symbol: Symbol,
    shares: Decimal,
    /// The last known close, in the present shares.
    close: Decimal,
    /// Dividends of the day that buy shares at its close.
    to_reinvest: Decimal,
}

impl Holder {
    /// One share of `symbol` that was bought at `close`.
    pub(super) fn of(symbol: &Symbol, close: Decimal) -> Self {
        let position =
            Position { symbol: symbol.clone(), shares: Decimal::ONE, close, to_reinvest: Decimal::ZERO };
        Self { positions: vec![position], cash: Decimal::ZERO, until: None }
    }

    /// Its value at the close of `session`, which is later than that of the call before.
    pub(super) fn worth(&mut self, market: &BenchmarkMarket<'_>, session: NaiveDate) -> Decimal {
        if let Some(until) = self.until.replace(session) {
            for (_, due) in market.actions.between(until, session) {
                self.apply(due, market, session);
            }
        }
        for position in &mut self.positions {
            position.close = close(market, &position.symbol, session).unwrap_or(position.close);
            let bought = std::mem::take(&mut position.to_reinvest).checked_div(position.close);
            position.shares = position.shares.saturating_add(bought.unwrap_or_default());
        }
        let positions = self.positions.iter().map(|position| position.shares.saturating_mul(position.close));
        positions.fold(self.cash, Decimal::saturating_add)
    }

    fn apply(&mut self, due: &CorporateAction, market: &BenchmarkMarket<'_>, session: NaiveDate) {
        let CorporateAction { symbol, action } = due;
        let Some(place) = self.positions.iter().position(|position| position.symbol == *symbol) else {
            return;
        };
        let (shares, before) = (self.positions[place].shares, self.positions[place].close);
        let terms = action.terms();
        let paid = match terms.cash {
            Cash::Nothing => Decimal::ZERO,
            Cash::PerShare(amount) => shares.saturating_mul(amount),
            Cash::LastClose => shares.saturating_mul(before),
        };
        match (action, market.dividends) {
            (Action::Dividend { .. }, Dividends::Reinvested) => self.positions[place].to_reinvest = paid,
            (Action::Dividend { .. }, Dividends::Ignored) => {}
            (_, _) => self.cash = self.cash.saturating_add(paid),
        }
        if let Some((new, ratio)) = terms.received {
            // Until the new symbol has a close, shares that were exchanged are worth what they were, and those that came
            // beside them nothing.
            let carried = if terms.kept.is_none() { scaled(before, ratio.inverse()) } else { Decimal::ZERO };
            let close = close(market, new, session).unwrap_or(carried);
            self.receive(new, scaled(shares, ratio), close);
        }
        match terms.kept {
            Some(ratio) => {
                let position = &mut self.positions[place];
                position.shares = scaled(shares, ratio);
                position.close = scaled(before, ratio.inverse());
            }
            None => {
                self.positions.remove(place);
            }
        }
    }

    fn receive(&mut self, symbol: &Symbol, shares: Decimal, close: Decimal) {
        match self.positions.iter_mut().find(|position| position.symbol == *symbol) {
            Some(position) => position.shares = position.shares.saturating_add(shares),
            None => {
                let (symbol, to_reinvest) = (symbol.clone(), Decimal::ZERO);
                self.positions.push(Position { symbol, shares, close, to_reinvest });
            }
        }
    }
}

/// The close of `symbol` at `session`.
fn close(market: &BenchmarkMarket<'_>, symbol: &Symbol, session: NaiveDate) -> Option<Decimal> {
    Some(market.closes.get(symbol)?.get(&session)?.amount())
}

fn scaled(number: Decimal, ratio: Ratio) -> Decimal {
    number.saturating_mul(Decimal::from(ratio.to().get())) / Decimal::from(ratio.from().get())
}
