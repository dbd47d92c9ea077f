//! Benchmarks: one symbol bought and held, or all symbols of a universe in equal parts.
//!
//! Fractional shares are bought at the close of the first session and held to the close of the last. Prices are used as
//! they are; the caller restates them for splits inside the range.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::market::instruments::Symbol;
use crate::values::money::Price;

/// The close of each session that has one.
pub type Closes = BTreeMap<NaiveDate, Price>;

/// The value of a benchmark at the close of each session; on the first it is the invested amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// Session and value, oldest first; at least one.
    pub points: Vec<(NaiveDate, Decimal)>,
}

impl Curve {
    /// `V_0..V_n` of the benchmark: the amount before the first session, then the value after each session.
    pub fn equity(&self) -> Vec<Decimal> {
        self.points.first().into_iter().chain(&self.points).map(|(_, worth)| *worth).collect()
    }

    /// The values at the same instants as those of a portfolio that completed days on `dates`, oldest first: at the
    /// close before the first of them, then at the close of each. When the first date is the curve's first, its value
    /// stands twice. A date without a value is left out.
    pub fn beside(&self, dates: &[NaiveDate]) -> Vec<Decimal> {
        let place = |date: &NaiveDate| self.points.binary_search_by_key(date, |(session, _)| *session).ok();
        let before = dates.first().and_then(place).map(|place| place.saturating_sub(1));
        let places = before.into_iter().chain(dates.iter().filter_map(place));
        places.filter_map(|place| self.points.get(place)).map(|(_, worth)| *worth).collect()
    }
}

/// `amount` invested in one symbol. `sessions` are oldest first; on a session without a close the last known one
/// counts. `None` when there is no session, or no close on the first.
pub fn buy_and_hold(amount: Decimal, closes: &Closes, sessions: &[NaiveDate]) -> Option<Curve> {
    average(amount, &[growth(closes, sessions)?], sessions)
}

/// `amount` invested in equal parts in every symbol that has a close on the first session, without rebalancing.
/// `sessions` are oldest first; on a session without a close the last known one counts. `None` when there is no
/// session, or no symbol has a close on the first.
pub fn equal_weight(
    amount: Decimal,
    closes: &BTreeMap<Symbol, Closes>,
    sessions: &[NaiveDate],
) -> Option<Curve> {
    let growths: Vec<_> = closes.values().filter_map(|closes| growth(closes, sessions)).collect();
    average(amount, &growths, sessions)
}

/// The value of one dollar at each session.
fn growth(closes: &Closes, sessions: &[NaiveDate]) -> Option<Vec<Decimal>> {
    let first = closes.get(sessions.first()?)?.amount();
    let mut last = first;
    let mut at = |session: &NaiveDate| {
        last = closes.get(session).map_or(last, |close| close.amount());
        last / first
    };
    Some(sessions.iter().map(&mut at).collect())
}

fn average(amount: Decimal, growths: &[Vec<Decimal>], sessions: &[NaiveDate]) -> Option<Curve> {
    if growths.is_empty() {
        return None;
    }
    let parts = Decimal::from(growths.len());
    let worth = |place: usize| amount * growths.iter().map(|growth| growth[place]).sum::<Decimal>() / parts;
    Some(Curve {
        points: sessions.iter().enumerate().map(|(place, session)| (*session, worth(place))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(texts: &[&str]) -> Vec<NaiveDate> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn closes(of: &[(&str, &str)]) -> Closes {
        of.iter().map(|(date, price)| (date.parse().unwrap(), price.parse().unwrap())).collect()
    }

    fn worths(curve: &Curve) -> Vec<String> {
        curve.points.iter().map(|(_, worth)| worth.normalize().to_string()).collect()
    }

    #[test]
    fn the_index_fund_gained_5_39_percent_in_october_2025() {
        let sessions = dates(&["2025-10-01", "2025-10-15", "2025-10-29"]);
        let qqq = closes(&[
            ("2025-09-30", "600.3700"),
            ("2025-10-01", "603.2500"),
            ("2025-10-15", "602.2200"),
            ("2025-10-29", "635.7700"),
            ("2025-10-30", "626.0500"),
        ]);

        let curve = buy_and_hold(Decimal::from(10_000), &qqq, &sessions).unwrap();

        let (_, end) = curve.points.last().unwrap();
        assert_eq!((end / curve.points[0].1 * Decimal::from(100)).round_dp(2).to_string(), "105.39");
        assert_eq!(curve.points[0].1, Decimal::from(10_000));
        assert_eq!(curve.points[1].1.round_dp(2).to_string(), "9982.93");
    }

    #[test]
    fn equal_weight_leaves_out_what_could_not_be_bought_at_the_start() {
        let sessions = dates(&["2025-10-01", "2025-10-02"]);
        let closes = BTreeMap::from([
            ("A".parse().unwrap(), closes(&[("2025-10-01", "10"), ("2025-10-02", "11")])),
            ("B".parse().unwrap(), closes(&[("2025-10-01", "20"), ("2025-10-02", "20")])),
            ("C".parse().unwrap(), closes(&[("2025-09-30", "1"), ("2025-10-02", "99")])),
        ]);

        let curve = equal_weight(Decimal::from(1_000), &closes, &sessions).unwrap();

        assert_eq!(worths(&curve), ["1000", "1050"]);
        assert_eq!(curve.equity().len(), 3);
    }

    #[test]
    fn a_missing_close_is_the_last_known_one() {
        let sessions = dates(&["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"]);
        let halted = closes(&[("2025-10-01", "10"), ("2025-10-02", "12"), ("2025-10-06", "9")]);

        let curve = buy_and_hold(Decimal::from(100), &halted, &sessions).unwrap();

        assert_eq!(worths(&curve), ["100", "120", "120", "90"]);
    }

    #[test]
    fn without_a_first_close_there_is_no_benchmark() {
        let sessions = dates(&["2025-10-01", "2025-10-02"]);
        let late = closes(&[("2025-10-02", "10")]);

        assert_eq!(buy_and_hold(Decimal::ONE, &late, &sessions), None);
        assert_eq!(buy_and_hold(Decimal::ONE, &late, &[]), None);
        assert_eq!(equal_weight(Decimal::ONE, &BTreeMap::new(), &sessions), None);
    }
}
