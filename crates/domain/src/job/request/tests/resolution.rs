use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn known() -> Vec<KnownModel> {
    let model = |signature: &str, enabled| KnownModel { signature: signature.into(), enabled };
    vec![model("GPT-5", true), model("Qwen3-max", true), model("retired", false)]
}

fn limits() -> RequestLimits {
    RequestLimits { max_days: 30, today: date("2025-10-31") }
}

fn completed(last: &[(&str, &str)]) -> BTreeMap<String, NaiveDate> {
    last.iter().map(|(model, day)| ((*model).to_owned(), date(day))).collect()
}

fn resolve_with(
    body: Value,
    limits: RequestLimits,
    last: &[(&str, &str)],
) -> Result<ResolvedRequest, RequestRefusal> {
    resolve(&TriggerRequest::parse(&body).unwrap(), &limits, &known(), &completed(last))
}

fn resolved(body: Value, last: &[(&str, &str)]) -> ResolvedRequest {
    resolve_with(body, limits(), last).unwrap()
}

fn check_refused(body: Value, detail: &str) {
    let refusal = resolve_with(body.clone(), limits(), &[]).expect_err("a refusal");

    assert_eq!(refusal.detail(), detail, "{body}");
    assert_eq!(refusal.validation(), None, "{body}");
}

/// Model starts as texts.
fn starts(resolved: &ResolvedRequest) -> Vec<(&str, String)> {
    resolved.models.iter().map(|(model, start)| (model.as_str(), start.to_string())).collect()
}

#[test]
fn named_models_run_from_the_start_enabled_or_not() {
    let body = json!({"start_date": "2025-10-01", "end_date": "2025-10-07", "models": ["retired", "GPT-5"]});

    let resolved = resolved(body, &[("GPT-5", "2025-10-06")]);

    assert_eq!(starts(&resolved), [("retired", "2025-10-01".into()), ("GPT-5", "2025-10-01".into())]);
    assert_eq!((resolved.total_dates(), resolved.total_model_days()), (5, 10), "weekdays, not calendar days");
    assert_eq!(resolved.message(), "Simulation job created for 5 dates, 2 models");
}

#[test]
fn without_names_all_enabled_models_run() {
    let resolved = resolved(json!({"start_date": "2025-10-01", "end_date": "2025-10-01"}), &[]);

    assert_eq!(starts(&resolved), [("GPT-5", "2025-10-01".into()), ("Qwen3-max", "2025-10-01".into())]);
}

#[test]
fn a_resumed_model_starts_after_its_own_last_completed_day() {
    let last = [("GPT-5", "2025-10-24"), ("retired", "2025-10-01")];

    let resolved = resolved(json!({"end_date": "2025-10-30"}), &last);

    assert_eq!(starts(&resolved), [("GPT-5", "2025-10-25".into()), ("Qwen3-max", "2025-10-30".into())]);
    assert_eq!(resolved.start, date("2025-10-25"));
    assert_eq!(resolved.total_model_days(), 5, "four weekdays of one model and one of the other");
    assert_eq!(resolved.message(), "Simulation job created for 4 dates, 2 models (resume mode)");
}

#[test]
fn a_model_that_is_up_to_date_does_not_stop_the_others() {
    let last = [("GPT-5", "2025-10-30"), ("Qwen3-max", "2025-10-28")];

    let resolved = resolved(json!({"end_date": "2025-10-30"}), &last);

    assert_eq!(resolved.start, date("2025-10-29"));
    assert_eq!(resolved.up_to_date().collect::<Vec<_>>(), ["GPT-5"]);
    assert_eq!((resolved.total_dates(), resolved.total_model_days()), (2, 2));
}

#[test]
fn a_request_with_nothing_left_to_do_is_accepted() {
    let last = [("GPT-5", "2025-10-30"), ("Qwen3-max", "2025-10-31")];

    let resolved = resolved(json!({"end_date": "2025-10-01"}), &last);

    assert_eq!((resolved.start, resolved.end), (date("2025-10-01"), date("2025-10-01")));
    assert_eq!(resolved.up_to_date().count(), 2);
    assert_eq!(resolved.message(), "Simulation job created for 0 dates, 2 models (resume mode)");
    assert_eq!(resolved.total_model_days(), 0);
}

#[test]
fn an_unknown_name_is_a_validation_error_that_lists_the_known() {
    let body = json!({"end_date": "2025-10-30", "models": ["GPT-5", "gpt-5", "x"]});

    let refusal = resolve_with(body, limits(), &[]).unwrap_err();

    let text = "Unknown models: gpt-5, x. Known models: GPT-5, Qwen3-max, retired";
    assert_eq!(refusal.detail(), text);
    let expected = json!({
        "type": "value_error", "loc": ["body", "models"], "msg": format!("Value error, {text}"), "input": ["gpt-5", "x"],
    });
    assert_eq!(serde_json::to_value(refusal.validation()).unwrap(), expected);
}

