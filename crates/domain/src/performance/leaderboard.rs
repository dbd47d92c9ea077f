//! The leaderboard: results of portfolios over a range of dates, beside those of benchmarks.
//!
//! A portfolio's curve is `V_0`, its value before its first day in the range, then its value at the close of each
//! completed day. A benchmark's curve has every session of the range.

use std::cmp::Ordering;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::events::job_view::days::DayFigures;
use crate::performance::benchmark::Curve;
use crate::performance::metrics::{Metrics, Observed, metrics};
use crate::values::arithmetic::half_even;

/// A portfolio with its winning days, oldest first: at least those of a range and the last one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioDays {
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
    /// Last date of the model's training data; `None` when it is unknown.
    pub training_cutoff: Option<NaiveDate>,
    /// Date and figures of each winning day.
    pub days: Vec<(NaiveDate, DayFigures)>,
    /// The first stale date; all later ones are stale too.
    pub stale_from: Option<NaiveDate>,
}

/// The portfolio or benchmark of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contestant {
    /// A portfolio.
    Model {
        /// The model's signature.
        model: String,
        /// The trial, from 0.
        trial: u32,
    },
    /// A benchmark, e.g. `QQQ` or `equal weight`.
    Benchmark(String),
}

/// One row of a leaderboard.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderboardRow {
    /// The portfolio or benchmark.
    pub contestant: Contestant,
    /// First and last date of the curve.
    pub dates: (NaiveDate, NaiveDate),
    /// `V_0` in dollars.
    pub starting_value: Decimal,
    /// `V_n` in dollars.
    pub final_value: Decimal,
    /// Return in percent of `V_0`, rounded half-even to two places; `None` when `V_0` is 0.
    pub return_pct: Option<Decimal>,
    /// Metrics of the curve.
    pub metrics: Metrics,
    /// Number of filled orders.
    pub trades: u64,
    /// Number of completed days.
    pub model_days: usize,
    /// Number of them that are stale.
    pub stale_days: usize,
    /// The row split at the model's training cutoff; `None` without a cutoff.
    pub parts: Option<Box<Parts>>,
    /// Of a benchmark that was paid dividends: the row that it would have without them.
    pub price_only: Option<Box<LeaderboardRow>>,
}

/// A row split in two: days that the training data may contain, and days that it cannot.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// Last date of the model's training data.
    pub cutoff: NaiveDate,
    /// Days on or before the cutoff; `None` when there is none.
    pub in_sample: Option<LeaderboardRow>,
    /// Days after the cutoff, starting from the last close before them; `None` when there is none.
    pub out_of_sample: Option<LeaderboardRow>,
}

/// The reference for metrics that need one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reference<'a> {
    /// The benchmark of alpha, beta and the other relative metrics; without one they are undefined.
    pub benchmark: Option<&'a Curve>,
    /// Risk-free return of each session, as a fraction.
    pub daily_risk_free: f64,
}

/// The beginning and the end of a portfolio's curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Its first day in the range.
    pub first: NaiveDate,
    /// Its last day in the range.
    pub last: NaiveDate,
    /// `V_0` in dollars.
    pub starting_value: Decimal,
}

/// The extent of a portfolio from `from` to `to`, both included; `None` without a completed day there.
pub fn extent(portfolio: &PortfolioDays, from: NaiveDate, to: NaiveDate) -> Option<Extent> {
    let (days, starting_value) = within(portfolio, from, to)?;
    Some(Extent { first: days.first()?.0, last: days.last()?.0, starting_value })
}

/// The days in a range, and `V_0`.
fn within(
    portfolio: &PortfolioDays,
    from: NaiveDate,
    to: NaiveDate,
) -> Option<(&[(NaiveDate, DayFigures)], Decimal)> {
    let start = portfolio.days.partition_point(|(date, _)| *date < from);
    let end = portfolio.days.partition_point(|(date, _)| *date <= to);
    let days = portfolio.days.get(start..end)?;
    let (_, first) = days.first()?;
    let before = start.checked_sub(1).and_then(|place| portfolio.days.get(place));
    Some((days, before.map_or(first.starting_value, |(_, day)| day.value_at_close)))
}

/// The row of a portfolio from `from` to `to`, both included; `None` without a completed day there.
pub fn portfolio_row(
    portfolio: &PortfolioDays,
    from: NaiveDate,
    to: NaiveDate,
    by: &Reference<'_>,
) -> Option<LeaderboardRow> {
    let part = |from, to| if from <= to { unsplit_row(portfolio, from, to, by) } else { None };
    let parts = portfolio.training_cutoff.map(|cutoff| {
        let after = cutoff.succ_opt().unwrap_or(NaiveDate::MAX);
        let (in_sample, out_of_sample) = (part(from, to.min(cutoff)), part(from.max(after), to));
        Box::new(Parts { cutoff, in_sample, out_of_sample })
    });
    Some(LeaderboardRow { parts, ..part(from, to)? })
}

