//! Corporate actions: splits and dividends, which change a portfolio before the open.

use std::num::NonZeroU32;

use rust_decimal::Decimal;

use crate::accounting::day_error::DayError;
use crate::accounting::portfolio::Portfolio;
use crate::market::instruments::Symbol;
use crate::values::arithmetic::{exact_difference, exact_product, exact_sum, half_even};
use crate::values::money::Price;

/// The kinds of corporate action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// The number of shares changes, and their price in proportion.
    Split,
    /// Each share receives a payment.
    Dividend,
}

impl ActionKind {
    /// Its form in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Dividend => "dividend",
        }
    }
}

/// The ratio of a split, in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    from: NonZeroU32,
    to: NonZeroU32,
}

impl Ratio {
    /// `from` shares become `to` shares; `None` when either is 0 or, in lowest terms, above 4,294,967,295.
    pub fn reduced(from: u128, to: u128) -> Option<Self> {
        let (mut divisor, mut rest) = (from, to);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let term = |number: u128| NonZeroU32::new(u32::try_from(number.checked_div(divisor)?).ok()?);
        Some(Self { from: term(from)?, to: term(to)? })
    }

    /// Shares before.
    pub fn from(self) -> NonZeroU32 {
        self.from
    }

    /// Shares after.
    pub fn to(self) -> NonZeroU32 {
        self.to
    }
}

/// `from` shares become `to` shares.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Split {
    /// The company's symbol.
    pub symbol: Symbol,
    /// Shares before, e.g. 1.
    pub from: NonZeroU32,
    /// Shares after, e.g. 10.
    pub to: NonZeroU32,
}

/// A payment for each share held before the open of the ex-date.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Dividend {
    /// The company's symbol.
    pub symbol: Symbol,
    /// Dollars for one share, of the shares after a split on the same day.
    pub per_share: Price,
}

/// The corporate actions before one day's open: the splits are applied first, then the dividends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default))]
pub struct CorporateActions {
    /// Splits effective that day.
    pub splits: Vec<Split>,
    /// Dividends whose ex-date is that day.
    pub dividends: Vec<Dividend>,
}

impl CorporateActions {
    /// Whether there is neither a split nor a dividend.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty() && self.dividends.is_empty()
    }

    /// Applies the actions to `portfolio` and returns what each did; actions on symbols that it does not hold do
    /// nothing. A fraction of a share is paid in cash at `price`, the first price after the split. Payments are rounded
    /// half-even to cents.
    ///
    /// # Errors
    /// When a fraction has no price or an amount is too large to be exact.
    pub(crate) fn apply(
        &self,
        portfolio: &mut Portfolio,
        price: impl Fn(&Symbol) -> Option<Price>,
    ) -> Result<Vec<AppliedAction>, DayError> {
        let mut applied = Vec::new();
        for split in &self.splits {
            let did = Effect::of(portfolio, &split.symbol, |portfolio| split.apply(portfolio, &price))?;
            applied
                .extend(did.map(|effect| effect.applied(Action::Split { from: split.from, to: split.to })));
        }
        for dividend in &self.dividends {
            let did = Effect::of(portfolio, &dividend.symbol, |portfolio| dividend.apply(portfolio))?;
            let paid = Action::Dividend { per_share: dividend.per_share };
            applied.extend(did.map(|effect| effect.applied(paid)));
        }
        Ok(applied)
    }
}

/// One corporate action with its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `from` shares became `to` shares.
    Split {
        /// Shares before.
        from: NonZeroU32,
        /// Shares after.
        to: NonZeroU32,
    },
    /// Each share received a payment.
    Dividend {
        /// Dollars for one share.
        per_share: Price,
    },
}

/// The effect of a corporate action on a portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedAction {
    /// The symbol that was held.
    pub symbol: Symbol,
    /// The action.
    pub action: Action,
    /// Shares held before it.
    pub shares_before: u64,
    /// Shares held after it.
    pub shares_after: u64,
    /// Dollars that it paid into the cash.
    pub cash: Decimal,
}

/// How a holding changed.
struct Effect {
    symbol: Symbol,
    shares_before: u64,
    shares_after: u64,
    cash: Decimal,
}

impl Effect {
    /// Runs `apply` and returns how the holding of `symbol` changed; without such a holding it returns `None` and does
    /// not run it.
    fn of(
        portfolio: &mut Portfolio,
        symbol: &Symbol,
        apply: impl FnOnce(&mut Portfolio) -> Result<(), DayError>,
    ) -> Result<Option<Self>, DayError> {
        let (shares_before, cash_before) = (portfolio.quantity(symbol), portfolio.cash());
        if shares_before == 0 {
            return Ok(None);
        }
        apply(portfolio)?;
        let cash = exact_difference(portfolio.cash(), cash_before).ok_or(DayError::TooLarge)?;
        let shares_after = portfolio.quantity(symbol);
        Ok(Some(Self { symbol: symbol.clone(), shares_before, shares_after, cash }))
    }

