//! The prices that the accounts of one day need, and how they come from a price history.

use chrono::NaiveDate;

use crate::accounting::corporate_action::Split;
use crate::market::as_of::PriceHistory;
use crate::market::instruments::Symbol;
use crate::values::money::Price;

/// The prices of one day.
pub trait DayPrices: Send + Sync {
    /// The day's opening price; `None` without a bar that day.
    fn open(&self, symbol: &Symbol) -> Option<Price>;

    /// The day's closing price; `None` without a bar that day.
    fn close(&self, symbol: &Symbol) -> Option<Price>;

    /// The latest close before the day, restated for every split since, those of the day itself included; `None`
    /// without an earlier bar.
    fn last_known(&self, symbol: &Symbol) -> Option<Price>;
}

/// The prices of one day, read from a price history.
#[derive(Clone, Copy)]
pub struct MarketDay<'a> {
    history: &'a dyn PriceHistory,
    splits: &'a [(NaiveDate, Split)],
    date: NaiveDate,
}

impl<'a> MarketDay<'a> {
    /// The market of `date`. `splits` are all known ones in any order, each with the day at whose open it takes effect.
    pub fn new(history: &'a dyn PriceHistory, splits: &'a [(NaiveDate, Split)], date: NaiveDate) -> Self {
        Self { history, splits, date }
    }
}

impl DayPrices for MarketDay<'_> {
    fn open(&self, symbol: &Symbol) -> Option<Price> {
        self.history.bar(symbol, self.date).map(|bar| bar.open())
    }

    fn close(&self, symbol: &Symbol) -> Option<Price> {
        self.history.bar(symbol, self.date).map(|bar| bar.close())
    }

    fn last_known(&self, symbol: &Symbol) -> Option<Price> {
        let known_on = self.history.previous_date(symbol, self.date).filter(|date| *date < self.date)?;
        let close = self.history.bar(symbol, known_on)?.close();
        let since = |(date, split): &&(NaiveDate, Split)| {
            split.symbol == *symbol && known_on < *date && *date <= self.date
        };
        self.splits.iter().filter(since).try_fold(close, |price, (_, split)| split.restate(price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::instruments::Bar;
    use crate::market::price_table::PriceTable;

    #[test]
    fn the_last_known_price_is_an_earlier_close_in_the_shares_of_the_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let price = |text: &str| text.parse::<Price>().unwrap();
        let symbol: Symbol = "NVDA".parse().unwrap();
        let bar = Bar::new(price("1197.7"), price("1210"), price("1190"), price("1208.88"), 1).unwrap();
        let table: PriceTable = [(symbol.clone(), day("2024-06-07"), bar)].into_iter().collect();
        let (from, to) = (1.try_into().unwrap(), 10.try_into().unwrap());
        let splits = [(day("2024-06-10"), Split { symbol: symbol.clone(), from, to })];
        let market = |date| MarketDay::new(&table, &splits, day(date));

        assert_eq!(
            market("2024-06-07").last_known(&symbol),
            None,
            "the close of the day itself is not earlier"
        );
        assert_eq!(market("2024-06-08").last_known(&symbol), Some(price("1208.88")));
        assert_eq!(market("2024-06-10").last_known(&symbol), Some(price("120.888")));
        assert_eq!(market("2024-06-11").last_known(&symbol), Some(price("120.888")));
        assert_eq!(market("2024-06-07").close(&symbol), Some(price("1208.88")));
        assert_eq!(market("2024-06-10").open(&symbol), None);
    }
}
