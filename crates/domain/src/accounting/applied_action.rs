//! What corporate actions do to a portfolio before the open.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::accounting::day_error::DayError;
use crate::accounting::market_day::DayPrices;
use crate::accounting::portfolio::Portfolio;
use crate::market::corporate_action::{Action, Cash, CorporateAction, Ratio};
use crate::market::instruments::Symbol;
use crate::market::renames::Rename;
use crate::values::arithmetic::{exact_difference, exact_product, exact_sum, half_even};

/// The effect of a corporate action on a portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedAction {
    /// The symbol that was held.
    pub symbol: Symbol,
    /// The action.
    pub action: Action,
    /// Shares held before it.
    pub shares_before: u64,
    /// Shares of the same symbol held after it.
    pub shares_after: u64,
    /// Shares received of [`Action::new_symbol`].
    pub new_shares: u64,
    /// Dollars that it paid into the cash.
    pub cash: Decimal,
}

/// Applies `due`, which takes effect on `date`, to `portfolio` and returns what it did; `None` when the portfolio does not
/// hold the symbol. A fraction of a share is paid in cash at the day's price of such a share. Payments are rounded half-even
/// to cents.
///
/// # Errors
/// When a fraction or an estimate has no price, or an amount is too large to be exact.
pub(super) fn apply(
    date: NaiveDate,
    due: &CorporateAction,
    portfolio: &mut Portfolio,
    prices: &dyn DayPrices,
) -> Result<Option<AppliedAction>, DayError> {
    let CorporateAction { symbol, action } = due;
    let shares_before = portfolio.quantity(symbol);
    if shares_before == 0 {
        return Ok(None);
    }
    let terms = action.terms();
    let cash_before = portfolio.cash();
    let mut cash = match terms.cash {
        Cash::Nothing => cash_before,
        Cash::PerShare(amount) => paid(cash_before, amount, shares_before)?,
        Cash::LastClose => {
            let close = prices.last_close(symbol, date).ok_or_else(|| DayError::Unpriced(symbol.clone()))?;
            paid(cash_before, close.amount(), shares_before)?
        }
    };
    let kept = Shares::of(terms.kept, shares_before)?;
    cash = kept.pay_fraction(cash, symbol, prices)?;
    portfolio.settle(symbol, kept.whole, cash)?;
    let mut new_shares = 0;
    if let Some((new, ratio)) = terms.received {
        let received = Shares::of(Some(ratio), shares_before)?;
        cash = received.pay_fraction(cash, new, prices)?;
        new_shares = received.whole;
        let held = portfolio.quantity(new).checked_add(new_shares).ok_or(DayError::TooLarge)?;
        portfolio.settle(new, held, cash)?;
    }
    Ok(Some(AppliedAction {
        symbol: symbol.clone(),
        action: action.clone(),
        shares_before,
        shares_after: kept.whole,
        new_shares,
        cash: exact_difference(cash, cash_before).ok_or(DayError::TooLarge)?,
    }))
}

/// Pays out the shares of another company that has the symbol which a rename on `date` gives to the shares of `due`: at
/// their last close, which is an estimate, as nothing is known of what became of them. Left alone, they would turn into
/// shares of the company that takes the symbol. `None` when the portfolio has no such shares.
///
/// # Errors
/// When they have no price, or the amount is too large to be exact.
pub(super) fn pay_displaced(
    date: NaiveDate,
    due: &CorporateAction,
    portfolio: &mut Portfolio,
    prices: &dyn DayPrices,
) -> Result<Option<AppliedAction>, DayError> {
    let Action::Rename { new } = &due.action else { return Ok(None) };
    let rename = Rename { date, old: due.symbol.clone(), new: new.clone() };
    if portfolio.quantity(new) == 0 || !prices.displaces(&rename) {
        return Ok(None);
    }
    let unknown = CorporateAction { symbol: new.clone(), action: Action::Delisting { per_share: None } };
    apply(date, &unknown, portfolio, prices)
}

/// Whole shares and a fraction of one, in parts of a share.
struct Shares {
    whole: u64,
    parts: Decimal,
    parts_of_share: Decimal,
}

impl Shares {
    fn of(ratio: Option<Ratio>, shares: u64) -> Result<Self, DayError> {
        let (whole, parts) = ratio.map_or((0, 0), |ratio| ratio.shares(shares));
        let whole = u64::try_from(whole).map_err(|_| DayError::TooLarge)?;
        let parts = Decimal::try_from_i128_with_scale(parts.cast_signed(), 0);
        let parts_of_share = Decimal::from(ratio.unwrap_or(Ratio::ONE).from().get());
        Ok(Self { whole, parts: parts.map_err(|_| DayError::TooLarge)?, parts_of_share })
    }

    /// `cash` with the fraction's price.
    fn pay_fraction(
        &self,
        cash: Decimal,
        symbol: &Symbol,
        prices: &dyn DayPrices,
    ) -> Result<Decimal, DayError> {
        if self.parts.is_zero() {
            return Ok(cash);
        }
        let price = prices.mark(symbol).ok_or_else(|| DayError::Unpriced(symbol.clone()))?;
        let parts = exact_product(price.amount(), self.parts).ok_or(DayError::TooLarge)?;
        with_payment(cash, parts / self.parts_of_share)
    }
}

