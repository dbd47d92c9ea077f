//! The prices that the accounts of one day need, and how they come from a price history.

use chrono::NaiveDate;

use crate::market::instruments::Symbol;
use crate::market::known_actions::KnownActions;
use crate::market::price_history::{PriceHistory, ShareHistory};
use crate::market::renames::Rename;
use crate::market::rules::MarketRules;
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

    /// The price of a share at the open: the open or, without a bar, the last known price.
    fn mark(&self, symbol: &Symbol) -> Option<Price> {
        self.open(symbol).or_else(|| self.last_known(symbol))
    }

    /// The session of [`Self::last_known`].
    fn last_known_on(&self, symbol: &Symbol) -> Option<NaiveDate> {
        let _ = symbol;
        None
    }

    /// The latest close before `date`, at the latest this day, of the shares that had the symbol until then, restated for
    /// every split since, those of `date` included; without one, the last known price.
    fn last_close(&self, symbol: &Symbol, date: NaiveDate) -> Option<Price> {
        let _ = date;
        self.last_known(symbol)
    }

    /// Whether another company had the new symbol of `rename` until then.
    fn displaces(&self, rename: &Rename) -> bool {
        let _ = rename;
        false
    }

    /// Whether the day has a bar and nothing was traded in it, so that it fills no order.
    fn is_halted(&self, symbol: &Symbol) -> bool {
        let _ = symbol;
        false
    }

    /// The rules of the day.
    fn rules(&self) -> MarketRules {
        MarketRules::default()
    }
}

/// The prices of one day, read from a price history.
#[derive(Clone, Copy)]
pub struct MarketDay<'a> {
    history: &'a dyn PriceHistory,
    actions: &'a KnownActions,
    rules: MarketRules,
    date: NaiveDate,
}

impl<'a> MarketDay<'a> {
    /// The market of `date`. `actions` are all known ones; later ones have no effect.
    pub fn new(history: &'a dyn PriceHistory, actions: &'a KnownActions, date: NaiveDate) -> Self {
        Self { history, actions, rules: MarketRules::default(), date }
    }

    /// The same market under `rules`.
    pub fn under(self, rules: MarketRules) -> Self {
        Self { rules, ..self }
    }

    /// The bars across renames.
    fn shares(&self) -> ShareHistory<'a> {
        ShareHistory::new(self.history, self.rules.renames(self.actions), self.date)
    }
}

impl DayPrices for MarketDay<'_> {
    fn open(&self, symbol: &Symbol) -> Option<Price> {
        self.shares().bar(symbol, self.date).map(|bar| bar.open())
    }

    fn close(&self, symbol: &Symbol) -> Option<Price> {
        self.shares().bar(symbol, self.date).map(|bar| bar.close())
    }

    fn last_known(&self, symbol: &Symbol) -> Option<Price> {
        let known_on = self.last_known_on(symbol)?;
        let close = self.shares().bar(symbol, known_on)?.close();
        let renames = self.rules.renames(self.actions);
        self.actions.basis_across(renames, symbol, known_on, self.date)?.price(close)
    }

    fn last_known_on(&self, symbol: &Symbol) -> Option<NaiveDate> {
        self.shares().previous_date(symbol, self.date).filter(|date| *date < self.date)
    }

    fn last_close(&self, symbol: &Symbol, date: NaiveDate) -> Option<Price> {
        let close = || {
            let renames = self.rules.renames(self.actions);
            let shares = ShareHistory::new(self.history, renames, date.pred_opt()?);
            let known_on = shares.previous_date(symbol, date).filter(|found| *found < date)?;
            let close = shares.bar(symbol, known_on)?.close();
            self.actions.basis_across(renames, symbol, known_on, date)?.price(close)
        };
        close().or_else(|| self.last_known(symbol))
    }

    fn displaces(&self, rename: &Rename) -> bool {
        self.rules.renames(self.actions).contains(rename) && self.shares().displaces(rename)
    }

    fn is_halted(&self, symbol: &Symbol) -> bool {
        self.shares().bar(symbol, self.date).is_some_and(|bar| self.rules.is_halted(&bar))
    }

    fn rules(&self) -> MarketRules {
        self.rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::corporate_action::{Action, CorporateAction, Ratio};
    use crate::market::instruments::Bar;
    use crate::market::price_table::PriceTable;

    #[test]
    fn the_last_known_price_is_an_earlier_close_in_the_shares_of_the_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let price = |text: &str| text.parse::<Price>().unwrap();
        let symbol: Symbol = "NVDA".parse().unwrap();
        let bar = Bar::new(price("1197.7"), price("1210"), price("1190"), price("1208.88"), 1).unwrap();
        let table: PriceTable = [(symbol.clone(), day("2024-06-07"), bar)].into_iter().collect();
        let action = Action::Split(Ratio::reduced(1, 10).unwrap());
        let split = CorporateAction { symbol: symbol.clone(), action };
        let actions = KnownActions::new([(day("2024-06-10"), split)]);
        let market = |date| MarketDay::new(&table, &actions, day(date));

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
