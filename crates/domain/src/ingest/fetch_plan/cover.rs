//! The covering problem behind a plan by symbol: each date lacks a set of symbols, and an order of symbols completes
//! dates.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::market::instruments::Symbol;
use crate::values::bit_set::BitSet;

/// Dates that lack exactly the same symbols.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) lacks: BitSet,
    pub(super) dates: usize,
}

/// Symbols by index, and the groups of dates that lack some, oldest date first.
#[derive(Debug)]
pub(super) struct Cover {
    pub(super) symbols: usize,
    pub(super) groups: Vec<Group>,
    /// How many dates each symbol lacks.
    missing: Vec<usize>,
}

impl Cover {
    pub(super) fn new(missing: &[(&Symbol, BTreeSet<NaiveDate>)]) -> Self {
        let mut lacks: BTreeMap<NaiveDate, BitSet> = BTreeMap::new();
        for (symbol, (_, dates)) in missing.iter().enumerate() {
            for date in dates {
                lacks.entry(*date).or_insert_with(|| BitSet::empty(missing.len())).insert(symbol);
            }
        }
        let mut index: BTreeMap<BitSet, usize> = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for lacks in lacks.into_values() {
            let group = *index.entry(lacks.clone()).or_insert_with(|| {
                groups.push(Group { lacks, dates: 0 });
                groups.len() - 1
            });
            groups[group].dates += 1;
        }
        let missing = missing.iter().map(|(_, dates)| dates.len()).collect::<Vec<_>>();
        Self { symbols: missing.len(), groups, missing }
    }

    /// The same symbols with other groups.
    pub(super) fn with_groups(&self, groups: Vec<Group>) -> Self {
        Self { symbols: self.symbols, groups, missing: self.missing.clone() }
    }

    /// Symbols that lack the most dates first: the order that this system's predecessor used.
    pub(super) fn plain_order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.symbols).collect();
        order.sort_by_key(|symbol| std::cmp::Reverse(self.missing[*symbol]));
        order
    }

    /// How many dates are complete once `chosen` have arrived.
    pub(super) fn completed_by(&self, chosen: &BitSet) -> usize {
        self.groups.iter().filter(|group| group.lacks.is_subset(chosen)).map(|group| group.dates).sum()
    }

    /// How many dates are complete after the first `calls` symbols of `order`.
    pub(super) fn completed_after(&self, order: &[usize], calls: usize) -> usize {
        self.profile(order, calls).0
    }

    /// How many dates are complete after `calls` symbols of `order`, and the sum of this number over all shorter
    /// prefixes. A larger sum means that fewer dates are lost when a rate limit stops the order early.
    pub(super) fn profile(&self, order: &[usize], calls: usize) -> (usize, usize) {
        let calls = calls.min(order.len());
        let mut place = vec![usize::MAX; self.symbols];
        for (index, symbol) in order[..calls].iter().enumerate() {
            place[*symbol] = index + 1;
        }
        let last = |group: &Group| group.lacks.iter().map(|symbol| place[symbol]).max().unwrap_or(0);
        self.groups
            .iter()
            .map(|group| (last(group), group.dates))
            .filter(|(last, _)| *last <= calls)
            .fold((0, 0), |(sum, area), (last, dates)| (sum + dates, area + dates * (calls - last)))
    }
}
