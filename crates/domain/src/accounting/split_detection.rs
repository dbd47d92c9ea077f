//! Detects splits that are missing from the known corporate actions, by their effect on a price overnight.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::accounting::market_day::DayPrices;
use crate::accounting::portfolio::Portfolio;
use crate::market::instruments::Symbol;
use crate::values::money::Price;

/// How far a price ratio may be from a whole number, as a fraction of that number.
const TOLERANCE: Decimal = Decimal::from_parts(4, 0, 0, false, 2);

/// An overnight price change that looks like a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspectedSplit {
    /// The held symbol.
    pub symbol: Symbol,
    /// The last close before the day.
    pub close: Price,
    /// The day's open.
    pub open: Price,
    /// The suspected ratio, in the form in which splits are imported: `new:old` shares.
    pub ratio: String,
}

/// The held symbols whose open is close to n times, or to 1/n of, their last known price. That price is already
/// restated for the splits that are known.
pub fn suspected_splits(held: &Portfolio, market: &dyn DayPrices) -> Vec<SuspectedSplit> {
    let suspect = |symbol: &Symbol| {
        let (close, open) = (market.last_known(symbol)?, market.open(symbol)?);
        let ratio = match (multiple(close, open), multiple(open, close)) {
            (Some(times), _) => format!("{times}:1"),
            (None, Some(times)) => format!("1:{times}"),
            (None, None) => return None,
        };
        Some(SuspectedSplit { symbol: symbol.clone(), close, open, ratio })
    };
    held.holdings().keys().filter_map(suspect).collect()
}

/// The lowest ratio that is within the tolerance of a whole number from 2 on.
const MIN_RATIO: Decimal = Decimal::from_parts(192, 0, 0, false, 2);

/// The whole number from 2 on that `price / unit` is close to.
fn multiple(price: Price, unit: Price) -> Option<u64> {
    // This holds for nearly every symbol and day, and a multiplication is much faster than the division below.
    if price.amount() < unit.amount().checked_mul(MIN_RATIO)? {
        return None;
    }
    let ratio = price.amount().checked_div(unit.amount())?;
    let times = ratio.round();
    let off = (ratio - times).abs();
    (times >= Decimal::TWO && off <= times.checked_mul(TOLERANCE)?).then(|| times.to_u64()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Overnight(&'static str, &'static str);

    impl DayPrices for Overnight {
        fn open(&self, _: &Symbol) -> Option<Price> {
            self.1.parse().ok()
        }
        fn close(&self, _: &Symbol) -> Option<Price> {
            None
        }
        fn last_known(&self, _: &Symbol) -> Option<Price> {
            self.0.parse().ok()
        }
    }

    fn check(close: &'static str, open: &'static str, ratio: Option<&str>) {
        let held = Portfolio::new(Decimal::ZERO, [("NVDA".parse().unwrap(), 1)].into()).unwrap();

        let found = suspected_splits(&held, &Overnight(close, open));

        assert_eq!(found.first().map(|split| split.ratio.as_str()), ratio, "{close} to {open}");
    }

    #[test]
    fn an_open_close_to_an_nth_or_to_n_times_the_close_looks_like_a_split() {
        check("1208.88", "120.37", Some("10:1"));
        check("300", "151", Some("2:1"));
        check("2.00", "20.40", Some("1:10"));
        check("300", "160", None);
        check("300", "250", None);
        check("300", "301", None);
        check("300", "", None);
    }
}
