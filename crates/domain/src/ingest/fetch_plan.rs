//! Which symbols or dates to fetch with the calls that are left, so that the most dates become complete.
//!
//! A date is complete only when its last missing symbol has arrived. The choice of the best calls is NP-hard: when each
//! date lacks two symbols, it is the densest-k-subgraph problem. So small cases are searched exhaustively; for large
//! ones the plan is the best of two greedy orders and of the plain order, symbols that lack the most dates first. It is
//! never worse than the plain order.

mod cover;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::ingest::coverage::Need;
use crate::market::instruments::Symbol;
use cover::Cover;

/// What one call to a provider returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All dates of one symbol.
    BySymbol,
    /// All symbols of one date.
    ByDate,
    /// Either of them; a plan uses the one that completes more dates.
    Either,
}

/// The calls that a provider offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// What one call returns.
    pub shape: Shape,
    /// The oldest date that the provider's tariff includes; `None` is no limit.
    pub earliest: Option<NaiveDate>,
}

/// One call to a provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// All dates of this symbol.
    Symbol(Symbol),
    /// All symbols of this date.
    Date(NaiveDate),
}

/// The calls to make, the most useful first, at most `calls_left` of them.
///
/// A rate limit may stop the plan after any call. So among plans that complete the most dates, every prefix should
/// complete many dates too. Symbols that block no date come last: young absences to request again, then held symbols
/// that left the universe, then the benchmark. Dates come oldest first, because they are simulated in this order.
pub fn plan(need: &Need, offer: &Offer, calls_left: usize) -> Vec<Request> {
    match offer.shape {
        Shape::BySymbol => by_symbol(need, offer, calls_left).0,
        Shape::ByDate => by_date(need, offer, calls_left).0,
        Shape::Either => {
            let (symbols, with_symbols) = by_symbol(need, offer, calls_left);
            let (dates, with_dates) = by_date(need, offer, calls_left);
            let fewer_calls = symbols.len() <= dates.len();
            if with_symbols > with_dates || (with_symbols == with_dates && fewer_calls) {
                symbols
            } else {
                dates
            }
        }
    }
}

/// A plan of calls by symbol, and how many dates it completes.
fn by_symbol(need: &Need, offer: &Offer, calls_left: usize) -> (Vec<Request>, usize) {
    let missing = reachable(need.missing.iter(), offer);
    let recheck = reachable(need.recheck.iter(), offer);
    let others = reachable(need.others.iter().map(|(symbol, dates)| (symbol, dates)), offer);
    let mut by_count = recheck;
    by_count.sort_by_key(|(_, dates)| std::cmp::Reverse(dates.len()));

    let cover = Cover::new(&missing);
    let order = search::best_order(&cover, calls_left);
    let completed = cover.completed_after(&order, calls_left);
    let symbols = order.into_iter().map(|symbol| missing[symbol].0);
    let rest = by_count.iter().chain(&others).map(|(symbol, _)| *symbol);
    (distinct(symbols.chain(rest).map(|symbol| Request::Symbol(symbol.clone())), calls_left), completed)
}

/// A plan of calls by date, and how many dates it completes.
fn by_date(need: &Need, offer: &Offer, calls_left: usize) -> (Vec<Request>, usize) {
    let dates = |cells: Vec<(&Symbol, BTreeSet<NaiveDate>)>| -> BTreeSet<NaiveDate> {
        cells.into_iter().flat_map(|(_, dates)| dates).collect()
    };
    let missing = dates(reachable(need.missing.iter(), offer));
    let recheck = dates(reachable(need.recheck.iter(), offer));
    let others = dates(reachable(need.others.iter().map(|(symbol, dates)| (symbol, dates)), offer));
    let completed = missing.len().min(calls_left);
    let requests = missing.into_iter().chain(recheck).chain(others).map(Request::Date);
    (distinct(requests, calls_left), completed)
}

/// The cells that the offer reaches, without symbols that have none.
fn reachable<'a>(
    cells: impl Iterator<Item = (&'a Symbol, &'a BTreeSet<NaiveDate>)>,
    offer: &Offer,
) -> Vec<(&'a Symbol, BTreeSet<NaiveDate>)> {
    let earliest = offer.earliest.unwrap_or(NaiveDate::MIN);
    cells
        .map(|(symbol, dates)| (symbol, dates.range(earliest..).copied().collect::<BTreeSet<_>>()))
        .filter(|(_, dates)| !dates.is_empty())
        .collect()
}

fn distinct(requests: impl Iterator<Item = Request>, at_most: usize) -> Vec<Request> {
    let mut seen = BTreeSet::new();
    requests.filter(|request| seen.insert(request.clone())).take(at_most).collect()
}

/// The dates that are complete once all `requests` have been answered.
pub fn completed(need: &Need, requests: &[Request]) -> BTreeSet<NaiveDate> {
    let planned: BTreeSet<&Request> = requests.iter().collect();
    let mut lacking: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    for (symbol, dates) in &need.missing {
        let whole = planned.contains(&Request::Symbol(symbol.clone()));
        for date in dates {
            let arrives = whole || planned.contains(&Request::Date(*date));
            *lacking.entry(*date).or_default() += usize::from(!arrives);
        }
    }
    lacking.into_iter().filter(|(_, lacking)| *lacking == 0).map(|(date, _)| date).collect()
}

#[cfg(test)]
mod tests;
