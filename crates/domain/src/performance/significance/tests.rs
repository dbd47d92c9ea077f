use super::comparison::holm;
use super::*;

const FIRST: &str = "2025-10-01";
const LAST: &str = "2025-10-29";

fn trials(model: &str, returns: &[f64]) -> Trials {
    Trials {
        model: model.to_owned(),
        count: returns.len(),
        returns: returns.to_vec(),
        dates: Some((FIRST.parse().unwrap(), LAST.parse().unwrap())),
    }
}

/// Extra hours of sleep under two drugs, from W. S. Gosset's paper of 1908; R has it as `sleep`.
const SLEEP_1: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const SLEEP_2: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn the_interval_of_a_published_sample_is_the_published_one() {
    let summary = trials("m", &SLEEP_2).summary();

    let interval = summary.interval.unwrap();
    close(summary.mean.unwrap(), 2.33);
    close(summary.deviation.unwrap(), 2.002_248_735_796_829);
    close(interval.low, 0.897_677_539_376_705_1);
    close(interval.high, 3.762_322_460_623_295);
}

#[test]
fn two_published_samples_have_the_published_p_value() {
    // R: t.test(extra ~ group, data = sleep).
    let compared = comparisons(&[trials("a", &SLEEP_1), trials("b", &SLEEP_2)]);

    let verdict = compared[0].verdict.unwrap();
    close(compared[0].difference.unwrap(), -1.58);
    close(verdict.p_value, 0.079_394_140_187_358_14);
    close(verdict.p_adjusted, verdict.p_value);
    assert!(!verdict.distinguishable());
}

#[test]
fn samples_of_other_sizes_are_compared_by_their_own_variances() {
    let a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
    let b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];

    let verdict = comparisons(&[trials("a", &a), trials("b", &b)])[0].verdict.unwrap();

    close(verdict.p_value, 0.021_378_001_462_867_03);
    assert!(verdict.distinguishable());
}

#[test]
fn holms_correction_is_that_of_the_textbook() {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);

    for (value, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        close(*value, expected);
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
}

#[test]
fn a_pair_that_is_significant_alone_may_not_be_among_many() {
    let [a, b] = [[1.0, 1.1, 1.2], [1.3, 1.4, 1.5]];
    let alone = comparisons(&[trials("a", &a), trials("b", &b)])[0].verdict.unwrap();
    let others = [[1.1, 1.2, 1.3], [1.15, 1.25, 1.35]].map(|returns| trials("c", &returns));

    let among = comparisons(&[&[trials("a", &a), trials("b", &b)][..], &others[..]].concat());

    let verdict = among[0].verdict.unwrap();
    close(verdict.p_value, alone.p_value);
    assert!(alone.distinguishable() && !verdict.distinguishable(), "{alone:?} {verdict:?}");
    assert_eq!(among.len(), 6);
}

#[test]
fn what_cannot_be_said_has_its_reason() {
    let one = trials("one", &[0.1]);
    let same = trials("same", &[0.1, 0.1, 0.1]);
    let lost = Trials { count: 3, ..trials("lost", &[0.1, 0.2]) };
    let late = Trials { dates: None, ..trials("late", &[0.1, 0.2]) };
    let whole = trials("whole", &[0.1, 0.2]);

    assert_eq!(one.summary().deviation, Err(Unknown::TooFewTrials));
    assert_eq!(one.summary().mean, Ok(0.1));
    assert_eq!(one.summary().interval, Err(Unknown::TooFewTrials));
    assert_eq!(same.summary().interval, Err(Unknown::NoVariance));
    assert_eq!(same.summary().deviation, Ok(0.0));
    assert_eq!(lost.summary().mean, Err(Unknown::NoReturn));
    assert_eq!(late.summary().interval, Err(Unknown::OtherDates));
    let reason = |other: &Trials| comparisons(&[whole.clone(), other.clone()])[0].verdict.unwrap_err();
    assert_eq!(reason(&one), Unknown::TooFewTrials);
    assert_eq!(reason(&same), Unknown::NoVariance);
    assert_eq!(reason(&lost), Unknown::NoReturn);
    assert_eq!(reason(&late), Unknown::OtherDates);
    let other = Trials { dates: Some((LAST.parse().unwrap(), LAST.parse().unwrap())), ..whole.clone() };
    assert_eq!(reason(&other), Unknown::OtherDates);
}

#[test]
fn models_with_one_trial_each_are_not_compared() {
    assert_eq!(comparisons(&[trials("a", &[0.1]), trials("b", &[0.2])]), []);
}