fn unsplit_row(
    portfolio: &PortfolioDays,
    from: NaiveDate,
    to: NaiveDate,
    by: &Reference<'_>,
) -> Option<LeaderboardRow> {
    let is_stale = |date: &NaiveDate| portfolio.stale_from.is_some_and(|first| first <= *date);
    let (days, starting_value) = within(portfolio, from, to)?;
    let dates: Vec<NaiveDate> = days.iter().map(|(date, _)| *date).collect();

    let equity: Vec<Decimal> =
        std::iter::once(starting_value).chain(days.iter().map(|(_, day)| day.value_at_close)).collect();
    let traded = days.iter().fold(Decimal::ZERO, |sum, (_, day)| sum.saturating_add(day.traded));
    let contestant = Contestant::Model { model: portfolio.model.clone(), trial: portfolio.trial };
    Some(LeaderboardRow {
        trades: days.iter().map(|(_, day)| u64::from(day.trades)).sum(),
        model_days: days.len(),
        stale_days: dates.iter().filter(|date| is_stale(date)).count(),
        ..row(contestant, &dates, &equity, traded, by)?
    })
}

/// The row of a benchmark; `None` when its curve has no session. `price_only` is the curve without dividends, if there
/// were any.
pub fn benchmark_row(
    name: &str,
    curve: &Curve,
    price_only: Option<&Curve>,
    by: &Reference<'_>,
) -> Option<LeaderboardRow> {
    let row = |curve: &Curve| {
        let contestant = Contestant::Benchmark(name.to_owned());
        let dates: Vec<NaiveDate> = curve.points.iter().map(|(date, _)| *date).collect();
        row(contestant, &dates, &curve.equity(), Decimal::ZERO, by)
    };
    let without = price_only.filter(|other| *other != curve).and_then(row).map(Box::new);
    Some(LeaderboardRow { price_only: without, ..row(curve)? })
}

fn row(
    contestant: Contestant,
    dates: &[NaiveDate],
    equity: &[Decimal],
    traded: Decimal,
    by: &Reference<'_>,
) -> Option<LeaderboardRow> {
    let (starting_value, final_value) = (*equity.first()?, *equity.last()?);
    let benchmark = by.benchmark.map(|curve| curve.beside(dates));
    let observed =
        Observed { equity, benchmark: benchmark.as_deref(), daily_risk_free: by.daily_risk_free, traded };
    Some(LeaderboardRow {
        contestant,
        dates: (*dates.first()?, *dates.last()?),
        starting_value,
        final_value,
        return_pct: return_pct(starting_value, final_value),
        metrics: metrics(&observed),
        trades: 0,
        model_days: 0,
        stale_days: 0,
        parts: None,
        price_only: None,
    })
}

fn return_pct(start: Decimal, end: Decimal) -> Option<Decimal> {
    let gain = end.checked_sub(start)?.checked_div(start)?.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(half_even(gain, 2))
}

