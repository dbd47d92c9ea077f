//! The search for the order of symbols that completes the most dates.

use std::cmp::Reverse;

use super::cover::{Cover, Group};
use crate::values::bit_set::BitSet;

/// The highest number of sets of symbols or groups that an exhaustive search tries.
const EXHAUSTIVE_LIMIT: u64 = 5_000;

/// The number of groups that the greedy search compares before each choice: those that lack the fewest symbols.
const GREEDY_CANDIDATES: usize = 64;

/// All symbols in the best order found: its first `calls` complete the most dates. Among orders that complete the same
/// number, it is the one whose prefixes complete more.
pub(super) fn best_order(cover: &Cover, calls: usize) -> Vec<usize> {
    let mut orders = vec![greedy(cover, calls)];
    if calls < cover.symbols {
        orders.push(within(cover, &peeled(cover, calls), calls));
        orders.extend(exhaustive(cover, calls).map(|best| within(cover, &best, calls)));
    }
    orders.push(cover.plain_order());
    // `max_by_key` returns the last of equals; the first is preferred here.
    orders.into_iter().rev().max_by_key(|order| cover.profile(order, calls)).unwrap_or_default()
}

/// The greedy order: it repeatedly adds the lacking symbols of the group that completes the most dates per call.
pub(super) fn greedy(cover: &Cover, calls: usize) -> Vec<usize> {
    let mut open: Vec<&Group> = cover.groups.iter().collect();
    let mut chosen = BitSet::empty(cover.symbols);
    let mut order = Vec::with_capacity(cover.symbols);
    while !open.is_empty() {
        let next = densest(&open, &chosen, calls.saturating_sub(order.len()));
        let mut symbols: Vec<_> = next.iter().collect();
        symbols.sort_by_key(|symbol| Reverse(dates_lacking(&open, *symbol)));
        order.extend(symbols);
        chosen.union_with(&next);
        open.retain(|group| !group.lacks.is_subset(&chosen));
    }
    order
}

/// The lacking symbols of the group that completes the most dates per call. When some groups fit into `calls`, only
/// these are compared.
fn densest(open: &[&Group], chosen: &BitSet, calls: usize) -> BitSet {
    let mut nearest: Vec<_> = open.iter().map(|group| (group.lacks.minus(chosen), group.dates)).collect();
    nearest.sort_by_key(|(rest, dates)| (rest.len() > calls, rest.len(), Reverse(*dates)));
    let fits = nearest.iter().take_while(|(rest, _)| rest.len() <= calls).count();
    nearest.truncate(if fits == 0 { GREEDY_CANDIDATES } else { fits.min(GREEDY_CANDIDATES) });

    let mut best: Option<(usize, BitSet)> = None;
    for (rest, _) in nearest {
        let mut after = chosen.clone();
        after.union_with(&rest);
        let gain = open.iter().filter(|g| g.lacks.is_subset(&after)).map(|g| g.dates).sum::<usize>();
        if best.as_ref().is_none_or(|(best, cost)| gain * cost.len() > best * rest.len()) {
            best = Some((gain, rest));
        }
    }
    best.map_or_else(|| BitSet::empty(0), |(_, rest)| rest)
}

/// How many dates lack `symbol`.
fn dates_lacking(open: &[&Group], symbol: usize) -> usize {
    open.iter().filter(|group| group.lacks.contains(symbol)).map(|group| group.dates).sum()
}

/// The symbols that are left when the symbol that the fewest dates lack is removed repeatedly, until `calls` are left.
fn peeled(cover: &Cover, calls: usize) -> BitSet {
    let mut kept = BitSet::empty(cover.symbols);
    kept.insert_all(0..cover.symbols);
    let mut alive: Vec<&Group> = cover.groups.iter().collect();
    while kept.len() > calls {
        let cheapest = kept.iter().min_by_key(|symbol| (dates_lacking(&alive, *symbol), Reverse(*symbol)));
        let Some(cheapest) = cheapest else { break };
        kept.remove(cheapest);
        alive.retain(|group| !group.lacks.contains(cheapest));
    }
    kept
}

/// The best set of at most `calls` symbols, when there are few sets of symbols or few sets of groups; otherwise `None`.
fn exhaustive(cover: &Cover, calls: usize) -> Option<BitSet> {
    if combinations(cover.symbols, calls) <= EXHAUSTIVE_LIMIT {
        return best_combination(cover, calls);
    }
    let groups = cover.groups.len();
    (groups <= EXHAUSTIVE_LIMIT.ilog2() as usize).then(|| best_union(cover, calls)).flatten()
}

fn best_combination(cover: &Cover, calls: usize) -> Option<BitSet> {
    let mut best: Option<(usize, BitSet)> = None;
    let mut picked: Vec<usize> = (0..calls).collect();
    loop {
        let mut chosen = BitSet::empty(cover.symbols);
        picked.iter().for_each(|symbol| chosen.insert(*symbol));
        let completed = cover.completed_by(&chosen);
        if best.as_ref().is_none_or(|(best, _)| completed > *best) {
            best = Some((completed, chosen));
        }
        // The next combination in lexicographic order: move the last index that can still move.
        let movable = (0..calls).rev().find(|place| picked[*place] < cover.symbols - (calls - place));
        let Some(place) = movable else { return best.map(|(_, chosen)| chosen) };
        picked[place] += 1;
        for later in place + 1..calls {
            picked[later] = picked[later - 1] + 1;
        }
    }
}

fn best_union(cover: &Cover, calls: usize) -> Option<BitSet> {
    let unions = (0..1_u64 << cover.groups.len()).map(|subset| {
        let mut union = BitSet::empty(cover.symbols);
        let members = cover.groups.iter().enumerate().filter(|(index, _)| subset & (1 << index) != 0);
        members.for_each(|(_, group)| union.union_with(&group.lacks));
        union
    });
    unions.filter(|union| union.len() <= calls).max_by_key(|union| cover.completed_by(union))
}

/// The binomial coefficient of `n` and `k`, or `u64::MAX` when it is above the limit of an exhaustive search.
fn combinations(n: usize, k: usize) -> u64 {
    let k = k.min(n.saturating_sub(k)) as u64;
    (0..k).fold(1_u64, |product, step| match product {
        0..=EXHAUSTIVE_LIMIT => product * (n as u64 - step) / (step + 1),
        _ => u64::MAX,
    })
}

/// The symbols of `kept` in greedy order, then all others in greedy order.
fn within(cover: &Cover, kept: &BitSet, calls: usize) -> Vec<usize> {
    let inside = cover.groups.iter().filter(|group| group.lacks.is_subset(kept));
    let inside = inside.map(|group| Group { lacks: group.lacks.clone(), dates: group.dates }).collect();
    let mut order = greedy(&cover.with_groups(inside), calls);
    let mut rest = greedy(cover, calls);
    rest.retain(|symbol| !order.contains(symbol));
    let (in_set, outside): (Vec<_>, Vec<_>) = rest.into_iter().partition(|symbol| kept.contains(*symbol));
    order.extend(in_set.into_iter().chain(outside));
    order
}
