//! Which calls may be under way together.
//!
//! A limit that nobody knows of may strike after any call. Were calls of the next dates made beside the last ones
//! of the dates before, they could take their place, and no date would be complete.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::ingest::coverage::Need;
use domain::market::instruments::Symbol;

/// The calls of a plan, divided after each one that completes a date.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    of_symbol: HashMap<Symbol, usize>,
    sizes: Vec<usize>,
}

impl Groups {
    /// Divides the calls for `order`, a plan for `need`, most useful first; what is under way comes first.
    pub(crate) fn divide<'a>(need: &Need, order: impl IntoIterator<Item = &'a Symbol>) -> Self {
        let mut lacking: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        for date in need.missing.values().flatten() {
            *lacking.entry(*date).or_default() += 1;
        }
        let mut groups = Self { of_symbol: HashMap::new(), sizes: vec![0] };
        for symbol in order {
            let last = groups.sizes.len() - 1;
            if groups.of_symbol.insert(symbol.clone(), last).is_some() {
                continue;
            }
            groups.sizes[last] += 1;
            if completes_a_date(need.missing.get(symbol), &mut lacking) {
                groups.sizes.push(0);
            }
        }
        groups
    }

    /// Whether a call for `symbol` may be made beside those for `under_way`: calls that complete dates
    /// together, or each for itself.
    pub(crate) fn may_go_beside(&self, symbol: &Symbol, under_way: &BTreeSet<Symbol>) -> bool {
        let group = self.of_symbol.get(symbol);
        let is_single = |group: Option<&usize>| group.and_then(|group| self.sizes.get(*group)) == Some(&1);
        under_way.iter().all(|other| {
            let other = self.of_symbol.get(other);
            other == group || (is_single(other) && is_single(group))
        })
    }
}

/// Counts a symbol's dates down; whether it was the last one that some date lacked.
fn completes_a_date(dates: Option<&BTreeSet<NaiveDate>>, lacking: &mut BTreeMap<NaiveDate, usize>) -> bool {
    let mut is_complete = false;
    for date in dates.into_iter().flatten() {
        if let Some(count) = lacking.get_mut(date) {
            *count = count.saturating_sub(1);
            is_complete |= *count == 0;
        }
    }
    is_complete
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dates, symbol};

    fn groups(missing: &[(&str, &[&str])]) -> Groups {
        let order: Vec<Symbol> = missing.iter().map(|(name, _)| symbol(name)).collect();
        let missing = missing.iter().map(|(name, days)| (symbol(name), dates(days))).collect();
        Groups::divide(&Need { missing, ..Need::default() }, &order)
    }

    fn beside(groups: &Groups, name: &str, under_way: &[&str]) -> bool {
        groups.may_go_beside(&symbol(name), &under_way.iter().map(|name| symbol(name)).collect())
    }

    #[test]
    fn symbols_that_complete_dates_together_go_together() {
        let both = ["2025-10-01", "2025-10-02"];
        let groups = groups(&[("A", &both), ("B", &both), ("C", &["2025-10-02"]), ("D", &["2025-10-02"])]);

        assert!(beside(&groups, "B", &["A"]));
        assert!(!beside(&groups, "C", &["A", "B"]), "10-01 must be complete first");
        assert!(beside(&groups, "D", &["C"]));
        assert!(beside(&groups, "C", &[]));
    }

    #[test]
    fn symbols_that_complete_dates_alone_need_not_wait_for_each_other() {
        let groups = groups(&[("A", &["2025-10-01"]), ("B", &["2025-10-02"]), ("C", &["2025-10-03"])]);

        assert!(beside(&groups, "C", &["A", "B"]));
    }
}
