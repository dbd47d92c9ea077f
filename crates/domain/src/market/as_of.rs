//! The point-in-time view of prices: at the open of a day a model sees earlier bars in full, that day's open, and
//! nothing later. It prevents look-ahead bias.

use chrono::NaiveDate;

use crate::market::calendar::Calendar;
use crate::market::corporate_action::CorporateAction;
use crate::market::instruments::{Bar, Symbol};
use crate::market::known_actions::KnownActions;
pub use crate::market::price_history::PriceHistory;
use crate::market::price_history::ShareHistory;
use crate::market::rules::MarketRules;
use crate::values::money::Price;

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

/// The market as it is known at the open of one day. Earlier prices and volumes are in the shares of the day: restated
/// for the splits up to it, and for no later one.
#[derive(Clone, Copy)]
pub struct AsOf<'a> {
    history: &'a dyn PriceHistory,
    actions: &'a KnownActions,
    rules: MarketRules,
    calendar: &'a Calendar,
    today: NaiveDate,
}

impl<'a> AsOf<'a> {
    /// The view at the open of `today`, without any corporate action.
    pub fn new(history: &'a dyn PriceHistory, calendar: &'a Calendar, today: NaiveDate) -> Self {
        Self { history, actions: KnownActions::NONE, rules: MarketRules::default(), calendar, today }
    }

    /// The same view under `rules` with the corporate actions up to today; `actions` may have later ones.
    pub fn with_actions(self, actions: &'a KnownActions, rules: MarketRules) -> Self {
        match rules {
            MarketRules::AsTraded => Self { rules, ..self },
            MarketRules::Restated | MarketRules::Continuous => Self { actions, rules, ..self },
        }
    }

    /// The day of the view.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// Today's opening price of `symbol`; `None` without a bar today, or when the session had no volume.
    pub fn open(&self, symbol: &Symbol) -> Option<Price> {
        let bar = self.shares().bar(symbol, self.today)?;
        (!self.rules.is_halted(&bar)).then(|| bar.open())
    }

    /// Whether `symbol` has a bar today and nothing was traded.
    pub fn is_halted(&self, symbol: &Symbol) -> bool {
        self.shares().bar(symbol, self.today).is_some_and(|bar| self.rules.is_halted(&bar))
    }

