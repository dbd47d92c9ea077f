//! The symbols under which the shares of one company were traded, by its renames.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::market::instruments::{Symbol, Universe};
use crate::values::money::Price;

/// A new symbol for the same shares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rename {
    /// The session before whose open it takes effect.
    pub date: NaiveDate,
    /// The symbol until then.
    pub old: Symbol,
    /// The symbol from then on.
    pub new: Symbol,
}

/// What to do about a company that has lost its symbol to another one.
pub const IMPORT_FATE: &str =
    "Import it with POST /prices/import?kind=renames, delistings or mergers, with a date up to that day";

impl Rename {
    /// That another company had the new symbol until then.
    pub fn takeover(&self) -> String {
        let Self { date, old, new } = self;
        format!("{new} was the symbol of another company, beside {old}, until {old} took it on {date}")
    }

    /// What is missing of the company that loses the symbol, what happens to its holders without it, and what to do.
    pub fn advice(&self) -> String {
        format!(
            "{}, by its own prices. What became of that company is not known: until then its holders are paid its last \
             close, as an estimate. {IMPORT_FATE}",
            self.takeover()
        )
    }
}

/// Whether two symbols stand for the same shares, by their opening prices in the last session in which both have one: a
/// vendor may list a company under two of its symbols, and vendors round differently.
pub fn are_same_shares(opens: Option<(Price, Price)>) -> bool {
    let Some((one, other)) = opens.map(|(one, other)| (one.amount(), other.amount())) else { return false };
    (one - other).abs() * Decimal::ONE_HUNDRED <= one.max(other)
}

/// Renames, by date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames(Vec<Rename>);

/// A time in which a symbol does not stand for its company: from the first date to the second, both included.
pub type Untraded = (Symbol, NaiveDate, NaiveDate);

impl Renames {
    /// None.
    pub const NONE: &'static Self = &Self::EMPTY;
    pub(super) const EMPTY: Self = Self(Vec::new());

    /// Collects renames that come in any order.
    pub fn new(renames: impl IntoIterator<Item = Rename>) -> Self {
        let mut renames: Vec<Rename> = renames.into_iter().collect();
        renames.sort();
        Self(renames)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those from `first` to `last`, both included.
    pub fn between(&self, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = &Rename> {
        self.0.iter().filter(move |rename| first <= rename.date && rename.date <= last)
    }

    /// Whether it is one of them.
    pub fn contains(&self, rename: &Rename) -> bool {
        self.0.contains(rename)
    }

    /// The symbol on the earlier date `on` of the shares that are `symbol` on `until`.
    pub fn earlier<'r>(&'r self, symbol: &'r Symbol, until: NaiveDate, on: NaiveDate) -> Symbol {
        let between = self.0.iter().rev().filter(|rename| on < rename.date && rename.date <= until);
        // Renames of one day happen at once: a symbol that is given up may be taken by another company.
        let one_earlier = |(name, taken): (&'r Symbol, Option<NaiveDate>), rename: &'r Rename| {
            if rename.new == *name && taken != Some(rename.date) {
                (&rename.old, Some(rename.date))
            } else {
                (name, taken)
            }
        };
        between.fold((symbol, None), one_earlier).0.clone()
    }

    /// The symbols that the shares get which are `symbol` on `on`, oldest first, up to `until`.
    pub fn later<'r>(
        &'r self,
        symbol: &'r Symbol,
        on: NaiveDate,
        until: NaiveDate,
    ) -> impl Iterator<Item = &'r Symbol> {
        self.after(symbol, on, until).map(|rename| &rename.new)
    }

