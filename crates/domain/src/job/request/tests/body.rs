use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;

fn parse(body: &Value) -> TriggerRequest {
    TriggerRequest::parse(body).unwrap()
}

/// The errors of a body as they are written.
fn errors(body: &Value) -> Vec<Value> {
    let errors = TriggerRequest::parse(body).expect_err("a body with errors");
    errors.iter().map(|error| serde_json::to_value(error).unwrap()).collect()
}

/// The errors of a body that is right but for `field`.
fn errors_with(field: &str, value: Value) -> Vec<Value> {
    let mut body = json!({"end_date": "2025-10-31"});
    body[field] = value;
    errors(&body)
}

fn check_field(field: &str, value: Value, kind: &str, msg: &str) {
    let expected = json!([{"type": kind, "loc": ["body", field], "msg": msg, "input": value}]);

    assert_eq!(json!(errors_with(field, value.clone())), expected, "{field}: {value}");
}

#[test]
fn everything_but_the_end_has_a_default() {
    let request = parse(&json!({"end_date": "2025-10-31"}));

    let expected = TriggerRequest {
        start: None,
        end: "2025-10-31".parse().unwrap(),
        models: Vec::new(),
        universe: UniverseChoice::Default,
        options: Options::default(),
        experiment: "default".into(),
        unknown_fields: Vec::new(),
    };
    assert_eq!(request, expected);
}

#[test]
fn every_field_is_read() {
    let request = parse(&json!({
        "start_date": "2025-10-01", "end_date": "2025-10-31", "models": ["GPT-5", "Qwen3-max", "GPT-5"],
        "replace_existing": true, "on_failure": "stop", "experiment": "no-fees_2.1",
        "wait_for_data": true, "reprocess_stale": true, "budget": "2.50", "priority": "high", "unknown": {"is": "ignored"},
    }));

    assert_eq!(request.start, Some("2025-10-01".parse().unwrap()));
    assert_eq!(request.models, ["GPT-5", "Qwen3-max"], "a repeated name is taken once, at its first place");
    assert_eq!(request.experiment, "no-fees_2.1");
    let all = Options {
        replace_existing: true,
        on_failure: OnFailure::Stop,
        wait_for_data: true,
        reprocess_stale: true,
        budget: Some("2.5".parse().unwrap()),
        priority: Priority::High,
    };
    assert_eq!(request.options, all);
}

#[test]
fn null_absent_and_empty_ask_for_the_same() {
    let plain = json!({"end_date": "2025-10-31"});
    let nulls = json!({"end_date": "2025-10-31", "start_date": null, "models": null});
    let empty = json!({"end_date": "2025-10-31", "start_date": "", "models": []});
    let other = json!({"end_date": "2025-10-31", "start_date": "2025-10-30"});

    assert_eq!(parse(&nulls), parse(&plain));
    assert_eq!(parse(&empty).normalised(), parse(&plain).normalised());
    assert_ne!(parse(&other).normalised(), parse(&plain).normalised());
}

#[test]
fn the_end_is_required() {
    let body = json!({"start_date": "2025-10-01"});

    let expected =
        json!([{"type": "missing", "loc": ["body", "end_date"], "msg": "Field required", "input": body}]);
    assert_eq!(json!(errors(&body)), expected);
    check_field("end_date", Value::Null, "string_type", "Input should be a valid string");
}

#[test]
fn a_date_exists_and_is_padded() {
    for text in
        ["", "2025-10-6", "06.10.2025", "2025-02-30", " 2025-10-06", "+2025-10-06", "+12025-10-06", "x"]
    {
        let msg = format!("Value error, Invalid date format: {text}. Expected YYYY-MM-DD");
        check_field("end_date", json!(text), "value_error", &msg);
        if !text.is_empty() {
            check_field("start_date", json!(text), "value_error", &msg);
        }
    }
    check_field("start_date", json!(20251001), "string_type", "Input should be a valid string");
}

