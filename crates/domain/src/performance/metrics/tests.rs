use chrono::NaiveDate;
use serde_json::Value;

use super::*;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../testdata/metrics.json")).unwrap()
}

fn decimals(values: &Value) -> Vec<Decimal> {
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().parse().unwrap()).collect()
}

fn dates(case: &Value) -> Vec<NaiveDate> {
    case["dates"].as_array().unwrap().iter().map(|date| date.as_str().unwrap().parse().unwrap()).collect()
}

fn whole(values: &[i64]) -> Vec<Decimal> {
    values.iter().map(|value| Decimal::from(*value)).collect()
}

/// The metrics of a case as the API would show them.
fn shown(case: &Value, daily_risk_free: f64) -> Value {
    let equity = decimals(&case["equity"]);
    let benchmark = case.get("benchmark").map(decimals);
    let benchmark = benchmark.as_deref();
    let observed = Observed { equity: &equity, benchmark, daily_risk_free, traded: Decimal::ZERO };
    serde_json::to_value(metrics(&observed)).unwrap()
}

/// Equal to 1e-9, absolutely or relatively; `null` and `inf` must both be null with a reason.
#[track_caller]
fn assert_close(case: &Value, name: &str, shown: &Value, expected: &Value) {
    let message = format!("{} of {}: {} is not {expected}", name, case["name"], shown[name]);
    match expected.as_f64() {
        Some(expected) => {
            let actual = shown[name].as_f64().unwrap_or_else(|| panic!("{message}"));
            let tolerance = 1e-9_f64.max(expected.abs() * 1e-9);
            assert!((actual - expected).abs() <= tolerance, "{message}");
        }
        None => {
            assert!(shown[name].is_null(), "{message}");
            assert!(shown["reasons"][name].is_string(), "no reason: {message}");
        }
    }
}

#[test]
fn every_metric_equals_the_vectors() {
    let names = [
        ("total_return", "total_return"),
        ("annual_return", "annual_return_252"),
        ("volatility", "annual_volatility"),
        ("sharpe", "sharpe"),
        ("sortino", "sortino"),
        ("max_drawdown", "max_drawdown"),
        ("calmar", "calmar"),
        ("win_rate", "win_rate_all_days"),
    ];
    for case in cases() {
        let shown = shown(&case, 0.0);
        for (ours, theirs) in names {
            assert_close(&case, ours, &shown, &case["expected"][theirs]);
        }
    }
}

#[test]
fn every_metric_against_a_benchmark_equals_the_vectors() {
    let names = [("alpha", "alpha"), ("beta", "beta"), ("information_ratio", "information_ratio_annualised")];
    let cases: Vec<_> = cases().into_iter().filter(|case| case.get("benchmark").is_some()).collect();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let shown = shown(&case, 0.0);
        for (ours, theirs) in names {
            assert_close(&case, ours, &shown, &case["against"][theirs]);
        }
    }
}

#[test]
fn a_risk_free_rate_is_taken_off_each_day() {
    for case in cases().iter().filter(|case| case.get("with_risk_free").is_some()) {
        let shown = shown(case, case["with_risk_free"]["daily"].as_f64().unwrap());
        assert_close(case, "sharpe", &shown, &case["with_risk_free"]["sharpe"]);
    }
}

#[test]
fn period_figures_equal_the_vectors() {
    for case in cases().iter().filter(|case| case.get("period").is_some()) {
        let (equity, dates) = (decimals(&case["equity"]), dates(case));

        let period = period_metrics(equity[0], *equity.last().unwrap(), dates[0], *dates.last().unwrap());

        assert_eq!(serde_json::to_value(period).unwrap(), case["period"], "{}", case["name"]);
    }
}

#[test]
fn nothing_is_ever_infinite_or_not_a_number() {
    let odd = [
        whole(&[]),
        whole(&[0, 0, 0]),
        whole(&[10, 0]),
        whole(&[10, 0, 10]),
        whole(&[1, 1_000_000]),
        whole(&[10, 10, 10]),
        whole(&[-5, 5]),
        vec![Decimal::MAX, Decimal::ONE, Decimal::MAX],
    ];
    for equity in &odd {
        for benchmark in &odd {
            let observed =
                Observed { equity, benchmark: Some(benchmark), traded: Decimal::MAX, daily_risk_free: 0.001 };
            let shown = serde_json::to_value(metrics(&observed)).unwrap();
            for (name, value) in shown.as_object().unwrap() {
                let explained = shown["reasons"][name].is_string();
                assert!(!value.is_null() || explained, "{name} of {equity:?} has no reason");
            }
        }
    }
}

#[test]
fn rounding_noise_is_no_spread() {
    let tenth_up: Vec<Decimal> =
        ["100", "110", "121", "133.1", "146.41", "161.051"].map(|value| value.parse().unwrap()).into();
    let returns = returns(&floats(&tenth_up)).unwrap();
    assert!(returns.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()), "no noise: {returns:?}");

    let metrics = metrics(&Observed { equity: &tenth_up, benchmark: Some(&tenth_up), ..Observed::default() });

    assert_eq!((metrics.volatility, metrics.sharpe), (Some(0.0), None));
    assert_eq!(metrics.reasons["sharpe"], Undefined::NoSpread);
    assert_eq!(metrics.reasons["beta"], Undefined::FlatBenchmark);
}

#[test]
fn a_portfolio_bought_once_has_turned_over_once() {
    let observed =
        Observed { equity: &whole(&[100, 100, 100]), traded: Decimal::from(100), ..Observed::default() };

    assert_eq!(metrics(&observed).turnover, Some(1.0));
}

#[test]
fn a_benchmark_of_other_days_is_refused() {
    let equity = whole(&[100, 101, 102]);
    let observed = Observed { equity: &equity, benchmark: Some(&equity[1..]), ..Observed::default() };

    assert_eq!(metrics(&observed).reasons["beta"], Undefined::BenchmarkMismatch);
}