    /// The bars across renames.
    fn shares(&self) -> ShareHistory<'a> {
        ShareHistory::new(self.history, self.rules.renames(self.actions), self.today)
    }

    /// The symbol of today of a company that is named by another symbol, of before a rename or after it.
    pub fn symbol_today(&self, symbol: &Symbol) -> Symbol {
        self.shares().symbol_today(symbol)
    }

    /// What companies did since the previous session, in the order in which it takes effect.
    pub fn actions_today(&self) -> impl Iterator<Item = &'a CorporateAction> {
        self.actions.on(self.today).iter().map(|(_, action)| action)
    }

    /// What the company of `symbol` did from `from` to today, oldest first.
    pub fn actions_of(
        &self,
        symbol: &Symbol,
        from: NaiveDate,
    ) -> impl Iterator<Item = &'a (NaiveDate, CorporateAction)> {
        let before = from.pred_opt().unwrap_or(from);
        let names = self.rules.renames(self.actions).connected(symbol);
        let of_company = move |(_, action): &&'a (NaiveDate, CorporateAction)| names.contains(&action.symbol);
        self.actions.between(before, self.today).iter().filter(of_company)
    }

    /// Whether corporate actions are told.
    pub fn reports_actions(&self) -> bool {
        self.rules.restates()
    }

    /// Whether any price that is shown may differ from the one that was paid.
    pub fn is_restated(&self) -> bool {
        self.actions.has_splits_to(self.today)
    }

    /// The full bar of a day before today, in today's shares.
    ///
    /// # Errors
    /// `LookAhead` for today and later, `Unknown` when the symbol has no bar on `date`.
    pub fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Result<Bar, AsOfError> {
        if date >= self.today {
            return Err(AsOfError::LookAhead { requested: date, today: self.today });
        }
        let unknown = || AsOfError::Unknown { symbol: symbol.clone(), date };
        let bar = self.shares().bar(symbol, date).ok_or_else(unknown)?;
        let renames = self.rules.renames(self.actions);
        let basis = self.actions.basis_across(renames, symbol, date, self.today);
        basis.and_then(|basis| basis.bar(bar)).ok_or_else(unknown)
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
            self.shares().previous_date(symbol, date).filter(|found| *found < date)
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
    use crate::market::corporate_action::{Action, Ratio};
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

        let closes = |date: &str| AsOf::new(&table, &calendar, day(date)).previous_closes([&symbol]);

        assert_eq!(closes("2025-10-08"), [(&symbol, "7.9".parse().unwrap())]);
        assert_eq!(closes("2025-10-07"), [], "the 6th was a session without a bar");
    }

    #[test]
    fn earlier_bars_are_in_the_shares_of_the_day_and_later_splits_are_not_seen() {
        let (table, calendar) = (table(), Calendar::nyse());
        let split = |date, to| {
            let ratio = Ratio::reduced(1, to).unwrap();
            (day(date), CorporateAction { symbol: apple(), action: Action::Split(ratio) })
        };
        let known = KnownActions::new([split("2025-10-07", 10), split("2025-10-09", 2)]);
        let view = |date: &str, rules| AsOf::new(&table, &calendar, day(date)).with_actions(&known, rules);
        let close = |on: &str, date: &str| {
            view(on, MarketRules::Restated).bar(&apple(), day(date)).unwrap().close().to_string()
        };

        assert_eq!(close("2025-10-03", "2025-10-02"), "2.9", "no split yet");
        assert_eq!(close("2025-10-07", "2025-10-03"), "0.39");
        assert_eq!(close("2025-10-08", "2025-10-03"), "0.39");
        assert_eq!(close("2025-10-08", "2025-10-07"), "7.9", "it is in the new shares already");
        assert_eq!(close("2025-10-09", "2025-10-03"), "0.195");
        let today = view("2025-10-07", MarketRules::Restated);
        assert_eq!(today.open(&apple()), Some("7.1".parse().unwrap()));
        assert_eq!(today.history(&apple(), 1)[0].1.volume(), 10);
        assert_eq!(today.actions_today().count(), 1);
        assert_eq!(today.actions_of(&apple(), day("2025-10-01")).count(), 1);
        assert!(today.is_restated() && !view("2025-10-03", MarketRules::Restated).is_restated());
        let raw = view("2025-10-08", MarketRules::AsTraded);
        assert_eq!(raw.bar(&apple(), day("2025-10-03")).unwrap().close().to_string(), "3.9");
        assert!(raw.actions_of(&apple(), day("2025-10-01")).next().is_none());
    }

    #[test]
    fn after_a_rename_the_history_goes_on_and_before_it_the_new_symbol_is_not_this_company() {
        let symbol = |name: &str| name.parse::<Symbol>().unwrap();
        let (old, new) = (symbol("OLD"), symbol("NEW"));
        let bar = |name: &Symbol, n: u32, price: u32| {
            let price: Price = price.to_string().parse().unwrap();
            (name.clone(), day(&format!("2025-10-{n:02}")), Bar::new(price, price, price, price, 1).unwrap())
        };
        // Another company had the new symbol before.
        let traded = [bar(&old, 1, 10), bar(&old, 2, 20), bar(&new, 1, 99), bar(&new, 3, 3), bar(&new, 6, 4)];
        let traded: PriceTable = traded.into_iter().collect();
        let listed: PriceTable =
            [bar(&new, 1, 10), bar(&new, 2, 20), bar(&new, 3, 3), bar(&new, 6, 4)].into_iter().collect();
        let action = |name: &Symbol, action| CorporateAction { symbol: name.clone(), action };
        let split = Action::Split(Ratio::reduced(1, 10).unwrap());
        let known = KnownActions::new([
            (day("2025-10-03"), action(&old, Action::Rename { new: new.clone() })),
            (day("2025-10-03"), action(&new, split)),
        ]);
        let calendar = Calendar::nyse();
        // Where the new symbol was another company's, it stays that of this one until it is taken.
        for (table, before, named) in [(&traded, vec!["99"], &new), (&listed, vec![], &old)] {
            let view = |date: &str| {
                AsOf::new(table, &calendar, day(date)).with_actions(&known, MarketRules::Continuous)
            };
            let closes = |date: &str, name: &Symbol| -> Vec<String> {
                view(date).history(name, 9).iter().map(|(_, bar)| bar.close().to_string()).collect()
            };

            assert_eq!(closes("2025-10-07", &new), ["1", "2", "3", "4"]);
            assert_eq!(closes("2025-10-02", &old), ["10"]);
            assert_eq!(view("2025-10-02").open(&old).unwrap().to_string(), "20");
            assert_eq!(view("2025-10-02").open(&new), None);
            assert_eq!(closes("2025-10-02", &new), before);
            assert_eq!(view("2025-10-07").bar(&new, day("2025-10-02")).unwrap().volume(), 10);
            assert_eq!(
                (view("2025-10-02").symbol_today(&new), view("2025-10-06").symbol_today(&old)),
                (named.clone(), new.clone())
            );
        }
        let before =
            AsOf::new(&traded, &calendar, day("2025-10-07")).with_actions(&known, MarketRules::Restated);
        assert_eq!(before.history(&new, 9).len(), 3, "jobs of before are not changed");
    }

    #[test]
    fn a_session_without_volume_has_no_opening_price() {
        let calendar = Calendar::nyse();
        let price = "10".parse().unwrap();
        let bar = Bar::new(price, price, price, price, 0).unwrap();
        let table: PriceTable = [(apple(), day("2025-10-08"), bar)].into_iter().collect();
        let view = AsOf::new(&table, &calendar, day("2025-10-08"));

        assert_eq!((view.open(&apple()), view.is_halted(&apple())), (None, true));
        let earlier = view.with_actions(KnownActions::NONE, MarketRules::AsTraded);
        assert_eq!((earlier.open(&apple()), earlier.is_halted(&apple())), (Some(price), false));
        assert!(!AsOf::new(&table, &calendar, day("2025-10-09")).is_halted(&apple()));
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