#[test]
fn a_date_before_the_calendar_is_refused_by_name_and_range() {
    let msg =
        "Value error, start_date (1999-12-31) is outside the trading calendar (2000-01-01 to 2030-12-31)";

    check_field("start_date", json!("1999-12-31"), "value_error", msg);
    assert!(TriggerRequest::parse(&json!({"start_date": "2000-01-01", "end_date": "2099-01-01"})).is_ok());
}

#[test]
fn values_of_a_wrong_type_are_refused() {
    check_field("models", json!("GPT-5"), "list_type", "Input should be a valid list");
    check_field("replace_existing", Value::Null, "bool_type", "Input should be a valid boolean");
    check_field("wait_for_data", json!([]), "bool_type", "Input should be a valid boolean");
    let unclear = "Input should be a valid boolean, unable to interpret input";
    check_field("reprocess_stale", json!("perhaps"), "bool_parsing", unclear);
    check_field("replace_existing", json!(2), "bool_parsing", unclear);
    for value in [json!("skip"), Value::Null, json!(1)] {
        check_field("on_failure", value, "literal_error", "Input should be 'continue' or 'stop'");
    }
    for value in [json!("urgent"), json!("HIGH"), Value::Null, json!(9)] {
        check_field("priority", value, "literal_error", "Input should be 'low', 'normal' or 'high'");
    }
}

#[test]
fn booleans_are_read_as_leniently_as_by_the_original() {
    for value in [json!(true), json!(1), json!(1.0), json!("true"), json!("YES"), json!("1")] {
        let body = json!({"end_date": "2025-10-31", "replace_existing": value});
        assert!(parse(&body).options.replace_existing, "{body}");
    }
    for value in [json!(false), json!(0), json!(0.0), json!("False"), json!("off")] {
        let body = json!({"end_date": "2025-10-31", "replace_existing": value});
        assert!(!parse(&body).options.replace_existing, "{body}");
    }
}

#[test]
fn an_element_that_is_no_name_is_pointed_at() {
    let expected = json!([
        {"type": "string_type", "loc": ["body", "models", 1], "msg": "Input should be a valid string", "input": 5},
        {"type": "string_type", "loc": ["body", "models", 3], "msg": "Input should be a valid string", "input": null},
    ]);

    assert_eq!(json!(errors_with("models", json!(["a", 5, "b", null]))), expected);
    assert_eq!(errors_with("models", json!(vec![0; 5_000])).len(), 100, "a flood of errors is cut off");
}

#[test]
fn an_experiment_is_a_short_plain_name() {
    let pattern = "String should match pattern '^[A-Za-z0-9._-]+$'";

    check_field("experiment", json!(""), "string_too_short", "String should have at least 1 character");
    check_field(
        "experiment",
        json!("a".repeat(101)),
        "string_too_long",
        "String should have at most 100 characters",
    );
    check_field("experiment", json!("two words"), "string_pattern_mismatch", pattern);
    check_field("experiment", json!("größer"), "string_pattern_mismatch", pattern);
    check_field("experiment", Value::Null, "string_type", "Input should be a valid string");
    assert!(TriggerRequest::parse(&json!({"end_date": "2025-10-31", "experiment": "a".repeat(100)})).is_ok());
}

