//! All splits and dividends that are known, by date.

use chrono::NaiveDate;

use crate::accounting::corporate_action::{CorporateActions, Dividend, Split};

/// Splits and dividends, each with the session before whose open it takes effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownActions {
    splits: Vec<(NaiveDate, Split)>,
    dividends: Vec<(NaiveDate, Dividend)>,
}

impl KnownActions {
    /// Collects splits and dividends that come in any order.
    pub fn new(
        splits: impl IntoIterator<Item = (NaiveDate, Split)>,
        dividends: impl IntoIterator<Item = (NaiveDate, Dividend)>,
    ) -> Self {
        let mut known =
            Self { splits: splits.into_iter().collect(), dividends: dividends.into_iter().collect() };
        known.splits.sort_by(|(one, a), (other, b)| (one, &a.symbol).cmp(&(other, &b.symbol)));
        known.dividends.sort_by(|(one, a), (other, b)| (one, &a.symbol).cmp(&(other, &b.symbol)));
        known
    }

    /// Adds all actions of `other`.
    pub fn extend(&mut self, other: Self) {
        let splits = std::mem::take(&mut self.splits).into_iter().chain(other.splits);
        let dividends = std::mem::take(&mut self.dividends).into_iter().chain(other.dividends);
        *self = Self::new(splits, dividends);
    }

    /// All splits, by date and symbol.
    pub fn splits(&self) -> &[(NaiveDate, Split)] {
        &self.splits
    }

    /// All dividends, by date and symbol.
    pub fn dividends(&self) -> &[(NaiveDate, Dividend)] {
        &self.dividends
    }

    /// The actions that take effect after `after` and up to `until`, date by date.
    pub fn between(&self, after: NaiveDate, until: NaiveDate) -> Vec<CorporateActions> {
        let is_due = |date: &NaiveDate| *date > after && *date <= until;
        let splits = self.splits.iter().map(|(date, _)| date);
        let dividends = self.dividends.iter().map(|(date, _)| date);
        let mut dates: Vec<NaiveDate> =
            splits.chain(dividends).filter(|date| is_due(date)).copied().collect();
        dates.sort_unstable();
        dates.dedup();
        dates.into_iter().map(|date| self.on(date)).collect()
    }

    fn on(&self, day: NaiveDate) -> CorporateActions {
        let splits = self.splits.iter().filter(|(date, _)| *date == day).map(|(_, split)| split.clone());
        let dividends = self.dividends.iter().filter(|(date, _)| *date == day);
        CorporateActions {
            splits: splits.collect(),
            dividends: dividends.map(|(_, dividend)| dividend.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_over_a_gap_is_due_date_by_date() {
        let day = |day: u32| NaiveDate::from_ymd_opt(2025, 10, day).unwrap();
        let split = |symbol: &str| Split {
            symbol: symbol.parse().unwrap(),
            from: 1.try_into().unwrap(),
            to: 2.try_into().unwrap(),
        };
        let dividend = Dividend { symbol: "A".parse().unwrap(), per_share: "1".parse().unwrap() };
        let known = KnownActions::new(
            [(day(3), split("B")), (day(1), split("A")), (day(3), split("A"))],
            [(day(2), dividend)],
        );

        let due = known.between(day(1), day(3));

        let counts: Vec<_> = due.iter().map(|day| (day.splits.len(), day.dividends.len())).collect();
        assert_eq!(counts, [(0, 1), (2, 0)]);
    }
}
