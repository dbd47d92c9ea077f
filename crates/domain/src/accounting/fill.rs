//! How an order is carried out: the rules that it has to satisfy, in the order in which they are checked, and the fill.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::accounting::costs::{Charge, Costs};
use crate::accounting::market_day::DayPrices;
use crate::accounting::order::{Order, RequestedQuantity, Side};
use crate::accounting::portfolio::Portfolio;
use crate::accounting::refusal::Refusal;
use crate::market::instruments::{Symbol, Universe};
use crate::values::arithmetic::{exact_difference, exact_sum};
use crate::values::money::Price;

/// An order that was carried out in full.
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

/// A portfolio on one day, with everything that its orders are checked and priced by.
pub(super) struct Account<'a> {
    pub(super) portfolio: Portfolio,
    pub(super) universe: &'a Universe,
    pub(super) prices: &'a dyn DayPrices,
    pub(super) costs: Costs,
}

/// An order for at least one whole share of a tradable symbol.
struct Request {
    side: Side,
    symbol: Symbol,
    shares: i128,
}

impl Account<'_> {
    /// Fills `order` at the day's open and updates the portfolio, or returns the first rule that it breaks.
    pub(super) fn fill(&mut self, sequence: u32, order: &Order) -> Result<Fill, Refusal> {
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
            Ok(symbol) if self.universe.tradable(&symbol) || self.may_leave(order.side, &symbol) => {
                Ok(Request { side: order.side, symbol, shares })
            }
            Ok(_) | Err(_) => Err(Refusal::UnknownSymbol { symbol: order.symbol.clone() }),
        }
    }

    /// Whether the order sells something that is held, which may be a share that a spin-off has brought.
    fn may_leave(&self, side: Side, symbol: &Symbol) -> bool {
        side == Side::Sell && self.portfolio.quantity(symbol) > 0 && self.prices.rules().restates()
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
        let cash_after = exact_difference(available, required).ok_or_else(too_large)?;
        let held = self.portfolio.quantity(&request.symbol);
        let position_after = held.checked_add(quantity).ok_or_else(too_large)?;
        let Charge { notional, fee } = charge;
        let (side, symbol) = (request.side, request.symbol);
        Ok(Fill { sequence, side, symbol, quantity, price, notional, fee, cash_after, position_after })
    }

    /// `NoPrice` also when the proceeds cannot be written exactly; `InsufficientCash` when cash and proceeds together
    /// do not cover the fee.
    fn sell(&self, sequence: u32, request: Request) -> Result<Fill, Refusal> {
        let price = self.fill_price(&request)?;
        let Request { side, symbol, shares } = request;
        let held = self.portfolio.quantity(&symbol);
        let quantity = u64::try_from(shares).ok().filter(|quantity| *quantity <= held);
        let Some(quantity) = quantity else {
            return Err(Refusal::InsufficientShares { symbol, held, requested: shares });
        };
        let charge = self.costs.charge(price, quantity);
        let before_fee = charge.and_then(|charge| exact_sum(self.portfolio.cash(), charge.notional));
        let (Some(Charge { notional, fee }), Some(available)) = (charge, before_fee) else {
            return Err(Refusal::NoPrice { symbol });
        };
        if fee > available {
            return Err(Refusal::InsufficientCash { required: fee, available });
        }
        let Some(cash_after) = exact_difference(available, fee) else {
            return Err(Refusal::NoPrice { symbol });
        };
        let position_after = held - quantity;
        Ok(Fill { sequence, side, symbol, quantity, price, notional, fee, cash_after, position_after })
    }

    fn fill_price(&self, request: &Request) -> Result<Price, Refusal> {
        if self.prices.is_halted(&request.symbol) {
            return Err(Refusal::Halted { symbol: request.symbol.clone() });
        }
        let open = self.prices.open(&request.symbol);
        open.and_then(|open| self.costs.fill_price(request.side, open))
            .ok_or_else(|| Refusal::NoPrice { symbol: request.symbol.clone() })
    }
}

fn outlay(fill: &Fill) -> Decimal {
    fill.notional.saturating_add(fill.fee)
}
