//! Staleness: which completed days no longer rest on the current results before them.
//!
//! A completed day is stale when its base is not the winner of the completed date before it, when prices that it ran on
//! were replaced later, or when the day before it is stale. So a portfolio is stale from one date on to its end.
//! `storage::status::chains` applies the rule about bases in SQL, and a test compares it with [`stale_from`].

use chrono::NaiveDate;

use crate::simulation::model_day::{DayRef, Winner, Winners};

impl Winner {
    /// Whether it is stale when `previous` is the winner of the completed date before it and is not stale itself.
    pub(super) fn is_stale_after(&self, previous: Option<DayRef>) -> bool {
        self.repriced || self.base != previous
    }
}

/// The first date of a chain whose base is not the day before it. The chain is days with their bases, oldest first.
pub fn stale_from(chain: impl IntoIterator<Item = (DayRef, Option<DayRef>)>) -> Option<NaiveDate> {
    let mut previous = None;
    let mut chain = chain.into_iter();
    chain.find(|(day, base)| *base != previous.replace(*day)).map(|(day, _)| day.date)
}

/// The stale dates of a portfolio, oldest first.
pub fn stale_dates(winners: &Winners) -> Vec<NaiveDate> {
    let mut previous = None;
    let is_fresh = |(date, winner): &(&NaiveDate, &Winner)| {
        let before = previous.replace(DayRef { date: **date, revision: winner.revision });
        !winner.is_stale_after(before)
    };
    winners.iter().skip_while(is_fresh).map(|(date, _)| *date).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(date: &str, revision: u32) -> Option<DayRef> {
        Some(DayRef { date: day(date), revision })
    }

    #[track_caller]
    fn check(chain: &[(&str, u32, Option<DayRef>)], expected: &[&str]) {
        let winner = |(date, revision, base): &(&str, u32, Option<DayRef>)| {
            let winner =
                Winner { revision: *revision, base: *base, config_hash: String::new(), repriced: false };
            (day(date), winner)
        };
        let links = chain.iter().map(|(date, revision, base)| (at(date, *revision).unwrap(), *base));

        let stale = stale_dates(&chain.iter().map(winner).collect());

        assert_eq!(stale, expected.iter().map(|date| day(date)).collect::<Vec<_>>());
        assert_eq!(stale_from(links), stale.first().copied());
    }

    #[test]
    fn a_chain_of_first_revisions_is_fresh() {
        check(&[("2025-10-01", 1, None), ("2025-10-02", 1, at("2025-10-01", 1))], &[]);
    }

    #[test]
    fn days_after_a_replaced_day_are_stale_to_the_end() {
        check(
            &[
                ("2025-10-01", 2, None),
                ("2025-10-02", 1, at("2025-10-01", 1)),
                ("2025-10-03", 1, at("2025-10-02", 1)),
            ],
            &["2025-10-02", "2025-10-03"],
        );
    }

    #[test]
    fn a_gap_that_was_filled_later_makes_the_next_day_stale() {
        check(
            &[
                ("2025-10-01", 1, None),
                ("2025-10-02", 1, at("2025-10-01", 1)),
                ("2025-10-03", 1, at("2025-10-01", 1)),
            ],
            &["2025-10-03"],
        );
    }

    #[test]
    fn a_day_that_continued_from_a_day_that_is_no_longer_its_predecessor_is_stale_even_as_the_first() {
        check(&[("2025-10-02", 1, at("2025-10-01", 1))], &["2025-10-02"]);
    }
}
