//! The costs of trading: fees in dollars, and slippage in the price. By default trading is free.
//!
//! The fee by shares with its minimum and its cap as a part of the trade's value has the form of Interactive Brokers'
//! fixed pricing for US stocks.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::accounting::order::Side;
use crate::values::arithmetic::{exact_difference, exact_product, exact_sum, half_even};
use crate::values::money::Price;

const BASIS_POINTS: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// The cost terms as they are configured, unchecked; [`Costs`] are checked terms.
///
/// The fee of a trade is `bps` of its notional plus a fee by shares: `per_share` for each share, at least `min`, at
/// most `max_bps_of_notional`. The sum is rounded half-even to cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostTerms {
    /// Fee in basis points of the notional.
    pub bps: Decimal,
    /// Fee in dollars for each share.
    pub per_share: Decimal,
    /// Lowest fee by shares, in dollars a trade.
    pub min: Decimal,
    /// Highest fee by shares, in basis points of the notional; it takes precedence over `min`. `None` is no cap.
    pub max_bps_of_notional: Option<Decimal>,
    /// How far from the open, against the trader, a trade is filled, in basis points of the price.
    pub slippage_bps: Decimal,
}

/// Why cost terms are not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CostsError {
    /// A term is below zero: it would pay the trader.
    #[error("{term} {value} is below zero")]
    Negative {
        /// The term's name.
        term: &'static str,
        /// Its value.
        value: Decimal,
    },
    /// A sale at slippage of 10,000 basis points or more would have no price.
    #[error("slippage_bps {0} leaves no price to sell at")]
    SlippageTooLarge(Decimal),
}

/// Valid cost terms: none below zero, slippage below 10,000 basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "CostTerms", into = "CostTerms")]
pub struct Costs(CostTerms);

/// The value of a trade and its fee, in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) notional: Decimal,
    pub(crate) fee: Decimal,
}

impl Costs {
    /// No costs: trading is free and fills at the open.
    pub const NONE: Self = Self(CostTerms {
        bps: Decimal::ZERO,
        per_share: Decimal::ZERO,
        min: Decimal::ZERO,
        max_bps_of_notional: None,
        slippage_bps: Decimal::ZERO,
    });

    /// The terms.
    pub fn terms(&self) -> &CostTerms {
        &self.0
    }

    /// The price of a fill when the market is at `open`: `open * (1 + slippage)` for a purchase, `open * (1 -
    /// slippage)` for a sale, rounded half-even to 4 places; without slippage it is `open` itself. `None` when it
    /// rounds to zero.
    pub fn fill_price(&self, side: Side, open: Price) -> Option<Price> {
        if self.0.slippage_bps.is_zero() {
            return Some(open);
        }
        let factor = match side {
            Side::Buy => BASIS_POINTS.checked_add(self.0.slippage_bps)?,
            Side::Sell => BASIS_POINTS.checked_sub(self.0.slippage_bps)?,
        };
        let moved = open.amount().checked_mul(factor)?.checked_div(BASIS_POINTS)?;
        Price::try_from(half_even(moved, 4)).ok()
    }

    /// The largest quantity of which `cash` dollars pay `parts` purchases, with fees and slippage; 0 when they do not
    /// pay for one share each.
    pub fn affordable(&self, open: Price, cash: Decimal, parts: u32) -> u64 {
        let Some(price) = self.fill_price(Side::Buy, open) else { return 0 };
        let parts = Decimal::from(parts.max(1));
        let fits = |quantity: u64| {
            let outlay = self.charge(price, quantity).and_then(Charge::outlay);
            outlay.and_then(|outlay| outlay.checked_mul(parts)).is_some_and(|total| total <= cash)
        };
        let Some(unit) = price.amount().checked_mul(parts) else { return 0 };
        let shares = cash.checked_div(unit).and_then(|shares| shares.floor().to_u64());
        let limit = shares.unwrap_or(u64::MAX);
        if limit == 0 || fits(limit) { limit } else { largest_below(limit, fits) }
    }

    /// The dollars that a purchase at `open` takes from the cash.
    pub(crate) fn outlay(&self, open: Price, quantity: u64) -> Option<Decimal> {
        self.charge(self.fill_price(Side::Buy, open)?, quantity)?.outlay()
    }

    /// The dollars that a sale at `open` adds to the cash; below zero when the fee is more than the notional.
    pub(crate) fn proceeds(&self, open: Price, quantity: u64) -> Option<Decimal> {
        let charge = self.charge(self.fill_price(Side::Sell, open)?, quantity)?;
        exact_difference(charge.notional, charge.fee)
    }

    /// The charge of `quantity` shares at the fill price; `None` when it cannot be written exactly.
    pub(crate) fn charge(&self, price: Price, quantity: u64) -> Option<Charge> {
        let shares = Decimal::from(quantity);
        let notional = exact_product(price.amount(), shares)?;
        if *self == Self::NONE {
            return Some(Charge { notional, fee: Decimal::ZERO });
        }
        let part = |bps: Decimal| notional.checked_mul(bps)?.checked_div(BASIS_POINTS);
        let by_shares = self.0.per_share.checked_mul(shares)?.max(self.0.min);
        let capped = match self.0.max_bps_of_notional {
            Some(cap) => by_shares.min(part(cap)?),
            None => by_shares,
        };
        let fee = half_even(part(self.0.bps)?.checked_add(capped)?, 2);
        Some(Charge { notional, fee })
    }
}

