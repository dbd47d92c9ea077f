//! All corporate actions that are known, by date.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::market::corporate_action::{Action, CorporateAction, Ratio};
use crate::market::instruments::Symbol;
use crate::market::renames::{Rename, Renames};
use crate::market::taken_symbols::give_up_before_taking;

/// Corporate actions, each with the session before whose open it takes effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownActions {
    /// By date, then in the order in which they are applied.
    actions: Vec<(NaiveDate, CorporateAction)>,
    /// The splits of each symbol, oldest first: they are asked for with every price that is shown.
    splits: BTreeMap<Symbol, Vec<(NaiveDate, Ratio)>>,
    renames: Renames,
}

impl KnownActions {
    /// No action.
    pub const NONE: &'static Self =
        &Self { actions: Vec::new(), splits: BTreeMap::new(), renames: Renames::EMPTY };

    /// Collects actions that come in any order.
    pub fn new(actions: impl IntoIterator<Item = (NaiveDate, CorporateAction)>) -> Self {
        let mut actions: Vec<_> = actions.into_iter().collect();
        actions.sort_by(|(one, a), (other, b)| {
            (one, a.action.kind(), &a.symbol).cmp(&(other, b.action.kind(), &b.symbol))
        });
        let actions = give_up_before_taking(actions);
        let mut splits: BTreeMap<Symbol, Vec<(NaiveDate, Ratio)>> = BTreeMap::new();
        let mut renames = Vec::new();
        for (date, CorporateAction { symbol, action }) in &actions {
            match action {
                Action::Split(ratio) => splits.entry(symbol.clone()).or_default().push((*date, *ratio)),
                Action::Rename { new } => {
                    renames.push(Rename { date: *date, old: symbol.clone(), new: new.clone() });
                }
                _ => {}
            }
        }
        Self { actions, splits, renames: Renames::new(renames) }
    }

    /// Adds all actions of `other`.
    pub fn extend(&mut self, other: Self) {
        *self = Self::new(std::mem::take(&mut self.actions).into_iter().chain(other.actions));
    }

    /// Those that take effect up to `until`.
    #[must_use]
    pub fn until(self, until: NaiveDate) -> Self {
        Self::new(self.actions.into_iter().filter(|(date, _)| *date <= until))
    }

    /// All actions, by date.
    pub fn all(&self) -> &[(NaiveDate, CorporateAction)] {
        &self.actions
    }

    /// The actions that take effect after `after` and up to `until`, in the order in which they are applied.
    pub fn between(&self, after: NaiveDate, until: NaiveDate) -> &[(NaiveDate, CorporateAction)] {
        let place = |limit: NaiveDate| self.actions.partition_point(|(date, _)| *date <= limit);
        self.actions.get(place(after)..place(until)).unwrap_or_default()
    }