fn paid(cash: Decimal, per_share: Decimal, shares: u64) -> Result<Decimal, DayError> {
    with_payment(cash, exact_product(per_share, Decimal::from(shares)).ok_or(DayError::TooLarge)?)
}

fn with_payment(cash: Decimal, dollars: Decimal) -> Result<Decimal, DayError> {
    exact_sum(cash, half_even(dollars, 2)).ok_or(DayError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::corporate_action::ActionKind;
    use crate::values::money::Price;

    /// The price of every symbol; the last close is a dollar less.
    struct At(&'static str);

    impl DayPrices for At {
        fn open(&self, _: &Symbol) -> Option<Price> {
            self.0.parse().ok()
        }
        fn close(&self, _: &Symbol) -> Option<Price> {
            None
        }
        fn last_known(&self, _: &Symbol) -> Option<Price> {
            Price::try_from(self.0.parse::<Decimal>().ok()? - Decimal::ONE).ok()
        }
    }

    fn symbol() -> Symbol {
        "OLD".parse().unwrap()
    }

    fn applied(
        held: u64,
        action: Action,
        price: &'static str,
    ) -> Result<(Portfolio, AppliedAction), DayError> {
        let mut portfolio = Portfolio::new(Decimal::ZERO, [(symbol(), held)].into()).unwrap();
        let due = CorporateAction { symbol: symbol(), action };
        let did = apply(NaiveDate::MIN, &due, &mut portfolio, &At(price))?;
        Ok((portfolio, did.unwrap()))
    }

    fn action(kind: ActionKind, ratio: (u128, u128), per_share: &str) -> Action {
        let ratio = Ratio::reduced(ratio.0, ratio.1);
        Action::of(kind, ratio, per_share.parse().ok(), "NEW".parse().ok()).unwrap()
    }

    #[track_caller]
    fn check(held: u64, action: Action, expected: (u64, u64, &str)) {
        let (portfolio, did) = applied(held, action, "20.40").unwrap();

        let quantity = |name: &str| portfolio.quantity(&name.parse().unwrap());
        let cash = portfolio.cash().to_string();
        assert_eq!((quantity("OLD"), quantity("NEW"), cash.as_str()), expected);
        assert_eq!((did.shares_after, did.new_shares, did.cash), (expected.0, expected.1, portfolio.cash()));
    }

    #[test]
    fn whole_shares_stay_and_the_fraction_is_paid() {
        let split = |ratio| action(ActionKind::Split, ratio, "");
        check(5, split((1, 10)), (50, 0, "0"));
        check(105, split((10, 1)), (10, 0, "10.2"));
        check(7, split((10, 1)), (0, 0, "14.28"));
        check(1, split((3, 1)), (0, 0, "6.8"));
        check(5, split((2, 3)), (7, 0, "10.2"));
    }

    #[test]
    fn every_kind_leaves_what_its_terms_say() {
        check(8, action(ActionKind::Dividend, (1, 1), "0.125"), (8, 0, "1"));
        check(7, action(ActionKind::SpinOff, (2, 1), ""), (7, 3, "10.2"));
        check(7, action(ActionKind::Rename, (1, 1), ""), (0, 7, "0"));
        check(7, action(ActionKind::StockMerger, (2, 1), ""), (0, 3, "10.2"));
        check(7, action(ActionKind::StockMerger, (2, 1), "1.50"), (0, 3, "20.7"));
        check(100, action(ActionKind::CashMerger, (1, 1), "54.20"), (0, 0, "5420"));
        check(100, action(ActionKind::Delisting, (1, 1), "0"), (0, 0, "0"));
        check(100, action(ActionKind::Delisting, (1, 1), ""), (0, 0, "1940"));
    }

    #[test]
    fn what_is_not_held_is_not_touched_and_what_is_held_already_grows() {
        let new: Symbol = "NEW".parse().unwrap();
        let mut portfolio = Portfolio::new(Decimal::ZERO, [(new.clone(), 1)].into()).unwrap();
        let due = CorporateAction { symbol: symbol(), action: action(ActionKind::Rename, (1, 1), "") };
        assert_eq!(apply(NaiveDate::MIN, &due, &mut portfolio, &At("1")), Ok(None));

        portfolio.settle(&symbol(), 2, Decimal::ZERO).unwrap();
        apply(NaiveDate::MIN, &due, &mut portfolio, &At("1")).unwrap();

        assert_eq!(portfolio.holdings(), &[(new, 3)].into());
    }

    #[test]
    fn what_cannot_be_exact_or_has_no_price_is_refused() {
        let split = |ratio| action(ActionKind::Split, ratio, "");
        let refused = |held, action, price| applied(held, action, price).unwrap_err();

        assert_eq!(refused(u64::MAX, split((1, 2)), "1"), DayError::TooLarge);
        assert_eq!(refused(1, split((2, 1)), ""), DayError::Unpriced(symbol()));
        assert_eq!(refused(1, action(ActionKind::Delisting, (1, 1), ""), ""), DayError::Unpriced(symbol()));
        let new = "NEW".parse().unwrap();
        assert_eq!(refused(1, action(ActionKind::SpinOff, (2, 1), ""), ""), DayError::Unpriced(new));
    }
}
