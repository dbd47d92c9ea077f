//! Corporate actions as facts: what a company did to its shares. `accounting` applies them to portfolios.

use std::fmt;
use std::num::NonZeroU32;

use rust_decimal::Decimal;

use crate::market::instruments::{Bar, Symbol};
use crate::values::arithmetic::half_even;
use crate::values::money::Price;

/// The kinds of corporate action, in the order in which those of one day are applied: the shares have their new name
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// The shares are traded under another symbol.
    Rename,
    /// The number of shares changes, and their price in proportion.
    Split,
    /// Each share receives a payment.
    Dividend,
    /// Holders receive shares of another company and keep theirs.
    SpinOff,
    /// The shares become shares of another company.
    StockMerger,
    /// The shares become cash.
    CashMerger,
    /// The shares are no longer traded.
    Delisting,
}

impl ActionKind {
    /// All kinds, in their order.
    pub const ALL: [Self; 7] = [
        Self::Rename,
        Self::Split,
        Self::Dividend,
        Self::SpinOff,
        Self::StockMerger,
        Self::CashMerger,
        Self::Delisting,
    ];

    /// Its stable name, in the database, in events and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Split => "split",
            Self::Dividend => "dividend",
            Self::SpinOff => "spin_off",
            Self::StockMerger => "stock_merger",
            Self::CashMerger => "cash_merger",
            Self::Delisting => "delisting",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How many shares there are for how many before. It is written with the new ones first: `10:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    from: NonZeroU32,
    to: NonZeroU32,
}

impl Ratio {
    /// One share for one.
    pub const ONE: Self = Self { from: NonZeroU32::MIN, to: NonZeroU32::MIN };

    /// `from` shares become `to` shares.
    pub fn new(from: NonZeroU32, to: NonZeroU32) -> Self {
        Self { from, to }
    }

    /// `from` shares become `to` shares, in lowest terms; `None` when either is 0 or then above 4,294,967,295.
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

    /// Whether the number of shares stays.
    pub fn is_one(self) -> bool {
        self.from == self.to
    }

    /// From the shares after it to those before it.
    pub fn inverse(self) -> Self {
        Self { from: self.to, to: self.from }
    }

    /// This ratio and then `next`, in lowest terms; `None` when its terms are too large.
    pub fn then(self, next: Self) -> Option<Self> {
        let product = |a: NonZeroU32, b: NonZeroU32| u128::from(a.get()) * u128::from(b.get());
        Self::reduced(product(self.from, next.from), product(self.to, next.to))
    }

    /// `shares` after it, as whole shares and the rest, which is in parts of [`Self::from`].
    pub fn shares(self, shares: u64) -> (u128, u128) {
        let (from, to) = (u128::from(self.from.get()), u128::from(self.to.get()));
        let parts = u128::from(shares) * to;
        (parts / from, parts % from)
    }

    /// A price from before it for one share after it, half-even to ten places; `None` when it rounds to zero or is too
    /// large.
    pub fn price(self, price: Price) -> Option<Price> {
        if self.is_one() {
            return Some(price);
        }
        let scaled = price.amount().checked_mul(Decimal::from(self.from.get()))?;
        Price::try_from(half_even(scaled.checked_div(Decimal::from(self.to.get()))?, 10)).ok()
    }

    /// A bar from before it in the shares after it. The volume is rounded half-even.
    pub fn bar(self, bar: Bar) -> Option<Bar> {
        if self.is_one() {
            return Some(bar);
        }
        let (whole, rest) = self.shares(bar.volume());
        let twice = rest * 2;
        let from = u128::from(self.from.get());
        let up = u128::from(twice > from || (twice == from && whole % 2 == 1));
        let volume = u64::try_from(whole + up).unwrap_or(u64::MAX);
        let price = |price| self.price(price);
        Bar::new(price(bar.open())?, price(bar.high())?, price(bar.low())?, price(bar.close())?, volume).ok()
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.to, self.from)
    }
}

/// What a company did, with its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The shares are traded as `new`.
    Rename {
        /// The new symbol.
        new: Symbol,
    },
    /// Shares became other shares of the same company.
    Split(Ratio),
    /// A payment for each share, of the shares after a split on the same day.
    Dividend {
        /// Dollars for one share.
        per_share: Price,
    },
    /// Shares of `new` for the held shares, which stay.
    SpinOff {
        /// Shares of `new` for shares of the company.
        ratio: Ratio,
        /// The symbol of the company that was spun off.
        new: Symbol,
    },
    /// The shares became shares of `new`.
    StockMerger {
        /// Shares of `new` for shares of the company.
        ratio: Ratio,
        /// The symbol of the other company.
        new: Symbol,
        /// Dollars beside them for one share.
        per_share: Option<Price>,
    },
    /// The shares became cash.
    CashMerger {
        /// Dollars for one share.
        per_share: Price,
    },
    /// The shares are no longer traded, and are paid out.
    Delisting {
        /// Dollars for one share; `None` when nobody knows them, and then the last close is the estimate.
        per_share: Option<Decimal>,
    },
}

/// The dollars that an action pays for one share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cash {
    /// None.
    Nothing,
    /// This amount.
    PerShare(Decimal),
    /// The last close before the day.
    LastClose,
}

/// What holders have after an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'a> {
    /// How many of the company's shares they have for how many before; `None` when they have none.
    pub kept: Option<Ratio>,
    /// What they receive: a symbol, and how many of its shares for how many of the company's.
    pub received: Option<(&'a Symbol, Ratio)>,
    /// What they are paid for each share that they had.
    pub cash: Cash,
}

impl Action {
    /// The action of these parts; `None` when the kind needs one that is not there.
    pub fn of(
        kind: ActionKind,
        ratio: Option<Ratio>,
        per_share: Option<Decimal>,
        new: Option<Symbol>,
    ) -> Option<Self> {
        let price = |amount: Decimal| Price::try_from(amount).ok();
        Some(match kind {
            ActionKind::Rename => Self::Rename { new: new? },
            ActionKind::Split => Self::Split(ratio?),
            ActionKind::Dividend => Self::Dividend { per_share: price(per_share?)? },
            ActionKind::SpinOff => Self::SpinOff { ratio: ratio?, new: new? },
            ActionKind::StockMerger => {
                Self::StockMerger { ratio: ratio?, new: new?, per_share: per_share.and_then(price) }
            }
            ActionKind::CashMerger => Self::CashMerger { per_share: price(per_share?)? },
            ActionKind::Delisting => {
                Self::Delisting { per_share: per_share.filter(|amount| *amount >= Decimal::ZERO) }
            }
        })
    }

    /// Its kind.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Rename { .. } => ActionKind::Rename,
            Self::Split(_) => ActionKind::Split,
            Self::Dividend { .. } => ActionKind::Dividend,
            Self::SpinOff { .. } => ActionKind::SpinOff,
            Self::StockMerger { .. } => ActionKind::StockMerger,
            Self::CashMerger { .. } => ActionKind::CashMerger,
            Self::Delisting { .. } => ActionKind::Delisting,
        }
    }

    /// New shares for old ones, of the kinds that have a ratio.
    pub fn ratio(&self) -> Option<Ratio> {
        match self {
            Self::Split(ratio) | Self::SpinOff { ratio, .. } | Self::StockMerger { ratio, .. } => {
                Some(*ratio)
            }
            Self::Rename { .. }
            | Self::Dividend { .. }
            | Self::CashMerger { .. }
            | Self::Delisting { .. } => None,
        }
    }

    /// Dollars for one share, as far as they are announced.
    pub fn per_share(&self) -> Option<Decimal> {
        match self {
            Self::Dividend { per_share } | Self::CashMerger { per_share } => Some(per_share.amount()),
            Self::StockMerger { per_share, .. } => per_share.map(Price::amount),
            Self::Delisting { per_share } => *per_share,
            Self::Rename { .. } | Self::Split(_) | Self::SpinOff { .. } => None,
        }
    }

    /// The symbol whose shares the holders receive.
    pub fn new_symbol(&self) -> Option<&Symbol> {
        match self {
            Self::Rename { new } | Self::SpinOff { new, .. } | Self::StockMerger { new, .. } => Some(new),
            Self::Split(_) | Self::Dividend { .. } | Self::CashMerger { .. } | Self::Delisting { .. } => None,
        }
    }

    /// Whether its payment is an estimate.
    pub fn is_estimated(&self) -> bool {
        matches!(self, Self::Delisting { per_share: None })
    }

    /// What holders have after it.
    pub fn terms(&self) -> Terms<'_> {
        let cash = match self.per_share() {
            Some(amount) => Cash::PerShare(amount),
            None if self.is_estimated() => Cash::LastClose,
            None => Cash::Nothing,
        };
        let kept = match self {
            Self::Split(ratio) => Some(*ratio),
            Self::Dividend { .. } | Self::SpinOff { .. } => Some(Ratio::ONE),
            Self::Rename { .. }
            | Self::StockMerger { .. }
            | Self::CashMerger { .. }
            | Self::Delisting { .. } => None,
        };
        let received = self.new_symbol().map(|new| (new, self.ratio().unwrap_or(Ratio::ONE)));
        Terms { kept, received, cash }
    }
}

/// What a company did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorporateAction {
    /// The company's symbol.
    pub symbol: Symbol,
    /// What it did.
    pub action: Action,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(from: u128, to: u128) -> Ratio {
        Ratio::reduced(from, to).unwrap()
    }

    fn bar(prices: [&str; 4], volume: u64) -> Bar {
        let [open, high, low, close] = prices.map(|text| text.parse().unwrap());
        Bar::new(open, high, low, close, volume).unwrap()
    }

    #[test]
    fn a_bar_is_restated_to_ten_places_half_even_and_stays_a_bar() {
        let restated = ratio(1, 10).bar(bar(["1197.7", "1210", "1190", "1208.88"], 15)).unwrap();
        assert_eq!(restated, bar(["119.77", "121", "119", "120.888"], 150));

        let thirds = ratio(3, 1).bar(bar(["10", "10", "10", "10"], 8)).unwrap();
        assert_eq!(thirds, bar(["30", "30", "30", "30"], 3), "two and two thirds");

        assert_eq!(ratio(2, 3).price("1".parse().unwrap()).unwrap().to_string(), "0.6666666667");
        assert_eq!(ratio(1, 2).price("0.0000000001".parse().unwrap()), None, "half of it rounds to zero");
        assert_eq!(ratio(2, 1).bar(bar(["1", "1", "1", "1"], 3)).unwrap().volume(), 2, "1.5 is even 2");
        assert_eq!(ratio(2, 1).bar(bar(["1", "1", "1", "1"], 5)).unwrap().volume(), 2, "2.5 is even 2");
    }

    #[test]
    fn ratios_follow_one_another_in_lowest_terms() {
        assert_eq!(ratio(1, 10).then(ratio(5, 1)), Some(ratio(1, 2)));
        assert_eq!(ratio(20, 10).to_string(), "1:2");
        assert_eq!(ratio(1, u128::from(u32::MAX)).then(ratio(1, 2)), None);
    }

    #[test]
    fn an_action_is_made_of_its_parts_or_not_at_all() {
        let new: Symbol = "NEW".parse().unwrap();
        for kind in ActionKind::ALL {
            let action = Action::of(kind, Some(ratio(1, 2)), Some(Decimal::TWO), Some(new.clone())).unwrap();

            let again = Action::of(kind, action.ratio(), action.per_share(), action.new_symbol().cloned());

            assert_eq!(ActionKind::parse(kind.as_str()), Some(kind));
            assert_eq!((action.kind(), again.as_ref()), (kind, Some(&action)));
            assert_eq!(Action::of(kind, None, None, None).is_some(), kind == ActionKind::Delisting);
        }
    }
}
