use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn window(json: &str) -> Window {
    serde_json::from_str(json).unwrap()
}

fn daily(zone: &str) -> Window {
    window(&format!(r#"{{"id":"day","kind":"fixed","per":"day","limit":2,"time_zone":"{zone}"}}"#))
}

fn pace() -> Window {
    window(r#"{"id":"pace","kind":"rolling","per":"minute","limit":2}"#)
}

/// The state after calls at these instants.
fn used(window: &Window, calls: &[&str]) -> WindowState {
    calls.iter().fold(WindowState::default(), |state, call| window.debited(&state, at(call), None))
}

#[track_caller]
fn waits(window: &Window, state: &WindowState, now: &str, until: &str) {
    let expected = Decision::Wait { until: at(until), window: window.id().to_owned() };
    assert_eq!(decide(at(now), &[(window.clone(), state.clone())], None), expected);
}

#[track_caller]
fn allows(window: &Window, state: &WindowState, now: &str) {
    assert_eq!(decide(at(now), &[(window.clone(), state.clone())], None), Decision::Allowed);
}

#[test]
fn a_rolling_window_frees_each_call_its_own_time_after_it_was_made() {
    let state = used(&pace(), &["2025-10-30T12:00:10Z", "2025-10-30T12:00:40Z"]);

    waits(&pace(), &state, "2025-10-30T12:00:50Z", "2025-10-30T12:01:10Z");
    allows(&pace(), &state, "2025-10-30T12:01:10Z");

    let state = pace().debited(&state, at("2025-10-30T12:01:10Z"), None);
    assert_eq!(state.debits, [at("2025-10-30T12:00:40Z"), at("2025-10-30T12:01:10Z")]);
    waits(&pace(), &state, "2025-10-30T12:01:20Z", "2025-10-30T12:01:40Z");
}

#[test]
fn a_rolling_window_whose_limit_was_lowered_waits_for_the_calls_in_excess() {
    let state = used(&pace(), &["2025-10-30T12:00:10Z", "2025-10-30T12:00:40Z"]);
    let lowered = window(r#"{"id":"pace","kind":"rolling","per":"minute","limit":1}"#);

    waits(&lowered, &state, "2025-10-30T12:00:50Z", "2025-10-30T12:01:40Z");
}

#[test]
fn a_fixed_day_frees_all_calls_at_local_midnight() {
    let new_york = daily("America/New_York");
    let state = used(&new_york, &["2025-10-30T03:59:00Z", "2025-10-30T05:00:00Z", "2025-10-30T06:00:00Z"]);

    assert_eq!(state.used, 2, "the first call was on the day before");
    waits(&new_york, &state, "2025-10-30T12:00:00Z", "2025-10-31T04:00:00Z");
    allows(&new_york, &state, "2025-10-31T04:00:00Z");
}

#[test]
fn a_local_day_is_longer_when_the_clocks_go_back() {
    let new_york = daily("America/New_York");
    let state = used(&new_york, &["2025-11-02T04:00:00Z", "2025-11-02T04:00:01Z"]);

    waits(&new_york, &state, "2025-11-02T12:00:00Z", "2025-11-03T05:00:00Z");
}

#[test]
fn a_midnight_that_the_clocks_skip_is_the_moment_they_jump() {
    let cairo = daily("Africa/Cairo");
    let state = used(&cairo, &["2025-04-24T12:00:00Z", "2025-04-24T12:00:01Z"]);

    waits(&cairo, &state, "2025-04-24T12:00:02Z", "2025-04-24T22:00:00Z");
}

#[test]
fn an_hour_is_cut_in_local_time() {
    let kolkata = r#"{"id":"h","kind":"fixed","per":"hour","limit":1,"time_zone":"Asia/Kolkata"}"#;
    let hourly = window(kolkata);
    let state = used(&hourly, &["2025-10-30T12:31:00.5Z"]);

    waits(&hourly, &state, "2025-10-30T13:29:59.9Z", "2025-10-30T13:30:00Z");
    allows(&hourly, &state, "2025-10-30T13:30:00Z");
}

#[test]
fn the_window_that_takes_longest_decides() {
    let windows = [
        (pace(), used(&pace(), &["2025-10-30T12:00:10Z", "2025-10-30T12:00:40Z"])),
        (daily("UTC"), used(&daily("UTC"), &["2025-10-30T12:00:10Z", "2025-10-30T12:00:40Z"])),
    ];

    let decision = decide(at("2025-10-30T12:00:50Z"), &windows, None);

    assert_eq!(decision, Decision::Wait { until: at("2025-10-31T00:00:00Z"), window: "day".into() });
}

#[test]
fn a_refusal_blocks_a_window_that_has_room() {
    let refused =
        pace().refused(&WindowState::default(), at("2025-10-30T12:00:00Z"), Some(at("2025-10-30T12:05:00Z")));
    assert_eq!(pace().left(&refused, at("2025-10-30T12:04:59Z")), 0);
    waits(&pace(), &refused, "2025-10-30T12:04:59Z", "2025-10-30T12:05:00Z");
    allows(&pace(), &refused, "2025-10-30T12:05:00Z");

    let unsaid = daily("UTC").refused(&WindowState::default(), at("2025-10-30T12:00:00Z"), None);
    waits(&daily("UTC"), &unsaid, "2025-10-30T12:00:01Z", "2025-10-31T00:00:00Z");
    let sooner = daily("UTC").refused(&unsaid, at("2025-10-30T12:00:01Z"), Some(at("2025-10-30T12:00:02Z")));
    waits(&daily("UTC"), &sooner, "2025-10-30T12:00:03Z", "2025-10-31T00:00:00Z");
}

#[test]
fn a_refusal_survives_debits_and_the_turn_of_a_window() {
    let day = daily("UTC");
    let blocked =
        day.refused(&WindowState::default(), at("2025-10-30T12:00:00Z"), Some(at("2025-11-01T06:00:00Z")));

    let debited = day.debited(&blocked, at("2025-10-31T12:00:00Z"), None);

    waits(&day, &debited, "2025-10-31T12:00:00Z", "2025-11-01T06:00:00Z");
}

#[test]
fn a_symbol_already_requested_this_month_is_free() {
    let month = window(r#"{"id":"m","kind":"fixed","per":"month","limit":1,"counts":"distinct_symbols"}"#);
    let now = at("2025-12-30T12:00:00Z");
    let state = month.debited(&WindowState::default(), now, Some(&symbol("A")));
    let ledger = [(month, state)];

    assert_eq!(decide(now, &ledger, Some(&symbol("A"))), Decision::Allowed);
    assert_eq!(decide(now, &ledger, None), Decision::Allowed);
    let wait = Decision::Wait { until: at("2026-01-01T00:00:00Z"), window: "m".into() };
    assert_eq!(decide(now, &ledger, Some(&symbol("B"))), wait);
}

#[test]
fn calls_that_belong_together_fit_together_or_not_at_all() {
    let three = window(r#"{"id":"pace","kind":"rolling","per":"minute","limit":3}"#);
    let together = |state: &WindowState, now: &str, calls| match decide_together(
        at(now),
        &[(three.clone(), state.clone())],
        None,
        calls,
    ) {
        Decision::Allowed => None,
        Decision::Wait { until, .. } => Some(until),
    };
    let state = used(&three, &["2025-10-30T12:00:10Z", "2025-10-30T12:00:40Z"]);

    assert_eq!(together(&state, "2025-10-30T12:00:50Z", 1), None);
    assert_eq!(together(&state, "2025-10-30T12:00:50Z", 2), Some(at("2025-10-30T12:01:10Z")));
    assert_eq!(together(&state, "2025-10-30T12:00:50Z", 3), Some(at("2025-10-30T12:01:40Z")));
    assert_eq!(together(&state, "2025-10-30T12:00:50Z", 9), Some(at("2025-10-30T12:01:40Z")));
    assert_eq!(together(&WindowState::default(), "2025-10-30T12:00:50Z", 9), None, "an unused window");
    let day = used(&daily("UTC"), &["2025-10-30T12:00:10Z"]);
    let ledger = [(daily("UTC"), day)];
    let wait = Decision::Wait { until: at("2025-10-31T00:00:00Z"), window: "day".into() };
    assert_eq!(decide_together(at("2025-10-30T13:00:00Z"), &ledger, None, 2), wait);
}

#[test]
fn what_is_left_counts_down_and_comes_back() {
    let state = used(&daily("UTC"), &["2025-10-30T12:00:10Z"]);

    assert_eq!(daily("UTC").left(&WindowState::default(), at("2025-10-30T12:00:50Z")), 2);
    assert_eq!(daily("UTC").left(&state, at("2025-10-30T12:00:50Z")), 1);
    assert_eq!(daily("UTC").left(&state, at("2025-10-31T00:00:00Z")), 2);
}

#[test]
fn a_window_that_makes_no_sense_is_refused() {
    let refusal = |json: &str| serde_json::from_str::<Window>(json).unwrap_err().to_string();

    assert!(refusal(r#"{"id":"x","kind":"fixed","per":"day","limit":0}"#).contains("nonzero"));
    let mars = r#"{"id":"x","kind":"fixed","per":"day","limit":1,"time_zone":"Mars"}"#;
    assert_eq!(refusal(mars), r#"window "x": "Mars" is not a time zone"#);
    let zoned = r#"{"id":"x","kind":"rolling","per":"day","limit":1,"time_zone":"UTC"}"#;
    assert_eq!(refusal(zoned), r#"window "x" is rolling, so it has no time zone"#);
    let symbols = r#"{"id":"x","kind":"rolling","per":"day","limit":1,"counts":"distinct_symbols"}"#;
    assert_eq!(refusal(symbols), r#"window "x" counts distinct symbols, so it must be fixed"#);
}

#[test]
fn a_window_and_its_state_survive_being_stored() {
    let day = daily("America/New_York");
    let state = used(&day, &["2025-10-30T12:00:10Z"]);

    let stored = (serde_json::to_string(&day).unwrap(), serde_json::to_string(&state).unwrap());

    assert_eq!(window(&stored.0), day);
    assert_eq!(serde_json::from_str::<WindowState>(&stored.1).unwrap(), state);
}
