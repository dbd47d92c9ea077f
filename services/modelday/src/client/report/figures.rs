//! What follows from the values of a portfolio, day by day.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

/// Sessions of a year, as the leaderboard counts them.
const YEAR: f64 = 252.0;

/// A portfolio's days.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) dates: Vec<NaiveDate>,
    /// Dollars at the close.
    pub(super) values: Vec<f64>,
    /// From close to close, as fractions; of the first day, from the capital that it began with.
    pub(super) returns: Vec<f64>,
}

impl Series {
    /// The gain since the beginning, as fractions.
    pub(super) fn growth(&self) -> Vec<f64> {
        let capital = self.capital();
        self.values.iter().map(|value| value / capital - 1.0).collect()
    }

    /// How far below its highest value so far the portfolio is, as fractions of that, at most 0.
    pub(super) fn drawdown(&self) -> Vec<f64> {
        let mut peak = self.capital();
        let below = |value: &f64| {
            peak = peak.max(*value);
            value / peak - 1.0
        };
        self.values.iter().map(below).collect()
    }

    /// The return of each month, by year and month.
    pub(super) fn monthly(&self) -> BTreeMap<(i32, u32), f64> {
        let mut months = BTreeMap::new();
        for (date, gain) in self.dates.iter().zip(&self.returns) {
            let growth = months.entry((date.year(), date.month())).or_insert(1.0);
            *growth *= 1.0 + gain;
        }
        months.into_iter().map(|(month, growth)| (month, growth - 1.0)).collect()
    }

    /// Volatility and Sharpe ratio, a year's, over each `window` of days; with the place of the window's last day.
    pub(super) fn rolling(&self, window: usize, risk_free: f64) -> Vec<(usize, f64, Option<f64>)> {
        let windows = self.returns.windows(window).enumerate();
        let figures = windows.map(|(place, returns)| {
            let (mean, deviation) = mean_and_deviation(returns);
            let sharpe = (deviation > 1e-12).then(|| (mean - risk_free) / deviation * YEAR.sqrt());
            (place + window - 1, deviation * YEAR.sqrt(), sharpe)
        });
        figures.collect()
    }

    /// What the portfolio had before its first day.
    fn capital(&self) -> f64 {
        match (self.values.first(), self.returns.first()) {
            (Some(value), Some(gain)) if *gain > -1.0 => value / (1.0 + gain),
            _ => 1.0,
        }
    }
}

/// The mean, and the standard deviation of a sample.
fn mean_and_deviation(returns: &[f64]) -> (f64, f64) {
    let mean = returns.iter().sum::<f64>() / as_float(returns.len());
    let squares: f64 = returns.iter().map(|gain| (gain - mean).powi(2)).sum();
    (mean, (squares / as_float(returns.len().saturating_sub(1).max(1))).sqrt())
}

/// A count of days, which is far below what a float can count.
#[expect(clippy::cast_precision_loss, reason = "counts of days")]
pub(super) fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Series {
        let dates =
            ["2025-10-30", "2025-10-31", "2025-11-03", "2025-11-04"].map(|date| date.parse().unwrap());
        Series {
            dates: dates.to_vec(),
            values: vec![9_000.0, 9_900.0, 11_000.0, 10_450.0],
            returns: vec![-0.1, 0.1, 1.0 / 9.0, -0.05],
        }
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_loss_on_the_first_day_is_a_drawdown_from_the_capital() {
        close(&series().growth(), &[-0.1, -0.01, 0.1, 0.045]);
        close(&series().drawdown(), &[-0.1, -0.01, 0.0, -0.05]);
    }

    #[test]
    fn the_months_multiply_to_the_whole() {
        let months: Vec<_> = series().monthly().into_iter().collect();

        assert_eq!(months.iter().map(|(month, _)| *month).collect::<Vec<_>>(), [(2025, 10), (2025, 11)]);
        close(&[months[0].1, months[1].1], &[0.9 * 1.1 - 1.0, 10.0 / 9.0 * 0.95 - 1.0]);
    }

    #[test]
    fn a_window_without_change_has_no_sharpe_ratio() {
        let flat = Series { returns: vec![0.0, 0.0, 0.01], ..series() };

        let rolling = flat.rolling(2, 0.0);

        assert_eq!(rolling[0], (1, 0.0, None));
        assert_eq!(rolling[1].0, 2);
        close(
            &[rolling[1].2.unwrap()],
            &[0.005 / 0.005_f64.mul_add(0.005, 0.005 * 0.005).sqrt() * 252_f64.sqrt()],
        );
    }
}
