use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;

const BY_SYMBOL: Offer = Offer { shape: Shape::BySymbol, earliest: None };

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + chrono::TimeDelta::days(i64::from(day))
}

/// A need from lines `symbol: days it lacks`.
fn lacking(lines: &[(&str, &[u32])]) -> Need {
    let cells = |days: &[u32]| days.iter().map(|on| day(*on)).collect();
    Need { missing: lines.iter().map(|(of, days)| (symbol(of), cells(days))).collect(), ..Need::default() }
}

fn names(requests: &[Request]) -> Vec<String> {
    requests
        .iter()
        .map(|request| match request {
            Request::Symbol(symbol) => symbol.to_string(),
            Request::Date(date) => date.to_string(),
        })
        .collect()
}

fn plain(need: &Need, calls: usize) -> Vec<Request> {
    let mut order: Vec<_> = need.missing.iter().collect();
    order.sort_by_key(|(_, dates)| std::cmp::Reverse(dates.len()));
    order.into_iter().take(calls).map(|(symbol, _)| Request::Symbol(symbol.clone())).collect()
}

fn brute_force(need: &Need, calls: usize) -> usize {
    let symbols: Vec<_> = need.missing.keys().collect();
    (0..1_u32 << symbols.len())
        .filter(|subset| subset.count_ones() as usize <= calls)
        .map(|subset| {
            let picked = symbols.iter().enumerate().filter(|(index, _)| subset & (1 << index) != 0);
            let picked: Vec<_> = picked.map(|(_, symbol)| Request::Symbol((*symbol).clone())).collect();
            completed(need, &picked).len()
        })
        .max()
        .unwrap_or(0)
}

/// A random need: for each symbol the days it lacks, as the bits of a number.
fn needs(symbols: std::ops::Range<usize>, days: u32) -> impl Strategy<Value = Need> {
    proptest::collection::vec(0..1_u64 << days, symbols).prop_map(move |rows| {
        let dates = |bits: u64| (0..days).filter(|n| bits & (1 << n) != 0).map(day).collect::<BTreeSet<_>>();
        let named = rows.into_iter().enumerate().map(|(n, bits)| (symbol(&format!("S{n:02}")), dates(bits)));
        Need { missing: named.filter(|(_, dates)| !dates.is_empty()).collect(), ..Need::default() }
    })
}

/// As `needs`, with few symbols missing on each day, as after a download that stopped halfway.
fn sparse_needs(symbols: u32, days: usize) -> impl Strategy<Value = Need> {
    let lacks = proptest::collection::btree_set(0..symbols, 0..5);
    proptest::collection::vec(lacks, 1..days).prop_map(|days| {
        let mut need = Need::default();
        for (on, lacks) in (0..).zip(days) {
            for of in lacks {
                need.missing.entry(symbol(&format!("S{of:02}"))).or_default().insert(day(on));
            }
        }
        need
    })
}

#[test]
fn the_date_that_lacks_the_fewest_symbols_comes_first() {
    let need = lacking(&[("A", &[1, 2, 3]), ("B", &[1, 2, 3]), ("C", &[1, 2, 3]), ("D", &[4])]);

    assert_eq!(names(&plan(&need, &BY_SYMBOL, 1)), ["D"]);
    assert_eq!(completed(&need, &plan(&need, &BY_SYMBOL, 1)).len(), 1);
    assert_eq!(completed(&need, &plain(&need, 1)).len(), 0);
}

#[test]
fn symbols_shared_by_many_nearly_complete_dates_are_preferred() {
    let need = lacking(&[("A", &[1]), ("B", &[2, 3, 4]), ("C", &[2, 3, 4])]);

    assert_eq!(names(&plan(&need, &BY_SYMBOL, 2)), ["B", "C"]);
    assert_eq!(names(&plan(&need, &BY_SYMBOL, 1)), ["A"]);
}

#[test]
fn a_small_case_is_searched_in_full_where_greed_is_misled() {
    let need = lacking(&[("A", &[0, 1, 3, 4, 5]), ("B", &[1, 2, 4]), ("C", &[0, 5]), ("D", &[1, 3, 4])]);

    assert_eq!(names(&plan(&need, &BY_SYMBOL, 2)), ["A", "C"]);
}

#[test]
fn where_the_search_does_worse_than_the_plain_order_the_plain_order_is_used() {
    let mut need = lacking(&[
        ("S02", &[4]),
        ("S03", &[0, 1]),
        ("S08", &[2]),
        ("S12", &[2]),
        ("S17", &[6]),
        ("S19", &[5, 6]),
        ("S23", &[0, 1]),
    ]);
    // Dates out of reach, so many that the search cannot be exhaustive.
    for on in 0..14 {
        for of in 0..5 {
            need.missing.insert(symbol(&format!("Z{on:02}-{of}")), [day(10 + on)].into());
        }
    }

    assert_eq!(completed(&need, &plain(&need, 4)).len(), 4);
    assert_eq!(completed(&need, &plan(&need, &BY_SYMBOL, 4)).len(), 4);
}

