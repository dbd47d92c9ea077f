//! The rules of an order, in the order in which an agent hears of them, and its effect.

use rust_decimal::Decimal;

use crate::accounting::costs::Charge;
use crate::accounting::day_book::DayBook;
use crate::accounting::order::{Fill, Order, Refusal, RequestedQuantity, Side};
use crate::market::instruments::Symbol;
use crate::values::exact;
use crate::values::money::Price;

/// An order that names a whole number of shares, at least one, of a tradable symbol.
struct Request {
    side: Side,
    symbol: Symbol,
    shares: i128,
}

impl DayBook<'_> {
    /// Checks the order and, if no rule is broken, moves the portfolio.
    pub(super) fn settle(&mut self, sequence: u32, order: &Order) -> Result<Fill, Refusal> {
        let request = self.request(order)?;
        let fill = match request.side {
            Side::Buy => self.buy(sequence, request)?,
            Side::Sell => self.sell(sequence, request)?,
        };
        let available = self.portfolio.cash();
        self.portfolio
            .settle(&fill.symbol, fill.position_after, fill.cash_after)
            .map_err(|_| Refusal::InsufficientCash { required: outlay(&fill), available })?;
        Ok(fill)
    }

    fn request(&self, order: &Order) -> Result<Request, Refusal> {
        let shares = match &order.quantity {
            RequestedQuantity::Integer(shares) => *shares,
            RequestedQuantity::NotInteger(text) => {
                return Err(Refusal::QuantityNotInteger { quantity: text.clone() });
            }
        };
        if shares < 1 {
            return Err(Refusal::QuantityNotPositive { quantity: shares });
        }
        match order.symbol.parse::<Symbol>() {
            Ok(symbol) if self.universe.tradable(&symbol) => Ok(Request { side: order.side, symbol, shares }),
            Ok(_) | Err(_) => Err(Refusal::UnknownSymbol { symbol: order.symbol.clone() }),
        }
    }

    fn buy(&self, sequence: u32, request: Request) -> Result<Fill, Refusal> {
        let price = self.fill_price(&request)?;
        let available = self.portfolio.cash();
        let too_large = || Refusal::InsufficientCash { required: Decimal::MAX, available };
        let quantity = u64::try_from(request.shares).map_err(|_| too_large())?;
        let charge = self.costs.charge(price, quantity).ok_or_else(too_large)?;
        let required = charge.outlay().ok_or_else(too_large)?;
        if required > available {
            return Err(Refusal::InsufficientCash { required, available });
        }
        let cash_after = exact::difference(available, required).ok_or_else(too_large)?;
        let held = self.portfolio.quantity(&request.symbol);
        let position_after = held.checked_add(quantity).ok_or_else(too_large)?;
        let Charge { notional, fee } = charge;
        let (side, symbol) = (request.side, request.symbol);
        Ok(Fill { sequence, side, symbol, quantity, price, notional, fee, cash_after, position_after })
    }

    /// A sale whose proceeds cannot be written exactly has no price; one whose fee is not covered
    /// by the cash and the proceeds lacks cash.
    fn sell(&self, sequence: u32, request: Request) -> Result<Fill, Refusal> {
        let price = self.fill_price(&request)?;
        let Request { side, symbol, shares } = request;
        let have = self.portfolio.quantity(&symbol);
        let quantity = u64::try_from(shares).ok().filter(|quantity| *quantity <= have);
        let Some(quantity) = quantity else {
            return Err(Refusal::InsufficientShares { symbol, have, want: shares });
        };
        let charge = self.costs.charge(price, quantity);
        let before_fee = charge.and_then(|charge| exact::sum(self.portfolio.cash(), charge.notional));
        let (Some(Charge { notional, fee }), Some(available)) = (charge, before_fee) else {
            return Err(Refusal::NoPrice { symbol });
        };
        if fee > available {
            return Err(Refusal::InsufficientCash { required: fee, available });
        }
        let Some(cash_after) = exact::difference(available, fee) else {
            return Err(Refusal::NoPrice { symbol });
        };
        let position_after = have - quantity;
        Ok(Fill { sequence, side, symbol, quantity, price, notional, fee, cash_after, position_after })
    }

    fn fill_price(&self, request: &Request) -> Result<Price, Refusal> {
        let open = self.prices.open(&request.symbol);
        open.and_then(|open| self.costs.fill_price(request.side, open))
            .ok_or_else(|| Refusal::NoPrice { symbol: request.symbol.clone() })
    }
}

fn outlay(fill: &Fill) -> Decimal {
    fill.notional.saturating_add(fill.fee)
}
