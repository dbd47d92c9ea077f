//! The results of orders, and positions.

use rust_decimal::Decimal;

use super::Effect;
use crate::accounting::day_book::DayBook;
use crate::accounting::order::Order;
use crate::accounting::portfolio::Portfolio;
use crate::accounting::refusal::Refusal;
use crate::agent::json::Object;

/// Submits `order`; the result is the whole position, or the refusal with its facts.
pub(super) fn submit(order: &Order, book: &mut DayBook<'_>) -> (String, Effect) {
    match book.submit(order) {
        Ok(fill) => (position(book.portfolio()), Effect::Filled(fill)),
        Err(refusal) => (refused(order, &refusal, book), Effect::Refused),
    }
}

/// `{"CASH":12.5,"AAPL":3}`, symbols in their order.
pub(super) fn position(portfolio: &Portfolio) -> String {
    let cash = Object::new().decimal("CASH", portfolio.cash());
    let holdings = portfolio.holdings().iter();
    holdings.fold(cash, |object, (symbol, quantity)| object.json(symbol.as_str(), quantity)).finish()
}

fn refused(order: &Order, refusal: &Refusal, book: &DayBook<'_>) -> String {
    let why = Object::new().text("error", &refusal.agent_text(book.date()));
    let facts = match refusal {
        Refusal::InsufficientCash { required, available } => {
            // The maximum stands for a cost beyond exact arithmetic: the number would be false.
            let exact = *required != Decimal::MAX;
            let why = if exact { why.decimal("required_cash", *required) } else { why };
            why.decimal("cash_available", *available)
        }
        Refusal::InsufficientShares { held, requested, .. } if *held > 0 => {
            why.json("have", held).json("want_to_sell", requested)
        }
        Refusal::InsufficientShares { .. }
        | Refusal::QuantityNotInteger { .. }
        | Refusal::QuantityNotPositive { .. }
        | Refusal::UnknownSymbol { .. }
        | Refusal::NoPrice { .. }
        | Refusal::Halted { .. } => why,
    };
    facts.text("symbol", &order.symbol).text("date", &book.date().to_string()).finish()
}
