//! The return and the annualized return of `GET /results`, computed as the system's predecessor did.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The return over a range of days, in percent rounded half-even to two places, as Python's `round` does.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct PeriodMetrics {
    /// `(E - S) / S * 100`; 0 when `S` is 0.
    pub period_return_pct: f64,
    /// `((E / S)^(365 / calendar days) - 1) * 100`; 0 when `S` is 0 or `E` not above 0. `None` when it is
    /// too large for a number.
    pub annualized_return_pct: Option<f64>,
    /// Days from the first to the last date, both included.
    pub calendar_days: i64,
}

/// The metrics of a portfolio whose value is `start` before the session of `first` and `end` after that of `last`.
pub fn period_metrics(start: Decimal, end: Decimal, first: NaiveDate, last: NaiveDate) -> PeriodMetrics {
    let calendar_days = (last - first).num_days() + 1;
    let (s, e) = (start.to_f64().unwrap_or_default(), end.to_f64().unwrap_or_default());
    let period = if start.is_zero() { 0.0 } else { (e - s) / s * 100.0 };
    let annualized = if start.is_zero() || end <= Decimal::ZERO || calendar_days <= 0 {
        0.0
    } else {
        ((e / s).powf(365.0 / calendar_days as f64) - 1.0) * 100.0
    };
    PeriodMetrics {
        period_return_pct: two_places(period).unwrap_or_default(),
        annualized_return_pct: two_places(annualized),
        calendar_days,
    }
}

/// The float nearest to `value` rounded to two places. Formatting rounds the exact binary value half-even, as Python's
/// `round` does; a multiplication by 100 would round twice.
fn two_places(value: f64) -> Option<f64> {
    let rounded: f64 = format!("{value:.2}").parse().ok()?;
    rounded.is_finite().then_some(rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_single_day_is_one_calendar_day() {
        let day = date("2025-10-01");

        let metrics = period_metrics(Decimal::from(10_000), Decimal::from(10_010), day, day);

        assert_eq!(metrics.calendar_days, 1);
        assert_eq!(metrics.period_return_pct.to_string(), "0.1");
        assert_eq!(metrics.annualized_return_pct.unwrap().to_string(), "44.03");
    }

    #[test]
    fn nothing_at_the_start_or_the_end_is_no_annual_return() {
        let (first, last) = (date("2025-10-01"), date("2025-10-02"));

        let from_nothing = period_metrics(Decimal::ZERO, Decimal::ONE, first, last);
        let to_nothing = period_metrics(Decimal::ONE, Decimal::ZERO, first, last);

        assert_eq!(from_nothing.period_return_pct.to_string(), "0");
        assert_eq!(from_nothing.annualized_return_pct, Some(0.0));
        assert_eq!(to_nothing.period_return_pct.to_string(), "-100");
        assert_eq!(to_nothing.annualized_return_pct, Some(0.0));
    }

    #[test]
    fn a_return_too_large_for_a_number_is_none() {
        let day = date("2025-10-01");

        assert_eq!(period_metrics(Decimal::ONE, Decimal::from(100), day, day).annualized_return_pct, None);
    }

    #[test]
    fn halves_go_to_the_even_neighbour_and_zero_has_no_sign() {
        let texts = [0.125, 0.375, 2.675, -0.001].map(|value| two_places(value).unwrap().to_string());

        assert_eq!(texts, ["0.12", "0.38", "2.67", "0"]);
    }
}