impl Charge {
    /// The dollars that a purchase takes from the cash.
    pub(crate) fn outlay(self) -> Option<Decimal> {
        exact_sum(self.notional, self.fee)
    }
}

impl TryFrom<CostTerms> for Costs {
    type Error = CostsError;

    fn try_from(terms: CostTerms) -> Result<Self, Self::Error> {
        let named = [
            ("bps", terms.bps),
            ("per_share", terms.per_share),
            ("min", terms.min),
            ("max_bps_of_notional", terms.max_bps_of_notional.unwrap_or_default()),
            ("slippage_bps", terms.slippage_bps),
        ];
        if let Some((term, value)) = named.into_iter().find(|(_, value)| *value < Decimal::ZERO) {
            return Err(CostsError::Negative { term, value });
        }
        if terms.slippage_bps >= BASIS_POINTS {
            return Err(CostsError::SlippageTooLarge(terms.slippage_bps));
        }
        Ok(Self(terms))
    }
}

impl From<Costs> for CostTerms {
    fn from(costs: Costs) -> Self {
        costs.0
    }
}

/// The largest number below `limit` that fits, by bisection: every number below a fitting one fits. 0 when none does.
fn largest_below(limit: u64, fits: impl Fn(u64) -> bool) -> u64 {
    let (mut fitting, mut failing) = (0, limit);
    while failing - fitting > 1 {
        let middle = fitting + (failing - fitting) / 2;
        if fits(middle) {
            fitting = middle;
        } else {
            failing = middle;
        }
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn costs(json: &str) -> Costs {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn nothing_is_charged_by_default() {
        let charge = Costs::default().charge(price("255.04"), 10).unwrap();

        assert_eq!(Costs::default(), Costs::NONE);
        assert_eq!(charge, Charge { notional: decimal("2550.4"), fee: Decimal::ZERO });
        assert_eq!(Costs::NONE.fill_price(Side::Buy, price("0.12345")), Some(price("0.12345")));
    }

    #[test]
    fn a_fee_is_rounded_half_even_to_cents() {
        let fee = |bps: &str| costs(&format!(r#"{{"bps":"{bps}"}}"#)).charge(price("10"), 10).unwrap().fee;

        assert_eq!(fee("0.5"), decimal("0"));
        assert_eq!(fee("1.5"), decimal("0.02"));
        assert_eq!(fee("2.5"), decimal("0.02"));
        assert_eq!(fee("2.51"), decimal("0.03"));
    }

    #[test]
    fn the_cap_beats_the_minimum_and_basis_points_come_on_top() {
        let capped = costs(r#"{"per_share":"0.005","min":"1.00","max_bps_of_notional":"100"}"#);
        let both = costs(r#"{"bps":"10","per_share":"0.005","min":"1.00"}"#);

        assert_eq!(capped.charge(price("0.50"), 10).unwrap().fee, decimal("0.05"));
        assert_eq!(capped.charge(price("10"), 300).unwrap().fee, decimal("1.5"));
        assert_eq!(both.charge(price("10"), 100).unwrap().fee, decimal("2"));
    }

    #[test]
    fn slippage_hurts_both_sides_and_is_rounded_half_even_to_four_places() {
        let costs = costs(r#"{"slippage_bps":"5"}"#);

        assert_eq!(costs.fill_price(Side::Buy, price("100")), Some(price("100.05")));
        assert_eq!(costs.fill_price(Side::Sell, price("100")), Some(price("99.95")));
        assert_eq!(costs.fill_price(Side::Buy, price("0.1")), Some(price("0.1")), "0.10005 goes to even");
        assert_eq!(costs.fill_price(Side::Buy, price("0.3")), Some(price("0.3002")), "0.30015 goes to even");
        assert_eq!(costs.fill_price(Side::Sell, price("0.00001")), None);
    }

    #[test]
    fn no_term_pays_the_trader() {
        assert!(serde_json::from_str::<Costs>(r#"{"bps":"-1"}"#).is_err());
        assert!(serde_json::from_str::<Costs>(r#"{"max_bps_of_notional":"-1"}"#).is_err());
        assert!(serde_json::from_str::<Costs>(r#"{"slippage_bps":"10000"}"#).is_err());
        assert!(serde_json::from_str::<Costs>(r#"{"fee":"1"}"#).is_err(), "a misspelt term is no term");
    }

    #[test]
    fn what_is_affordable_fits_and_one_share_more_does_not() {
        let costs = costs(r#"{"bps":"10","per_share":"0.01","min":"1","slippage_bps":"5"}"#);
        let open = price("33.3333");
        let spent = |quantity| {
            let price = costs.fill_price(Side::Buy, open).unwrap();
            costs.charge(price, quantity).unwrap().outlay().unwrap()
        };

        let quantity = costs.affordable(open, decimal("10000"), 1);

        assert!(spent(quantity) <= decimal("10000") && spent(quantity + 1) > decimal("10000"), "{quantity}");
        assert_eq!(Costs::NONE.affordable(price("0.01"), decimal("250"), 1), 25_000);
        assert_eq!(Costs::NONE.affordable(price("255.04"), decimal("10000"), 3), 13);
        assert_eq!(Costs::NONE.affordable(price("255.04"), decimal("255.03"), 1), 0);
        assert_eq!(costs.affordable(price("1"), decimal("1.5"), 1), 0, "the minimum fee eats it");
        assert!(Costs::NONE.affordable(price("0.0000000001"), Decimal::MAX, 1) > 0);
    }
}
