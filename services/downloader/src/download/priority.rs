//! In which order symbols are fetched, given which have been tried already.

use std::collections::{BTreeMap, BTreeSet};

use domain::ingest::coverage::Need;
use domain::ingest::fetch_plan::{Offer, Request, plan};
use domain::market::instruments::Symbol;

/// The symbols to fetch, most useful first, at most `calls_left`, without those in `in_progress` and `tried`.
///
/// A date that still lacks a symbol in `tried` cannot run, so symbols that only such dates lack come after those
/// that complete other dates.
pub(super) fn by_priority(
    need: &Need,
    offer: &Offer,
    calls_left: usize,
    in_progress: &BTreeSet<Symbol>,
    tried: &BTreeSet<Symbol>,
) -> Vec<Symbol> {
    let lost: BTreeSet<_> =
        tried.iter().filter_map(|symbol| need.missing.get(symbol)).flatten().copied().collect();
    let open = |symbol: &Symbol| !in_progress.contains(symbol) && !tried.contains(symbol);
    let missing = || need.missing.iter().filter(|(symbol, _)| open(symbol));
    let completing: BTreeMap<_, BTreeSet<_>> = missing()
        .map(|(symbol, dates)| (symbol.clone(), dates.difference(&lost).copied().collect::<BTreeSet<_>>()))
        .filter(|(_, dates)| !dates.is_empty())
        .collect();
    let rest = Need {
        missing: missing().map(|(symbol, dates)| (symbol.clone(), dates.clone())).collect(),
        recheck: need.recheck.iter().filter(|(symbol, _)| open(symbol)).map(cloned).collect(),
        others: need.others.iter().filter(|(symbol, _)| open(symbol)).cloned().collect(),
        not_fetchable: BTreeSet::new(),
    };
    let first = match lost.is_empty() {
        true => Vec::new(),
        false => plan(&Need { missing: completing, ..Need::default() }, offer, calls_left),
    };
    let mut seen = BTreeSet::new();
    first
        .into_iter()
        .chain(plan(&rest, offer, calls_left))
        .filter_map(|request| match request {
            Request::Symbol(symbol) => Some(symbol),
            // Downloads are claimed by symbol, and no provider here offers calls by date.
            Request::Date(_) => None,
        })
        .filter(|symbol| seen.insert(symbol.clone()))
        .take(calls_left)
        .collect()
}

fn cloned<T: Clone>((symbol, dates): (&Symbol, &T)) -> (Symbol, T) {
    (symbol.clone(), dates.clone())
}

#[cfg(test)]
mod tests {
    use domain::ingest::fetch_plan::Shape;

    use super::*;
    use crate::testing::{dates, symbol};

    fn need(missing: &[(&str, &[&str])]) -> Need {
        let missing = missing.iter().map(|(name, days)| (symbol(name), dates(days))).collect();
        Need { missing, ..Need::default() }
    }

    fn names(need: &Need, calls_left: usize, in_progress: &[&str], tried: &[&str]) -> Vec<String> {
        let set = |names: &[&str]| names.iter().map(|name| symbol(name)).collect();
        let offer = Offer { shape: Shape::BySymbol, earliest: None };
        let order = by_priority(need, &offer, calls_left, &set(in_progress), &set(tried));
        order.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_in_progress_or_was_tried_is_not_fetched_again() {
        let need = need(&[("A", &["2025-10-01"]), ("B", &["2025-10-01"]), ("C", &["2025-10-01"])]);

        assert_eq!(names(&need, 9, &["A"], &["B"]), ["C"]);
    }

    #[test]
    fn symbols_of_lost_dates_come_last() {
        let need = need(&[
            ("A", &["2025-10-01", "2025-10-02", "2025-10-03"]),
            ("B", &["2025-10-01", "2025-10-02", "2025-10-03"]),
            ("C", &["2025-10-06"]),
            ("X", &["2025-10-01", "2025-10-02", "2025-10-03"]),
        ]);

        assert_eq!(names(&need, 9, &[], &["X"]), ["C", "A", "B"]);
        assert_eq!(names(&need, 1, &[], &["X"]), ["C"]);
    }
}
