//! Bars by symbol and date, and those of one company across its symbols.

use std::borrow::Cow;

use chrono::NaiveDate;

use crate::market::instruments::{Bar, Symbol, Universe};
use crate::market::renames::{Rename, Renames, are_same_shares};

/// A source of bars by symbol and date. It also holds bars of later days, so models read it through
/// [`AsOf`](crate::market::as_of::AsOf) only.
pub trait PriceHistory: Send + Sync {
    /// The bar of `symbol` on `date`.
    fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Option<Bar>;

    /// The latest date before `date` itself on which `symbol` has a bar.
    fn previous_date(&self, symbol: &Symbol, date: NaiveDate) -> Option<NaiveDate>;
}

/// The bars of shares on a day, across their renames: each bar is that of the symbol of its date.
#[derive(Clone, Copy)]
pub struct ShareHistory<'a> {
    history: &'a dyn PriceHistory,
    renames: &'a Renames,
    today: NaiveDate,
}

impl<'a> ShareHistory<'a> {
    /// The bars of `history` on `today`. Renames after it say only which symbols are not in use yet, of those that have no
    /// bars beside the earlier symbol: two symbols that were both traded, at different prices, are two companies, whatever
    /// happens later.
    pub fn new(history: &'a dyn PriceHistory, renames: &'a Renames, today: NaiveDate) -> Self {
        Self { history, renames, today }
    }

    /// The bar on `date`, at the latest today, of the shares that are `symbol` today.
    pub fn bar(&self, symbol: &Symbol, date: NaiveDate) -> Option<Bar> {
        if self.renames.is_empty() {
            return self.history.bar(symbol, date);
        }
        if self.before_later_renames(symbol) != *symbol {
            return None;
        }
        let then = self.renames.earlier(symbol, self.today, date);
        // Some providers list all bars under the newest symbol.
        let listed_later = || {
            let mut later = self.renames.after(&then, date, NaiveDate::MAX);
            let (rename, bar) = later.find_map(|later| Some((later, self.history.bar(&later.new, date)?)))?;
            (!self.was_traded(&then, date) && !self.are_two(&then, &rename.new, rename.date)).then_some(bar)
        };
        self.history.bar(&then, date).or_else(listed_later)
    }

    /// The latest date before `date` on which the shares have a bar that are `symbol` today.
    pub fn previous_date(&self, symbol: &Symbol, date: NaiveDate) -> Option<NaiveDate> {
        if self.renames.is_empty() {
            return self.history.previous_date(symbol, date);
        }
        let names = self.renames.connected(symbol);
        let earlier = |before: &NaiveDate| {
            let dates = names.iter().filter_map(|name| self.history.previous_date(name, *before));
            dates.filter(|found| found < before).max()
        };
        let mut dates = std::iter::successors(earlier(&date), earlier);
        dates.find(|found| self.bar(symbol, *found).is_some())
    }

    /// The symbol of today of a company that is named by another symbol: one that it gets later, or one that it has given
    /// up, if that one has no bar today. It may belong to another company by now.
    pub fn symbol_today(&self, symbol: &Symbol) -> Symbol {
        let symbol = self.before_later_renames(symbol);
        if self.history.bar(&symbol, self.today).is_some() {
            return symbol;
        }
        let later = self.renames.later(&symbol, NaiveDate::MIN, self.today).last().cloned();
        later.unwrap_or(symbol)
    }

    /// The symbol of today of the company whose symbol this will be after a later rename; otherwise the symbol itself, also
    /// when another company has it until then.
    fn before_later_renames(&self, symbol: &Symbol) -> Symbol {
        let earlier = self.renames.earlier(symbol, NaiveDate::MAX, self.today);
        let are_two = earlier != *symbol && self.are_two(&earlier, symbol, NaiveDate::MAX);
        if are_two { symbol.clone() } else { earlier }
    }

    /// Whether another company had the new symbol of `rename` until then, as far as is known today.
    pub fn displaces(&self, rename: &Rename) -> bool {
        self.are_two(&rename.old, &rename.new, rename.date)
    }

    /// Whether `symbol` and `other` were two companies, by what both have of bars before `date` and up to today.
    fn are_two(&self, symbol: &Symbol, other: &Symbol, date: NaiveDate) -> bool {
        let until = date.pred_opt().unwrap_or(date).min(self.today);
        let last = |symbol: &Symbol, until: NaiveDate| match self.history.bar(symbol, until) {
            Some(_) => Some(until),
            None => self.history.previous_date(symbol, until).filter(|found| *found < until),
        };
        let (Some(mut one), Some(mut another)) = (last(symbol, until), last(other, until)) else {
            return false;
        };
        while one != another {
            let earlier = one.min(another);
            let place = if one > earlier { (&mut one, symbol) } else { (&mut another, other) };
            match last(place.1, earlier) {
                Some(found) => *place.0 = found,
                None => return true,
            }
        }
        // Of today only the open is known.
        let open = |symbol: &Symbol| self.history.bar(symbol, one).map(|bar| bar.open());
        !are_same_shares(open(symbol).zip(open(other)))
    }

    /// Whether the symbol itself has a bar on `date` or before.
    fn was_traded(&self, symbol: &Symbol, date: NaiveDate) -> bool {
        self.history.bar(symbol, date).is_some() || self.history.previous_date(symbol, date).is_some()
    }

    /// The universe under the symbols of today. A symbol that was given up is gone, if the new one is in the universe.
    pub fn universe<'u>(&self, universe: &'u Universe) -> Cow<'u, Universe> {
        if self.renames.is_empty() {
            return Cow::Borrowed(universe);
        }
        let named_today = |symbol: &Symbol| {
            let today = self.symbol_today(symbol);
            if universe.tradable(&today) { today } else { self.before_later_renames(symbol) }
        };
        let mut symbols: Vec<Symbol> = Vec::with_capacity(universe.symbols.len());
        for member in universe.symbols.iter().map(named_today) {
            if !symbols.contains(&member) {
                symbols.push(member);
            }
        }
        let benchmark = universe.benchmark.as_ref().map(named_today);
        Cow::Owned(Universe { name: universe.name.clone(), symbols, benchmark })
    }
}