    fn applied(self, action: Action) -> AppliedAction {
        let Self { symbol, shares_before, shares_after, cash } = self;
        AppliedAction { symbol, action, shares_before, shares_after, cash }
    }
}

impl Split {
    fn apply(
        &self,
        portfolio: &mut Portfolio,
        price: impl Fn(&Symbol) -> Option<Price>,
    ) -> Result<(), DayError> {
        let (from, to) = (u128::from(self.from.get()), u128::from(self.to.get()));
        let parts = u128::from(portfolio.quantity(&self.symbol)) * to;
        let position = u64::try_from(parts / from).map_err(|_| DayError::TooLarge)?;
        let fraction = Decimal::from(parts % from);
        let cash = if fraction.is_zero() {
            portfolio.cash()
        } else {
            let price = price(&self.symbol).ok_or_else(|| DayError::Unpriced(self.symbol.clone()))?;
            let paid = exact_product(price.amount(), fraction).ok_or(DayError::TooLarge)?;
            with_payment(portfolio, paid / Decimal::from(from))?
        };
        Ok(portfolio.settle(&self.symbol, position, cash)?)
    }

    /// A price before the split, restated for one share after it, to ten places; `None` when it rounds to zero.
    pub(crate) fn restate(&self, price: Price) -> Option<Price> {
        let scaled = price.amount().checked_mul(Decimal::from(self.from.get()))?;
        Price::try_from(half_even(scaled.checked_div(Decimal::from(self.to.get()))?, 10)).ok()
    }
}

impl Dividend {
    fn apply(&self, portfolio: &mut Portfolio) -> Result<(), DayError> {
        let position = portfolio.quantity(&self.symbol);
        let paid = exact_product(self.per_share.amount(), Decimal::from(position));
        let cash = with_payment(portfolio, paid.ok_or(DayError::TooLarge)?)?;
        Ok(portfolio.settle(&self.symbol, position, cash)?)
    }
}

fn with_payment(portfolio: &Portfolio, dollars: Decimal) -> Result<Decimal, DayError> {
    exact_sum(portfolio.cash(), half_even(dollars, 2)).ok_or(DayError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(held: u64, from: u32, to: u32, expected: (u64, &str)) {
        let symbol: Symbol = "AAPL".parse().unwrap();
        let mut portfolio = Portfolio::new(Decimal::ZERO, [(symbol.clone(), held)].into()).unwrap();
        let split =
            Split { symbol: symbol.clone(), from: from.try_into().unwrap(), to: to.try_into().unwrap() };

        CorporateActions { splits: vec![split], dividends: vec![] }
            .apply(&mut portfolio, |_| Some("20.40".parse().unwrap()))
            .unwrap();

        assert_eq!((portfolio.quantity(&symbol), portfolio.cash().to_string().as_str()), expected);
    }

    #[test]
    fn whole_shares_stay_and_the_fraction_is_paid() {
        check(5, 1, 10, (50, "0"));
        check(105, 10, 1, (10, "10.2"));
        check(7, 10, 1, (0, "14.28"));
        check(1, 3, 1, (0, "6.8"));
        check(5, 2, 3, (7, "10.2"));
    }

    #[test]
    fn a_split_beyond_any_position_is_refused() {
        let symbol: Symbol = "AAPL".parse().unwrap();
        let mut portfolio = Portfolio::new(Decimal::ZERO, [(symbol.clone(), u64::MAX)].into()).unwrap();
        let split = Split { symbol, from: 1.try_into().unwrap(), to: 2.try_into().unwrap() };
        let actions = CorporateActions { splits: vec![split], dividends: vec![] };

        assert_eq!(actions.apply(&mut portfolio, |_| None), Err(DayError::TooLarge));
    }

    #[test]
    fn the_dividend_is_paid_on_the_shares_after_the_split() {
        let text = r#"{"splits":[{"symbol":"AAPL","from":1,"to":2}],
                       "dividends":[{"symbol":"AAPL","per_share":"0.125"},{"symbol":"MSFT","per_share":"9"}]}"#;
        let actions: CorporateActions = serde_json::from_str(text).unwrap();
        let mut portfolio = Portfolio::new(Decimal::ZERO, [("AAPL".parse().unwrap(), 1)].into()).unwrap();

        actions.apply(&mut portfolio, |_| None).unwrap();

        assert_eq!(portfolio.cash().to_string(), "0.25");
        assert_eq!(portfolio.holdings().len(), 1);
    }
}