    /// The renames of the shares that are `symbol` on `on`, oldest first, up to `until`.
    pub fn after<'r>(
        &'r self,
        symbol: &'r Symbol,
        on: NaiveDate,
        until: NaiveDate,
    ) -> impl Iterator<Item = &'r Rename> {
        let between = self.0.iter().filter(move |rename| on < rename.date && rename.date <= until);
        between
            .scan((symbol, None), |(name, given_up), rename| {
                let is_next = rename.old == **name && *given_up != Some(rename.date);
                if is_next {
                    (*name, *given_up) = (&rename.new, Some(rename.date));
                }
                Some(is_next.then_some(rename))
            })
            .flatten()
    }

    /// The symbols that renames connect with `symbol`, and itself.
    pub fn connected(&self, symbol: &Symbol) -> BTreeSet<Symbol> {
        let mut names = BTreeSet::from([symbol.clone()]);
        loop {
            let known = names.len();
            for Rename { old, new, .. } in &self.0 {
                if names.contains(old) || names.contains(new) {
                    names.extend([old.clone(), new.clone()]);
                }
            }
            if names.len() == known {
                return names;
            }
        }
    }

    /// The universe with the other symbols of its members, of a job from `first` to `last`: those that a member had
    /// before, and those that it gets in the job. A symbol that was given up before the job stands for nothing else.
    #[must_use]
    pub fn with_all_symbols(&self, universe: Universe, first: NaiveDate, last: NaiveDate) -> Universe {
        let mut all = universe;
        for member in all.symbols.clone() {
            let before = first.pred_opt().unwrap_or(first);
            let mut others: Vec<Symbol> = self.later(&member, before, last).cloned().collect();
            let earlier = self.0.iter().rev().filter(|rename| rename.date <= last);
            let earlier = earlier.scan(&member, |name, rename| {
                let is_one = rename.new == **name;
                if is_one {
                    *name = &rename.old;
                }
                Some(is_one.then(|| rename.old.clone()))
            });
            others.extend(earlier.flatten());
            for other in others {
                if !all.tradable(&other) {
                    all.symbols.push(other);
                }
            }
        }
        all
    }

    /// When symbols of `universe` do not stand for their companies: before they get them, and after they have given them
    /// up for another symbol of the universe. Of two symbols that the request itself names, as it is `named`, the new one
    /// is another company until it is taken.
    pub fn untraded(&self, universe: &Universe, named: &Universe) -> Vec<Untraded> {
        let are_within =
            |of: &Universe, rename: &Rename| of.tradable(&rename.old) && of.tradable(&rename.new);
        let is_within = |rename: &&Rename| are_within(universe, rename);
        // Of each symbol the dates on which it is given up (false) and taken (true).
        let mut changes: BTreeMap<&Symbol, Vec<(NaiveDate, bool)>> = BTreeMap::new();
        for rename in self.0.iter().filter(is_within) {
            let Rename { date, old, new } = rename;
            changes.entry(old).or_default().push((*date, false));
            if !are_within(named, rename) {
                changes.entry(new).or_default().push((*date, true));
            }
        }
        let mut untraded = Vec::new();
        for (symbol, changes) in changes {
            let mut since = Some(NaiveDate::MIN);
            for (date, is_taken) in changes {
                match (is_taken, since) {
                    (true, Some(from)) => {
                        untraded.push((symbol.clone(), from, date.pred_opt().unwrap_or(date)));
                        since = None;
                    }
                    (true, None) => {}
                    (false, _) => since = Some(date),
                }
            }
            // A symbol whose first change is that it is given up was traded before.
            if let Some(from) = since.filter(|from| *from > NaiveDate::MIN) {
                untraded.push((symbol.clone(), from, NaiveDate::MAX));
            }
        }
        untraded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, 6, day).unwrap()
    }

    fn symbol(name: &str) -> Symbol {
        name.parse().unwrap()
    }

    fn renames(of: &[(u32, &str, &str)]) -> Renames {
        let rename = |(date, old, new): &(u32, &str, &str)| Rename {
            date: day(*date),
            old: symbol(old),
            new: symbol(new),
        };
        Renames::new(of.iter().map(rename))
    }

    fn universe(symbols: &[&str]) -> Universe {
        let symbols = symbols.iter().map(|name| symbol(name)).collect();
        Universe { name: "u".to_owned(), symbols, benchmark: None }
    }

    #[test]
    fn shares_have_the_symbol_of_the_date() {
        let renames = renames(&[(9, "FB", "META"), (20, "META", "MVRS"), (9, "X", "Y")]);
        let earlier = |name: &str, until, on| renames.earlier(&symbol(name), day(until), day(on)).to_string();

        assert_eq!(earlier("META", 9, 8), "FB");
        assert_eq!(earlier("META", 9, 9), "META");
        assert_eq!(earlier("META", 8, 1), "META", "nothing is known yet");
        assert_eq!(earlier("MVRS", 30, 1), "FB");
        assert_eq!(earlier("MVRS", 30, 10), "META");
        let fb = symbol("FB");
        let later =
            |on, until| renames.later(&fb, day(on), day(until)).map(Symbol::as_str).collect::<Vec<_>>();
        assert_eq!(later(1, 30), ["META", "MVRS"]);
        assert_eq!(later(1, 10), ["META"]);
        assert!(later(9, 30).is_empty(), "it was given up before");
    }

    #[test]
    fn a_symbol_that_is_given_up_and_taken_on_one_day_stands_for_two_companies() {
        let renames = renames(&[(9, "FB", "META"), (9, "META", "METV")]);

        assert_eq!(renames.earlier(&symbol("METV"), day(9), day(8)), symbol("META"));
        assert_eq!(renames.earlier(&symbol("META"), day(9), day(8)), symbol("FB"));
        let later = |name: &str| -> Vec<String> {
            renames.later(&symbol(name), day(8), day(9)).map(ToString::to_string).collect()
        };
        assert_eq!((later("FB"), later("META")), (vec!["META".to_owned()], vec!["METV".to_owned()]));
    }

    #[test]
    fn shares_are_the_same_ones_when_both_symbols_opened_at_nearly_the_same_price() {
        let price = |text: &str| text.parse::<Price>().unwrap();

        assert!(are_same_shares(Some((price("196.64"), price("196.6400001")))));
        assert!(are_same_shares(Some((price("100"), price("99")))));
        assert!(!are_same_shares(Some((price("196.64"), price("10.5")))));
        assert!(!are_same_shares(None), "no session in which both were traded");
    }

    #[test]
    fn a_symbol_that_comes_back_is_the_same_company() {
        let renames = renames(&[(9, "A", "B"), (20, "B", "A")]);

        assert_eq!(renames.earlier(&symbol("A"), day(30), day(1)), symbol("A"));
        assert_eq!(renames.earlier(&symbol("A"), day(30), day(10)), symbol("B"));
        let untraded = renames.untraded(&universe(&["A", "B"]), &universe(&["A"]));
        let expected = [
            (symbol("A"), day(9), day(19)),
            (symbol("B"), NaiveDate::MIN, day(8)),
            (symbol("B"), day(20), NaiveDate::MAX),
        ];
        assert_eq!(untraded, expected);
    }

    #[test]
    fn a_universe_gets_the_earlier_symbols_of_its_members_and_those_of_the_jobs_time() {
        let renames = renames(&[(9, "FB", "META")]);
        let all = |names: &[&str], first, last| -> Vec<String> {
            let all = renames.with_all_symbols(universe(names), day(first), day(last));
            all.symbols.iter().map(ToString::to_string).collect()
        };

        assert_eq!(all(&["FB", "C"], 1, 30), ["FB", "C", "META"]);
        assert_eq!(all(&["META"], 1, 30), ["META", "FB"]);
        assert_eq!(all(&["META"], 20, 30), ["META", "FB"], "what it looks back on");
        assert_eq!(all(&["FB"], 20, 30), ["FB"], "it may be another company by now");
        assert_eq!(all(&["FB"], 1, 8), ["FB"], "nothing is known yet");
        assert_eq!(all(&["FB", "META"], 1, 30), ["FB", "META"]);
    }

    #[test]
    fn a_symbol_is_not_traded_before_it_is_taken_and_after_it_is_given_up() {
        let renames = renames(&[(9, "FB", "META")]);

        let expected = [(symbol("FB"), day(9), NaiveDate::MAX), (symbol("META"), NaiveDate::MIN, day(8))];
        let both = universe(&["FB", "META"]);
        assert_eq!(renames.untraded(&both, &universe(&["META"])), expected);
        assert_eq!(renames.untraded(&both, &universe(&["FB"])), expected);
        assert_eq!(renames.untraded(&both, &both), expected[..1], "META is another company before");
        let alone = universe(&["FB"]);
        assert!(renames.untraded(&alone, &alone).is_empty(), "it may be another company by now");
    }
}