    /// The actions that take effect on `date`, in the order in which they are applied.
    pub fn on(&self, date: NaiveDate) -> &[(NaiveDate, CorporateAction)] {
        let start = self.actions.partition_point(|(known, _)| *known < date);
        let rest = self.actions.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|(known, _)| *known == date)).unwrap_or_default()
    }

    /// The symbols whose shares holders of `held` may have received by the actions after `after` and up to `until`.
    pub fn received<'a>(
        &self,
        held: impl IntoIterator<Item = &'a Symbol>,
        after: NaiveDate,
        until: NaiveDate,
    ) -> BTreeSet<Symbol> {
        let due = self.between(after, until).iter().map(|(_, due)| due);
        let mut due = due.filter(|due| due.action.new_symbol().is_some()).peekable();
        if due.peek().is_none() {
            return BTreeSet::new();
        }
        let held: BTreeSet<&Symbol> = held.into_iter().collect();
        let mut received = BTreeSet::new();
        for CorporateAction { symbol, action } in due {
            if held.contains(symbol) || received.contains(symbol) {
                received.extend(action.new_symbol().cloned());
            }
        }
        received
    }

    /// The renames.
    pub fn renames(&self) -> &Renames {
        &self.renames
    }

    /// Whether a split of `symbol` is known.
    pub fn has_split_of(&self, symbol: &Symbol) -> bool {
        self.splits.contains_key(symbol)
    }

    /// Whether any split takes effect up to `until`.
    pub fn has_splits_to(&self, until: NaiveDate) -> bool {
        self.splits.values().flatten().any(|(date, _)| *date <= until)
    }

    /// How many shares of `symbol` on `until` are how many on `since`, by the splits after `since` and up to `until`;
    /// `None` when that has too many digits.
    pub fn basis(&self, symbol: &Symbol, since: NaiveDate, until: NaiveDate) -> Option<Ratio> {
        let Some(splits) = self.splits.get(symbol) else { return Some(Ratio::ONE) };
        let between = splits.iter().filter(|(date, _)| since < *date && *date <= until);
        between.map(|(_, ratio)| *ratio).try_fold(Ratio::ONE, Ratio::then)
    }

    /// The same of the shares that are `symbol` on `until`, whatever their symbol was. Some providers list all splits under
    /// the newest symbol, so that one split may be known twice.
    pub fn basis_across(
        &self,
        renames: &Renames,
        symbol: &Symbol,
        since: NaiveDate,
        until: NaiveDate,
    ) -> Option<Ratio> {
        if renames.is_empty() {
            return self.basis(symbol, since, until);
        }
        let names = renames.connected(symbol);
        let splits = names.iter().filter_map(|name| self.splits.get(name)).flatten();
        let between = splits.filter(|(date, _)| since < *date && *date <= until);
        let by_date: BTreeMap<NaiveDate, Ratio> = between.copied().collect();
        by_date.into_values().try_fold(Ratio::ONE, Ratio::then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::corporate_action::ActionKind;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 10, day).unwrap()
    }

    fn action(symbol: &str, kind: ActionKind) -> CorporateAction {
        let action =
            Action::of(kind, Ratio::reduced(1, 2), Some("1".parse().unwrap()), "NEW".parse().ok()).unwrap();
        CorporateAction { symbol: symbol.parse().unwrap(), action }
    }

    #[test]
    fn what_happened_over_a_gap_is_due_in_the_order_of_its_application() {
        let known = KnownActions::new([
            (day(3), action("B", ActionKind::Split)),
            (day(3), action("A", ActionKind::Dividend)),
            (day(1), action("A", ActionKind::Split)),
            (day(3), action("C", ActionKind::Rename)),
            (day(2), action("A", ActionKind::Dividend)),
            (day(4), action("A", ActionKind::Split)),
        ]);

        let written = |due: &[(NaiveDate, CorporateAction)]| -> Vec<String> {
            due.iter()
                .map(|(date, due)| format!("{date} {} {}", due.symbol, due.action.kind().as_str()))
                .collect()
        };
        let third = ["2025-10-03 C rename", "2025-10-03 B split", "2025-10-03 A dividend"];
        assert_eq!(written(known.between(day(1), day(3))), [&["2025-10-02 A dividend"], &third[..]].concat());
        assert_eq!(written(known.on(day(3))), third);
        assert!(known.on(day(5)).is_empty() && known.between(day(3), day(1)).is_empty());
    }

    #[test]
    fn what_is_received_of_what_was_received_counts_too() {
        let rename = |symbol: &str, new: &str| {
            let action = Action::Rename { new: new.parse().unwrap() };
            CorporateAction { symbol: symbol.parse().unwrap(), action }
        };
        let known = KnownActions::new([
            (day(1), rename("A", "EARLIER")),
            (day(2), rename("A", "B")),
            (day(3), rename("B", "C")),
            (day(3), rename("X", "Y")),
            (day(4), rename("C", "LATER")),
        ]);
        let symbol: Symbol = "A".parse().unwrap();

        let received = known.received([&symbol], day(1), day(3));

        assert_eq!(received.iter().map(Symbol::as_str).collect::<Vec<_>>(), ["B", "C"]);
        assert!(known.received([&symbol], day(2), day(4)).is_empty());
    }

    #[test]
    fn the_basis_of_a_day_knows_the_splits_up_to_it_and_none_after_it() {
        let known = KnownActions::new([2, 4].map(|date| (day(date), action("A", ActionKind::Split))));
        let symbol = "A".parse().unwrap();
        let basis = |since, until| known.basis(&symbol, day(since), day(until)).unwrap().to_string();

        assert_eq!(basis(1, 1), "1:1");
        assert_eq!(basis(1, 2), "2:1");
        assert_eq!(basis(2, 3), "1:1", "the bar of the day itself is after the split");
        assert_eq!(basis(1, 4), "4:1");
        assert_eq!(known.basis(&"B".parse().unwrap(), day(1), day(4)), Some(Ratio::ONE));
    }
}
