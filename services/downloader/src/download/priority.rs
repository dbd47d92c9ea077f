//! In which order calls are made, given which have been made already.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::ingest::coverage::Need;
use domain::ingest::fetch_plan::{Offer, Request, plan};
use domain::market::instruments::Symbol;

/// The calls to make, most useful first, at most `calls_left`, without those in `in_progress` and `tried`.
///
/// A date that still lacks a symbol in `tried` cannot run, so symbols that only such dates lack come after those
/// that complete other dates.
pub(super) fn by_priority(
    need: &Need,
    offer: &Offer,
    calls_left: usize,
    in_progress: &BTreeSet<Request>,
    tried: &BTreeSet<Request>,
) -> Vec<Request> {
    let lost: BTreeSet<NaiveDate> = tried
        .iter()
        .filter_map(|request| match request {
            Request::Symbol(symbol) => need.missing.get(symbol),
            Request::Date(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    let is_open = |request: &Request| !in_progress.contains(request) && !tried.contains(request);
    let open = |(symbol, dates): (&Symbol, &BTreeSet<NaiveDate>)| {
        let dates = dates.iter().filter(|date| is_open(&Request::Date(**date))).copied();
        let dates: BTreeSet<NaiveDate> = dates.collect();
        (is_open(&Request::Symbol(symbol.clone())) && !dates.is_empty()).then(|| (symbol.clone(), dates))
    };
    let rest = Need {
        missing: need.missing.iter().filter_map(open).collect(),
        recheck: need.recheck.iter().filter_map(open).collect(),
        others: need.others.iter().filter_map(|(symbol, dates)| open((symbol, dates))).collect(),
        not_fetchable: BTreeSet::new(),
    };
    let first = match lost.is_empty() {
        true => Vec::new(),
        false => {
            let completing = rest.missing.iter().map(|(symbol, dates)| (symbol.clone(), dates - &lost));
            let completing: BTreeMap<_, _> = completing.filter(|(_, dates)| !dates.is_empty()).collect();
            plan(&Need { missing: completing, ..Need::default() }, offer, calls_left)
        }
    };
    let mut seen = BTreeSet::new();
    first
        .into_iter()
        .chain(plan(&rest, offer, calls_left))
        .filter(|request| seen.insert(request.clone()))
        .take(calls_left)
        .collect()
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
        let set = |names: &[&str]| names.iter().map(|name| Request::Symbol(symbol(name))).collect();
        let offer = Offer { shape: Shape::BySymbol, earliest: None };
        let order = by_priority(need, &offer, calls_left, &set(in_progress), &set(tried));
        order.iter().map(name).collect()
    }

    fn name(request: &Request) -> String {
        match request {
            Request::Symbol(symbol) => symbol.to_string(),
            Request::Date(date) => date.to_string(),
        }
    }

    #[test]
    fn a_date_that_was_asked_for_is_not_asked_for_again() {
        let days = ["2025-10-01", "2025-10-02", "2025-10-03"];
        let need = need(&[("A", &days), ("B", &days)]);
        let of = |day: &str| [Request::Date(day.parse().unwrap())].into();
        let offer = Offer { shape: Shape::ByDate, earliest: None };

        let order = by_priority(&need, &offer, 9, &of(days[1]), &of(days[0]));

        assert_eq!(order.iter().map(name).collect::<Vec<_>>(), ["2025-10-03"]);
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