#[test]
fn a_long_list_of_names_is_cut_off() {
    let names: Vec<String> = (0..50).map(|number| format!("m{number}")).collect();

    let refusal =
        resolve_with(json!({"end_date": "2025-10-30", "models": names}), limits(), &[]).unwrap_err();

    assert!(refusal.detail().contains("m18, m19 and 30 more. Known"), "{}", refusal.detail());
}

#[test]
fn no_enabled_model_is_refused() {
    let request = TriggerRequest::parse(&json!({"end_date": "2025-10-30"})).unwrap();
    let disabled = KnownModel { signature: "retired".into(), enabled: false };

    let refusal = resolve(&request, &limits(), &[disabled], &BTreeMap::new()).unwrap_err();

    let text =
        "No enabled models found in config. Either enable models in config or specify them in request.";
    assert_eq!((refusal.detail().as_str(), refusal.validation()), (text, None));
}

#[test]
fn ranges_that_are_backwards_too_long_or_in_the_future_are_refused() {
    check_refused(
        json!({"start_date": "2025-10-02", "end_date": "2025-10-01"}),
        "start_date (2025-10-02) must be <= end_date (2025-10-01)",
    );
    check_refused(
        json!({"start_date": "2025-10-01", "end_date": "2025-10-31"}),
        "Date range too large: 31 days (max: 30). Reduce range or increase MAX_SIMULATION_DAYS.",
    );
    check_refused(json!({"end_date": "2025-11-01"}), "end_date (2025-11-01) cannot be in the future");
    check_refused(json!({"end_date": "2099-01-01"}), "end_date (2099-01-01) cannot be in the future");
}

#[test]
fn the_longest_allowed_range_may_end_today() {
    let resolved = resolved(json!({"start_date": "2025-10-02", "end_date": "2025-10-31"}), &[]);

    assert_eq!(resolved.total_dates(), 22);
}

#[test]
fn the_range_of_a_resumed_job_is_measured_from_its_earliest_model() {
    let last = [("GPT-5", "2025-09-01")];

    let refusal = resolve_with(json!({"end_date": "2025-10-30"}), limits(), &last).unwrap_err();

    assert_eq!(refusal, RequestRefusal::TooLarge { days: 59, max: 30 });
}

#[test]
fn the_first_refusal_in_the_documented_order_is_given() {
    let unknown_and_backwards =
        json!({"start_date": "2099-01-02", "end_date": "2099-01-01", "models": ["x"]});
    let backwards_and_future = json!({"start_date": "2099-01-02", "end_date": "2099-01-01"});
    let long_and_future = json!({"start_date": "2025-10-01", "end_date": "2099-01-01"});
    let refusal = |body| resolve_with(body, limits(), &[]).unwrap_err();

    assert!(matches!(refusal(unknown_and_backwards), RequestRefusal::UnknownModels { .. }));
    assert!(matches!(refusal(backwards_and_future.clone()), RequestRefusal::StartAfterEnd { .. }));
    assert!(matches!(refusal(long_and_future), RequestRefusal::TooLarge { .. }));
    let nothing_enabled =
        resolve(&TriggerRequest::parse(&backwards_and_future).unwrap(), &limits(), &[], &BTreeMap::new());
    assert_eq!(nothing_enabled.unwrap_err(), RequestRefusal::NoModels);
}

#[test]
fn a_past_date_beyond_the_calendar_is_a_validation_error() {
    let later = RequestLimits { max_days: 30, today: date("2031-06-01") };

    let refusal = resolve_with(json!({"end_date": "2031-01-02"}), later, &[]).unwrap_err();

    let text = "end_date (2031-01-02) is outside the trading calendar (2000-01-01 to 2030-12-31)";
    assert_eq!(refusal.detail(), text);
    assert_eq!(refusal.validation().unwrap().msg, format!("Value error, {text}"));
}

fn any_date() -> impl Strategy<Value = NaiveDate> {
    (2000..2100, 1..=366u32)
        .prop_filter_map("day of the year", |(year, day)| NaiveDate::from_yo_opt(year, day))
}

proptest! {
    #[test]
    fn what_is_resolved_keeps_the_limits(
        start in prop::option::of(any_date()),
        end in any_date(),
        today in any_date(),
        last in prop::collection::btree_map("GPT-5|Qwen3-max", any_date(), 0..3),
        max_days in 0u32..4_000,
    ) {
        let request = TriggerRequest {
            start, end, models: Vec::new(), universe: UniverseChoice::Default, options: Options::default(),
            experiment: "default".into(), unknown_fields: Vec::new(),
        };

        if let Ok(resolved) = resolve(&request, &RequestLimits { max_days, today }, &known(), &last) {
            prop_assert!(resolved.start <= resolved.end && resolved.end <= today);
            prop_assert!((resolved.end - resolved.start).num_days() < i64::from(max_days));
            prop_assert!(resolved.models.iter().all(|(_, first)| *first >= resolved.start));
            prop_assert!(resolved.total_dates() <= resolved.total_model_days());
        }
    }
}
