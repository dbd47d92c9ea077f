use super::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn universe(members: &[&str]) -> Universe {
    let symbols = members.iter().map(|member| symbol(member)).collect();
    Universe { name: "test".into(), symbols, benchmark: Some(symbol("QQQ")) }
}

fn scope(sessions: &[&str], members: &[&str]) -> Scope {
    Scope::new(sessions.iter().map(|session| date(session)), &universe(members), &[])
}

fn span(of: &str, from: &str, to: &str, requested_at: &str) -> AnswerSpan {
    AnswerSpan { symbol: symbol(of), from: date(from), to: date(to), requested_at: at(requested_at) }
}

fn coverage(scope: Scope, bars: &[(&str, &str)], spans: &[AnswerSpan]) -> Coverage {
    let bars: Vec<_> = bars.iter().map(|(of, on)| (symbol(of), date(on))).collect();
    Coverage::assess(scope, bars.iter().map(|(of, on)| (of, *on)), spans, at("2025-11-03T12:00:00Z"))
}

fn need(coverage: &Coverage) -> Need {
    coverage.need(at("2025-11-03T12:00:00Z"), date("2025-10-31"))
}

fn cells(cells: &BTreeMap<Symbol, BTreeSet<NaiveDate>>) -> Vec<String> {
    cells.iter().flat_map(|(of, on)| on.iter().map(move |on| format!("{of} {on}"))).collect()
}

#[test]
fn what_is_neither_stored_nor_known_absent_is_missing() {
    let bars = [("A", "2025-10-01"), ("B", "2025-10-01"), ("B", "2025-10-02"), ("Z", "2025-10-01")];
    let known = coverage(scope(&["2025-10-01", "2025-10-02"], &["A", "B"]), &bars, &[]);

    assert_eq!(cells(&need(&known).missing), ["A 2025-10-02"]);
    assert_eq!(known.verdicts()[&date("2025-10-01")], Verdict::Available);
    assert_eq!(known.verdicts()[&date("2025-10-02")], Verdict::Incomplete { missing: vec![symbol("A")] });
}

#[test]
fn a_series_that_ends_early_says_nothing_about_the_days_after_its_answer() {
    let spans = [span("A", "2025-10-20", "2025-10-20", "2025-11-03T10:00:00Z")];
    let known =
        coverage(scope(&["2025-10-17", "2025-10-20", "2025-10-21"], &["A"]), &[("A", "2025-10-20")], &spans);

    assert_eq!(cells(&need(&known).missing), ["A 2025-10-17", "A 2025-10-21"]);
}

#[test]
fn a_session_inside_an_answer_without_a_bar_is_known_absent() {
    let spans = [span("A", "2025-09-01", "2025-10-31", "2025-11-03T10:00:00Z")];
    let known = coverage(scope(&["2025-10-01"], &["A", "B"]), &[("B", "2025-10-01")], &spans);

    assert_eq!(known.verdicts()[&date("2025-10-01")], Verdict::Available);
    assert_eq!(cells(&need(&known).missing), Vec::<String>::new());
    assert_eq!(cells(&need(&known).recheck), Vec::<String>::new());
}

#[test]
fn a_young_absence_is_requested_again_after_a_day_and_an_old_one_never() {
    let sessions = ["2025-10-03", "2025-10-06"];
    let day_old = [span("A", "2025-09-01", "2025-10-31", "2025-11-02T12:00:00Z")];
    let known = coverage(scope(&sessions, &["A"]), &[], &day_old);

    assert_eq!(cells(&need(&known).missing), Vec::<String>::new());
    assert_eq!(cells(&need(&known).recheck), ["A 2025-10-06"]);

    let fresher = [day_old[0].clone(), span("A", "2025-10-01", "2025-10-31", "2025-11-02T12:00:01Z")];
    assert!(need(&coverage(scope(&sessions, &["A"]), &[], &fresher)).recheck.is_empty());
}

#[test]
fn an_absence_that_was_filled_is_not_requested_again() {
    let day_old = [span("A", "2025-09-01", "2025-10-31", "2025-11-01T12:00:00Z")];
    let known = coverage(scope(&["2025-10-30"], &["A"]), &[("A", "2025-10-30")], &day_old);

    assert!(need(&known).recheck.is_empty());
}

#[test]
fn a_date_on_which_most_members_have_no_bar_cannot_run() {
    let spans: Vec<_> = ["A", "B"]
        .into_iter()
        .map(|of| span(of, "2025-09-01", "2025-10-31", "2025-11-03T10:00:00Z"))
        .collect();
    let known = coverage(scope(&["2025-10-01"], &["A", "B", "C"]), &[("C", "2025-10-01")], &spans);

    let verdict = &known.verdicts()[&date("2025-10-01")];

    assert_eq!(*verdict, Verdict::TooFewBars { with_bar: 1, members: 3 });
}

#[test]
fn the_benchmark_is_needed_last_and_blocks_nothing() {
    let sessions = [date("2025-10-01")];
    let held = [symbol("QQQ"), symbol("OLD"), symbol("A")];
    let scope = Scope::new(sessions, &universe(&["A"]), &held);
    let known = coverage(scope, &[("A", "2025-10-01")], &[]);

    let others: Vec<_> = need(&known).others.into_iter().map(|(of, _)| of).collect();

    assert_eq!(others, [symbol("OLD"), symbol("QQQ")]);
    assert_eq!(known.verdicts()[&date("2025-10-01")], Verdict::Available);
}

#[test]
fn a_session_that_has_not_closed_is_missing_but_cannot_be_fetched() {
    let known = coverage(scope(&["2025-10-31", "2025-11-03"], &["A"]), &[], &[]);

    let need = need(&known);

    assert_eq!(cells(&need.missing), ["A 2025-10-31"]);
    assert_eq!(need.not_fetchable, BTreeSet::from([date("2025-11-03")]));
    assert!(matches!(known.verdicts()[&date("2025-11-03")], Verdict::Incomplete { .. }));
}

#[test]
fn when_everything_is_stored_nothing_is_needed() {
    let known = coverage(scope(&["2025-10-01"], &["A"]), &[("A", "2025-10-01"), ("QQQ", "2025-10-01")], &[]);

    assert_eq!(need(&known), Need::default());
    assert!(need(&known).is_empty());
}

#[test]
fn eight_years_of_a_hundred_symbols_are_assessed_quickly() {
    let names: Vec<_> = (0..101).map(|n| format!("S{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let sessions: Vec<_> = date("2018-01-01").iter_days().take(2_000).collect();
    let scope = Scope::new(sessions.clone(), &universe(&names), &[]);
    let symbols: Vec<_> = scope.symbols().cloned().collect();
    let bars: Vec<_> = symbols
        .iter()
        .flat_map(|of| sessions.iter().map(move |on| (of, *on)))
        .enumerate()
        .filter(|(n, _)| n % 3 != 0)
        .map(|(_, bar)| bar)
        .collect();

    let started = std::time::Instant::now();
    let known = Coverage::assess(scope, bars.iter().copied(), &[], at("2025-11-03T12:00:00Z"));
    let cells = need(&known).missing.values().map(BTreeSet::len).sum::<usize>();
    let verdicts = known.verdicts();
    let took = started.elapsed();

    assert_eq!(cells, (0..101 * 2_000).filter(|n| n % 3 == 0).count());
    assert_eq!(verdicts.len(), 2_000);
    // An optimised build takes a tenth of the 100 ms that are allowed; this bound is for slow, unoptimised ones.
    assert!(took.as_millis() < 2_000, "took {took:?}");
}