#[test]
fn a_body_is_an_object() {
    for body in [json!([]), json!("2025-10-31"), json!(7), Value::Null] {
        let msg = "Input should be a valid dictionary or object to extract fields from";
        let expected = json!([{"type": "model_attributes_type", "loc": ["body"], "msg": msg, "input": body}]);
        assert_eq!(json!(errors(&body)), expected, "{body}");
    }
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_the_fields() {
    let body = json!({
        "reprocess_stale": [], "wait_for_data": {}, "experiment": 1, "on_failure": "x", "replace_existing": "?",
        "models": [1], "start_date": "yesterday",
    });

    let places: Vec<Value> = errors(&body).iter().map(|error| error["loc"][1].clone()).collect();
    let fields = [
        "start_date",
        "end_date",
        "models",
        "replace_existing",
        "on_failure",
        "experiment",
        "wait_for_data",
        "reprocess_stale",
    ];
    assert_eq!(json!(places), json!(fields));
}

#[test]
fn the_summary_names_each_place() {
    let errors = TriggerRequest::parse(&json!({"models": [1]})).unwrap_err();

    assert_eq!(
        ValidationError::summary(&errors),
        "body.end_date: Field required; body.models.0: Input should be a valid string"
    );
}

/// Any JSON, of which many values look nearly right.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[+-]?[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}".prop_map(Value::from),
        Just(json!("2025-10-31")),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(
                "start_date|end_date|models|replace_existing|on_failure|experiment|[a-z]{1,3}",
                inner,
                0..6
            )
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn a_misspelt_field_is_refused_with_the_name_that_is_meant() {
    let body =
        json!({"end_date": "2025-10-31", "model": ["cash"], "replace_exsisting": true, "comment": "mine"});

    let texts: Vec<_> = TriggerRequest::parse(&body).unwrap_err().iter().map(ToString::to_string).collect();

    assert_eq!(
        texts,
        [
            "body.model: There is no such field; use models",
            "body.replace_exsisting: There is no such field; use replace_existing",
        ]
    );
    let request = parse(&json!({"end_date": "2025-10-31", "comment": "mine"}));
    assert_eq!(request.unknown_fields, ["comment"]);
}

#[test]
fn symbols_or_a_universe_may_be_named_and_errors_are_at_the_symbol() {
    let of = |field: &str, value: Value| {
        let mut body = json!({"end_date": "2025-10-31"});
        body[field] = value;
        TriggerRequest::parse(&body)
    };
    let texts = |errors: Vec<ValidationError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    let symbols =
        |names: &[&str]| UniverseChoice::Symbols(names.iter().map(|name| name.parse().unwrap()).collect());

    let named = of("universe", json!("mine-2")).unwrap();
    let listed = of("symbols", json!(["MSFT", "BRK-B", "AAPL", "MSFT", "BRK.B"])).unwrap();
    let neither = of("symbols", Value::Null).unwrap();

    assert_eq!(named.universe, UniverseChoice::Named("mine-2".into()));
    assert_eq!(listed.universe, symbols(&["MSFT", "BRK.B", "AAPL"]));
    assert_eq!(neither.universe, UniverseChoice::Default);
    assert!(named.normalised().contains("\"universe\":\"mine-2\""), "{}", named.normalised());
    assert!(listed.normalised().contains("\"symbols\":[\"MSFT\",\"BRK.B\",\"AAPL\"]"));
    assert!(!neither.normalised().contains("universe") && !neither.normalised().contains("symbols"));
    assert_eq!(
        texts(of("symbols", json!(["AAPL", "no such", 7, "aapl"])).unwrap_err()),
        [
            "body.symbols.2: Input should be a valid string",
            "body.symbols.1: Value error, \"no such\" is not a ticker symbol (1 to 12 of A-Z, 0-9, '.', '-')",
            "body.symbols.3: Value error, \"aapl\" is not a ticker symbol (1 to 12 of A-Z, 0-9, '.', '-')",
        ]
    );
    for (field, value, kind) in [
        ("symbols", json!([]), "too_short"),
        ("symbols", json!("AAPL"), "list_type"),
        ("universe", json!(7), "string_type"),
        ("universe", json!("a b"), "string_pattern_mismatch"),
        ("universe", json!(""), "string_pattern_mismatch"),
    ] {
        let found = of(field, value).err().map_or("", |errors| errors[0].kind);
        assert_eq!(found, kind, "{field}");
    }
    let both = json!({"end_date": "2025-10-31", "universe": "mine", "symbols": ["AAPL"]});
    let both = texts(TriggerRequest::parse(&both).unwrap_err());
    assert_eq!(both, ["body.symbols: Value error, There is a universe too; leave one of them out"]);
}

proptest! {
    #[test]
    fn any_json_is_a_request_or_has_errors_inside_the_body(body in any_json()) {
        match TriggerRequest::parse(&body) {
            Ok(request) => prop_assert!(body["end_date"] == json!(request.end.to_string())),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.iter().all(|error| error.loc[0] == PathSegment::from("body")));
            }
        }
    }
}