/// Sorts rows by return, best first; rows without a return come last, equal ones by name.
pub fn rank(rows: &mut [LeaderboardRow]) {
    let name = |row: &LeaderboardRow| match &row.contestant {
        Contestant::Model { model, trial } => (model.clone(), *trial),
        Contestant::Benchmark(name) => (name.clone(), 0),
    };
    let gain = |row: &LeaderboardRow| row.metrics.total_return.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| match gain(b).total_cmp(&gain(a)) {
        Ordering::Equal => name(a).cmp(&name(b)),
        unequal => unequal,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::model_day::DayRef;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn day(on: &str, base: Option<&str>, close: &str) -> (NaiveDate, DayFigures) {
        let figures = DayFigures {
            revision: 1,
            base: base.map(|base| DayRef { date: date(base), revision: 1 }),
            starting_value: decimal("10000"),
            value_at_open: decimal("9999"),
            value_at_close: decimal(close),
            trades: 2,
            traded: decimal("500"),
        };
        (date(on), figures)
    }

    fn portfolio() -> PortfolioDays {
        PortfolioDays {
            model: "m".to_owned(),
            trial: 0,
            training_cutoff: None,
            days: vec![
                day("2025-10-01", None, "10100"),
                day("2025-10-02", Some("2025-10-01"), "10403"),
                day("2025-10-03", Some("2025-10-01"), "11646"),
            ],
            stale_from: Some(date("2025-10-03")),
        }
    }

    fn between(from: &str, to: &str) -> Option<LeaderboardRow> {
        portfolio_row(&portfolio(), date(from), date(to), &Reference::default())
    }

    #[track_caller]
    fn assert_close(actual: Option<f64>, expected: f64) {
        assert!((actual.unwrap() - expected).abs() < 1e-9, "{actual:?} is not {expected}");
    }

    #[test]
    fn the_first_days_capital_is_what_the_return_is_measured_by() {
        let row = between("2025-10-01", "2025-10-31").unwrap();

        assert_eq!(row.return_pct, Some(decimal("16.46")));
        assert_eq!((row.starting_value, row.final_value), (decimal("10000"), decimal("11646")));
        assert_eq!((row.trades, row.model_days, row.stale_days), (6, 3, 1));
        assert_eq!(row.dates, (date("2025-10-01"), date("2025-10-03")));
    }

    #[test]
    fn a_range_inside_starts_from_the_close_before_it() {
        let row = between("2025-10-02", "2025-10-02").unwrap();

        assert_eq!(row.starting_value, decimal("10100"));
        assert_eq!(row.return_pct, Some(decimal("3")));
        assert_eq!((row.model_days, row.stale_days), (1, 0));
    }

    #[test]
    fn a_training_cutoff_parts_the_row_without_a_gap() {
        let parted = |cutoff: &str| {
            let portfolio = PortfolioDays { training_cutoff: Some(date(cutoff)), ..portfolio() };
            *portfolio_row(&portfolio, date("2025-10-01"), date("2025-10-31"), &Reference::default())
                .unwrap()
                .parts
                .unwrap()
        };

        let parts = parted("2025-10-02");
        let (before, after) = (parts.in_sample.unwrap(), parts.out_of_sample.unwrap());
        assert_eq!((before.model_days, after.model_days), (2, 1), "the cutoff itself is in the sample");
        assert_eq!(before.final_value, after.starting_value);
        assert_eq!(before.return_pct, Some(decimal("4.03")));
        assert_eq!((before.stale_days, after.stale_days), (0, 1));
        assert_eq!(parted("2025-09-30").in_sample, None);
        assert_eq!(parted("2025-10-03").out_of_sample, None);
        assert_eq!(between("2025-10-01", "2025-10-31").unwrap().parts, None);
    }

    #[test]
    fn without_a_day_in_the_range_there_is_no_row() {
        assert_eq!(between("2025-11-01", "2025-11-30"), None);
        assert_eq!(between("2025-10-31", "2025-10-01"), None);
    }

    #[test]
    fn a_benchmark_stands_beside_the_portfolio_at_the_same_instants() {
        let points =
            [("2025-09-30", "90"), ("2025-10-01", "100"), ("2025-10-02", "110"), ("2025-10-03", "99")];
        let benchmark = Curve { points: points.map(|(on, worth)| (date(on), decimal(worth))).to_vec() };
        let by = Reference { benchmark: Some(&benchmark), daily_risk_free: 0.0 };
        let row = |from, to| portfolio_row(&portfolio(), date(from), date(to), &by).unwrap();

        let whole = row("2025-10-01", "2025-10-03").metrics;
        let late = row("2025-10-02", "2025-10-03").metrics;
        let itself = benchmark_row("QQQ", &benchmark, None, &by).unwrap().metrics;

        // Computed apart, as cov(r, b) / var(b): the first returns are 10,100 / 10,000 - 1 and 100 / 90 - 1.
        assert_close(whole.beta, -0.486_857_527_922_114);
        assert_close(late.beta, -0.447_423_820_051_907);
        assert_close(itself.beta, 1.0);
        assert_close(itself.alpha, 0.0);
        assert_close(itself.total_return, 0.1);
    }

    #[test]
    fn the_risk_free_rate_is_taken_off_and_without_a_benchmark_there_is_nothing_against_it() {
        let row = |daily_risk_free| {
            let by = Reference { benchmark: None, daily_risk_free };
            portfolio_row(&portfolio(), date("2025-10-01"), date("2025-10-03"), &by).unwrap().metrics
        };

        assert!(row(0.001).sharpe < row(0.0).sharpe);
        assert_eq!(
            (row(0.0).alpha, row(0.0).reasons["alpha"]),
            (None, crate::performance::metrics::Undefined::NoBenchmark)
        );
    }

    #[test]
    fn rows_are_ranked_by_return_with_benchmarks_among_them() {
        let points = vec![(date("2025-10-01"), decimal("10000")), (date("2025-10-03"), decimal("10539"))];
        let benchmark = benchmark_row("QQQ", &Curve { points }, None, &Reference::default()).unwrap();
        let mut rows = vec![
            benchmark,
            between("2025-10-02", "2025-10-02").unwrap(),
            between("2025-10-01", "2025-10-03").unwrap(),
        ];

        rank(&mut rows);

        let returns: Vec<_> = rows.iter().map(|row| row.return_pct.unwrap().to_string()).collect();
        assert_eq!(returns, ["16.46", "5.39", "3"]);
        assert_eq!(rows[1].contestant, Contestant::Benchmark("QQQ".to_owned()));
    }
}
