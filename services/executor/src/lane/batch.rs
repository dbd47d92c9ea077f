//! A batch: days of one lane that are committed together.
//!
//! A crash repeats the days of a batch that was not committed. They are decided in memory, so they come out the same.

use std::time::{Duration, Instant};

use storage::execution::{DayOutcome, EndedAttempt, NewModelDay};

/// Days in one commit.
const MAX_DAYS: usize = 64;
/// How long days are collected before they are committed: who watches the job does not see them before.
const MAX_TIME: Duration = Duration::from_millis(20);

/// Days that were run and are not committed.
pub(super) struct Batch {
    days: Vec<NewModelDay>,
    attempt: Option<EndedAttempt>,
    max_days: usize,
    /// When the first of the days was added.
    since: Option<Instant>,
}

impl Batch {
    /// An empty batch. Day by day go the days of an agent, and those of a lane that was taken again after a crash: the
    /// worker before died of one of its next days, and when it dies again it dies of that day alone.
    pub(super) fn new(is_day_by_day: bool) -> Self {
        let max_days = if is_day_by_day { 1 } else { MAX_DAYS };
        Self { days: Vec::new(), attempt: None, max_days, since: None }
    }

    /// Adds a day; `attempt` is an agent's.
    pub(super) fn add(&mut self, day: NewModelDay, attempt: Option<EndedAttempt>) {
        self.since.get_or_insert_with(Instant::now);
        self.days.push(day);
        self.attempt = attempt;
    }

    pub(super) fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether its days have to be committed before the next day is run. A failed day ends a batch.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        let failed = self.days.last().is_some_and(|day| matches!(day.outcome, DayOutcome::Failed(_)));
        let is_old = self.since.is_some_and(|since| now >= since + MAX_TIME);
        failed || is_old || self.days.len() >= self.max_days
    }

    /// Takes its days out.
    pub(super) fn take(&mut self) -> (Vec<NewModelDay>, Option<EndedAttempt>) {
        self.since = None;
        (std::mem::take(&mut self.days), self.attempt.take())
    }
}

#[cfg(test)]
mod tests {
    use domain::simulation::model_day::SkipReason;

    use super::*;

    fn day(outcome: DayOutcome) -> NewModelDay {
        let date = chrono::NaiveDate::from_ymd_opt(2025, 10, 1).unwrap();
        NewModelDay { date, attempt: 1, outcome, events: Vec::new() }
    }

    fn skipped() -> NewModelDay {
        day(DayOutcome::Skipped(SkipReason::AlreadyCompleted))
    }

    #[test]
    fn sixty_four_days_are_a_batch_and_day_by_day_one() {
        for (is_day_by_day, expected) in [(false, 64), (true, 1)] {
            let mut batch = Batch::new(is_day_by_day);
            let began = Instant::now();
            let mut days = 0;
            while days == 0 || !batch.is_full(began) {
                batch.add(skipped(), None);
                days += 1;
            }

            assert_eq!(days, expected);
            assert_eq!(batch.take().0.len(), expected);
            assert_eq!(batch.len(), 0);
        }
    }

    #[test]
    fn a_batch_is_full_twenty_milliseconds_after_its_first_day() {
        let mut batch = Batch::new(false);
        let before = Instant::now();
        batch.add(skipped(), None);
        let after = Instant::now();

        assert!(!batch.is_full(before + Duration::from_millis(19)));
        assert!(batch.is_full(after + Duration::from_millis(20)));
    }

    #[test]
    fn a_failed_day_ends_a_batch() {
        let mut batch = Batch::new(false);
        let began = Instant::now();
        batch.add(skipped(), None);
        assert!(!batch.is_full(began));

        batch.add(day(DayOutcome::Failed("no price".to_owned())), None);

        assert!(batch.is_full(began));
    }
}
