//! The point-in-time view of prices: at the open of a day a model sees earlier bars in full, that day's open, and
//! nothing later. It prevents look-ahead bias.

use chrono::NaiveDate;

use crate::market::calendar::Calendar;
use crate::market::instruments::{Bar, Symbol};
use crate::values::money::Price;

/// A source of bars by symbol and date. It also holds bars of later days, so models read it through [`AsOf`] only.
pub trait PriceHistory: Send + Sync {
    /// The bar of `symbol` on `date`.
    fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Option<Bar>;

    /// The latest date before `date` itself on which `symbol` has a bar.
    fn previous_date(&self, symbol: &Symbol, date: NaiveDate) -> Option<NaiveDate>;
}

/// Why [`AsOf`] returns no bar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AsOfError {
    /// The bar is of today or later: of today only the open is known, of later days nothing.
    #[error("the bar of {requested} is not known on {today}")]
    LookAhead {
        /// The requested date.
        requested: NaiveDate,
        /// The day of the view.
        today: NaiveDate,
    },
    /// The symbol has no bar on that earlier date.
    #[error("{symbol} has no bar on {date}")]
    Unknown {
        /// The requested symbol.
        symbol: Symbol,
        /// The requested date.
        date: NaiveDate,
    },
}

/// The market as it is known at the open of one day. Prices are as traded, not adjusted for splits.
#[derive(Clone, Copy)]
pub struct AsOf<'a> {
    history: &'a dyn PriceHistory,
    calendar: &'a Calendar,
    today: NaiveDate,
}

impl<'a> AsOf<'a> {
    /// The view at the open of `today`.
    pub fn new(history: &'a dyn PriceHistory, calendar: &'a Calendar, today: NaiveDate) -> Self {
        Self { history, calendar, today }
    }

    /// The day of the view.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// Today's opening price of `symbol`; `None` without a bar today.
    pub fn open(&self, symbol: &Symbol) -> Option<Price> {
        self.history.bar(symbol, self.today).map(|bar| bar.open())
    }

    /// The full bar of a day before today.
    ///
    /// # Errors
    /// `LookAhead` for today and later, `Unknown` when the symbol has no bar on `date`.
    pub fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Result<Bar, AsOfError> {
        if date >= self.today {
            return Err(AsOfError::LookAhead { requested: date, today: self.today });
        }
        let unknown = || AsOfError::Unknown { symbol: symbol.clone(), date };
        self.history.bar(symbol, date).ok_or_else(unknown)
    }

    /// The last session before today; `None` when the calendar does not cover it.
    pub fn previous_session(&self) -> Option<NaiveDate> {
        self.calendar.previous_session(self.today)
    }

    /// The last `count` sessions before today, oldest first; fewer at the beginning of the calendar.
    pub fn sessions_before(&self, count: usize) -> &'a [NaiveDate] {
        self.calendar.sessions_before(self.today, count)
    }

    /// The closes of the last session before today, in the order of `symbols`; symbols without one are left out.
    pub fn previous_closes<'s>(
        &self,
        symbols: impl IntoIterator<Item = &'s Symbol>,
    ) -> Vec<(&'s Symbol, Price)> {
        let Some(session) = self.previous_session() else { return Vec::new() };
        let close = |symbol| Some((symbol, self.bar(symbol, session).ok()?.close()));
        symbols.into_iter().filter_map(close).collect()
    }

    /// The last `count` bars of `symbol` before today with their dates, oldest first; fewer when the history is
    /// shorter.
    pub fn history(&self, symbol: &Symbol, count: usize) -> Vec<(NaiveDate, Bar)> {
        let earlier = |date: NaiveDate| {
            // An implementation that returns the same or a later date would make this loop endless, or show the future.
            self.history.previous_date(symbol, date).filter(|found| *found < date)
        };
        let dates = std::iter::successors(earlier(self.today), |date| earlier(*date)).take(count);
        let mut bars: Vec<_> = dates.filter_map(|date| Some((date, self.bar(symbol, date).ok()?))).collect();
        bars.reverse();
        bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::price_table::PriceTable;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn apple() -> Symbol {
        "AAPL".parse().unwrap()
    }

    /// Bars of October 2025 whose open and close contain the day of the month; none on the 6th.
    fn table() -> PriceTable {
        let price = |text: String| text.parse::<Price>().unwrap();
        let bar = |n: u32| {
            let (open, close) = (price(format!("{n}.1")), price(format!("{n}.9")));
            (apple(), day(&format!("2025-10-{n:02}")), Bar::new(open, close, open, close, 1).unwrap())
        };
        [1, 2, 3, 7, 8, 9].map(bar).into_iter().collect()
    }

    #[test]
    fn of_today_only_the_open_is_seen() {
        let (table, calendar) = (table(), Calendar::nyse());
        let view = AsOf::new(&table, &calendar, day("2025-10-08"));

        assert_eq!(view.open(&apple()), Some("8.1".parse().unwrap()));
        for hidden in ["2025-10-08", "2025-10-09", "2025-10-10"].map(day) {
            let refused = AsOfError::LookAhead { requested: hidden, today: day("2025-10-08") };
            assert_eq!(view.bar(&apple(), hidden), Err(refused));
        }
    }

    #[test]
    fn an_earlier_bar_is_seen_in_full_or_unknown() {
        let (table, calendar) = (table(), Calendar::nyse());
        let view = AsOf::new(&table, &calendar, day("2025-10-08"));

        assert_eq!(view.bar(&apple(), day("2025-10-07")).unwrap().close(), "7.9".parse().unwrap());
        assert_eq!(
            view.bar(&apple(), day("2025-10-06")),
            Err(AsOfError::Unknown { symbol: apple(), date: day("2025-10-06") })
        );
    }

    #[test]
    fn history_is_the_last_bars_before_today_oldest_first() {
        let (table, calendar) = (table(), Calendar::nyse());
        let view = AsOf::new(&table, &calendar, day("2025-10-08"));
        let dates = |count| view.history(&apple(), count).iter().map(|(date, _)| *date).collect::<Vec<_>>();

        assert_eq!(dates(3), ["2025-10-02", "2025-10-03", "2025-10-07"].map(day));
        assert_eq!(dates(9), ["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-07"].map(day));
        assert!(dates(0).is_empty());
    }

    #[test]
    fn previous_closes_are_of_the_previous_session_only() {
        let (table, calendar) = (table(), Calendar::nyse());
        let symbol = apple();

        let closes = |date| AsOf::new(&table, &calendar, day(date)).previous_closes([&symbol]);

        assert_eq!(closes("2025-10-08"), [(&symbol, "7.9".parse().unwrap())]);
        assert_eq!(closes("2025-10-07"), [], "the 6th was a session without a bar");
    }

    #[test]
    fn a_history_that_runs_forward_shows_nothing() {
        struct Forward;
        impl PriceHistory for Forward {
            fn bar(&self, _: &Symbol, _: NaiveDate) -> Option<Bar> {
                None
            }
            fn previous_date(&self, _: &Symbol, date: NaiveDate) -> Option<NaiveDate> {
                date.succ_opt()
            }
        }
        let calendar = Calendar::nyse();

        assert!(AsOf::new(&Forward, &calendar, day("2025-10-08")).history(&apple(), 5).is_empty());
    }
}