#[test]
fn when_everything_can_be_fetched_the_first_calls_still_complete_dates() {
    let need = lacking(&[("A", &[1, 2]), ("B", &[1, 2, 4]), ("C", &[3]), ("D", &[1, 2, 3, 4])]);

    let plan = plan(&need, &BY_SYMBOL, usize::MAX);

    let after = |calls: usize| completed(&need, &plan[..calls]).len();
    assert_eq!([after(1), after(2), after(3), after(4)], [0, 1, 3, 4]);
}

#[test]
fn calls_that_can_complete_nothing_still_make_progress() {
    let need = lacking(&[("A", &[1]), ("B", &[1]), ("C", &[1, 2]), ("D", &[2]), ("E", &[2])]);

    assert_eq!(plan(&need, &BY_SYMBOL, 2).len(), 2);
}

#[test]
fn what_blocks_no_date_comes_after_what_does_and_the_benchmark_last() {
    let mut need = lacking(&[("B", &[1])]);
    need.recheck = lacking(&[("A", &[1]), ("B", &[2]), ("C", &[1, 2])]).missing;
    need.others = vec![(symbol("OLD"), [day(1)].into()), (symbol("QQQ"), [day(1)].into())];

    assert_eq!(names(&plan(&need, &BY_SYMBOL, 9)), ["B", "C", "A", "OLD", "QQQ"]);
}

#[test]
fn dates_outside_the_tariff_of_the_key_are_not_requested() {
    let need = lacking(&[("A", &[1, 5]), ("B", &[1]), ("C", &[5])]);
    let offer = Offer { earliest: Some(day(3)), ..BY_SYMBOL };

    assert_eq!(names(&plan(&need, &offer, 9)), ["A", "C"]);
}

#[test]
fn by_date_each_call_completes_the_oldest_open_date() {
    let need = lacking(&[("A", &[2, 1]), ("B", &[3])]);
    let offer = Offer { shape: Shape::ByDate, earliest: None };

    assert_eq!(names(&plan(&need, &offer, 2)), ["2025-01-02", "2025-01-03"]);
}

#[test]
fn a_provider_that_offers_both_is_used_in_the_way_that_completes_more() {
    let either = Offer { shape: Shape::Either, earliest: None };
    let many_symbols = lacking(&[("A", &[1]), ("B", &[1]), ("C", &[1])]);
    let many_dates = lacking(&[("A", &[1, 2, 3])]);

    assert_eq!(names(&plan(&many_symbols, &either, 1)), ["2025-01-02"]);
    assert_eq!(names(&plan(&many_dates, &either, 1)), ["A"]);
}

#[test]
fn eight_years_of_a_hundred_symbols_are_planned_quickly() {
    let mut need = Need::default();
    for of in 0..102_u32 {
        let lacks = (0..2_000).filter(|on| on * 7 % 102 == of || (on * on + of) % 97 == 0).map(day);
        need.missing.insert(symbol(&format!("S{of:03}")), lacks.collect());
    }

    let started = std::time::Instant::now();
    let calls = plan(&need, &BY_SYMBOL, 25).len();

    assert_eq!(calls, 25);
    assert!(started.elapsed().as_secs() < 10, "took {:?}", started.elapsed());
}

#[test]
fn the_greedy_search_alone_is_nearly_always_as_good_as_brute_force() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut cases, mut equal) = (0, 0);
    for _ in 0..300 {
        let need = needs(1..7, 6).new_tree(&mut runner).unwrap().current();
        for calls in 1..=need.missing.len() {
            let missing = reachable(need.missing.iter(), &BY_SYMBOL);
            let cover = Cover::new(&missing);
            let found = cover.completed_after(&search::greedy(&cover, calls), calls);
            cases += 1;
            equal += usize::from(found == brute_force(&need, calls));
        }
    }

    assert!(equal * 100 >= cases * 95, "{equal} of {cases}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn small_plans_complete_as_many_dates_as_brute_force(need in needs(1..7, 6), calls in 0_usize..7) {
        let plan = plan(&need, &BY_SYMBOL, calls);

        prop_assert_eq!(completed(&need, &plan).len(), brute_force(&need, calls));
    }

    #[test]
    fn no_plan_completes_less_than_the_plain_order(
        need in prop_oneof![needs(1..20, 20), sparse_needs(40, 40)],
        calls in 0_usize..41,
    ) {
        let plan = plan(&need, &BY_SYMBOL, calls);

        prop_assert!(completed(&need, &plan).len() >= completed(&need, &plain(&need, calls)).len());
    }

    #[test]
    fn every_call_is_used_and_none_is_repeated(need in sparse_needs(30, 30), calls in 0_usize..35) {
        let plan = plan(&need, &BY_SYMBOL, calls);

        prop_assert_eq!(plan.len(), calls.min(need.missing.len()));
        prop_assert_eq!(plan.iter().collect::<BTreeSet<_>>().len(), plan.len());
    }
}
