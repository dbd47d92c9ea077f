//! A lane in hand: the portfolio as it is after the days that were run, and the days that are not committed yet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use domain::simulation::model_day::{SkipReason, Winner};
use domain::simulation::run::PortfolioDay;
use storage::execution::{EndedAttempt, Lane, LaneCommit, NewModelDay, PortfolioHistory};
use storage::outbox::NewMessage;

use crate::agent::Stop;
use crate::job::cache::PlannedJob;

/// Days of a lane in one commit.
const MAX_BATCH_DAYS: usize = 64;
/// How long days are collected before they are committed: a crash repeats what is not committed, and who watches the
/// job does not see it.
const MAX_BATCH_TIME: Duration = Duration::from_millis(20);

/// A day that was run, with what it changes for the days after it.
pub(super) struct EndedDay {
    pub(super) day: NewModelDay,
    /// Of a completed day: the portfolio's new winner and position.
    pub(super) effect: Option<(Winner, PortfolioDay)>,
    /// Of an agent's day: the attempt that ends with it.
    pub(super) attempt: Option<EndedAttempt>,
}

/// What became of the lane's next day.
pub(super) enum DayStep {
    /// It has ended.
    Ended(Box<EndedDay>),
    /// An agent's day that goes on in another turn.
    PutOff(Stop),
    /// Neither this day nor the lane's others are run, since the job's budget is used up.
    OutOfBudget,
}

/// A lane in the hands of this worker.
pub(super) struct LaneInHand {
    pub(super) lane: Lane,
    pub(super) job: Arc<PlannedJob>,
    /// The portfolio's completed days, those not committed yet included.
    pub(super) history: PortfolioHistory,
    /// The day that the next one continues from, as far as it is known.
    pub(super) previous: Option<PortfolioDay>,
    /// Why the lane's other days are not run, when they are not.
    pub(super) stopped: Option<SkipReason>,
    /// Dates behind the lane, as Postgres has it.
    committed: usize,
    /// Days that were run and are not committed.
    batch: Vec<NewModelDay>,
    attempt: Option<EndedAttempt>,
    /// When the batch is committed at the latest; set by its first day.
    batch_ends: Option<Instant>,
    /// When the turn ends at the latest, between days.
    slice_ends: Instant,
}

impl LaneInHand {
    pub(super) fn new(
        lane: Lane,
        job: Arc<PlannedJob>,
        slice: Duration,
        stopped: Option<SkipReason>,
    ) -> Self {
        Self {
            job,
            history: PortfolioHistory::default(),
            previous: None,
            stopped,
            committed: lane.done,
            batch: Vec::new(),
            attempt: None,
            batch_ends: None,
            slice_ends: Instant::now() + slice,
            lane,
        }
    }

    /// The date that the lane runs next, unless it has none or is stopped.
    pub(super) fn next_date(&self) -> Option<NaiveDate> {
        if self.stopped.is_some() { None } else { self.rest().first().copied() }
    }

    /// Dates that were not run.
    pub(super) fn rest(&self) -> &[NaiveDate] {
        self.lane.dates.get(self.committed + self.batch.len()..).unwrap_or_default()
    }

    /// Whether no day was run since the turn was taken.
    pub(super) fn is_at_its_front(&self) -> bool {
        self.committed == self.lane.done && self.batch.is_empty()
    }

    /// Days that the portfolio has completed before `date`.
    pub(super) fn completed_before(&self, date: NaiveDate) -> u32 {
        let since_taken = match self.lane.dates.get(self.lane.done) {
            Some(first) => self.history.winners.range(*first..date).count(),
            None => 0,
        };
        self.history.completed_before + u32::try_from(since_taken).unwrap_or(u32::MAX)
    }

    /// Adds the next day.
    pub(super) fn add(&mut self, ended: EndedDay) {
        let EndedDay { day, effect, attempt } = ended;
        if let Some((winner, portfolio)) = effect {
            self.history.winners.insert(day.date, winner);
            self.previous = Some(portfolio);
        }
        self.batch_ends.get_or_insert_with(|| Instant::now() + MAX_BATCH_TIME);
        self.batch.push(day);
        self.attempt = attempt;
    }

    /// Whether the turn ends with the last day that was run.
    pub(super) fn turn_ends(&self) -> bool {
        self.next_date().is_some() && Instant::now() >= self.slice_ends
    }

    /// Whether the days that were run have to be committed now: there is no next one, or the next one has to wait for
    /// their commit.
    pub(super) fn batch_is_full(&self, last_failed: bool) -> bool {
        // A worker may have died of one of the next days. One by one, it dies of that day alone.
        let max_days = if self.lane.endpoint.is_some() || self.lane.crashes > 1 { 1 } else { MAX_BATCH_DAYS };
        last_failed
            || self.next_date().is_none()
            || self.batch.len() >= max_days
            || self.batch_ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// The days that were run, as one commit; the lane has none in hand then.
    pub(super) fn take_commit(&mut self, next_turn: Option<NewMessage>) -> LaneCommit {
        let done = self.committed;
        let days = std::mem::take(&mut self.batch);
        self.committed += days.len();
        self.batch_ends = None;
        let agent = self.attempt.take();
        LaneCommit { lane: self.lane.id, epoch: self.lane.epoch, done, days, next_turn, agent }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use domain::job::{Job, Options};
    use domain::market::instruments::Universe;
    use domain::values::ids::{JobId, LaneId, PortfolioId};
    use storage::execution::DayOutcome;
    use uuid::Uuid;

    use super::*;

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 10, day).unwrap()
    }

    /// A lane of eighty days, in a turn that lasts for `slice`.
    fn in_hand(crashes: u32, endpoint: Option<&str>, slice: Duration) -> LaneInHand {
        let id = JobId(Uuid::from_u128(2));
        let universe = Universe { name: "none".to_owned(), symbols: Vec::new(), benchmark: None };
        let job = Job {
            id,
            experiment: "default".to_owned(),
            models: Vec::new(),
            universe,
            start: date(1),
            end: date(31),
            options: Options::default(),
            accepted_at: Utc::now(),
            retry_of: None,
        };
        let lane = Lane {
            id: LaneId(Uuid::from_u128(1)),
            job: id,
            portfolio: PortfolioId(Uuid::from_u128(3)),
            model: "m".to_owned(),
            trial: 0,
            routing_key: String::new(),
            dates: (0..80).map(|day| date(1) + chrono::Days::new(day)).collect(),
            done: 0,
            turn: 0,
            epoch: 7,
            crashes,
            endpoint: endpoint.map(str::to_owned),
        };
        LaneInHand::new(lane, Arc::new(PlannedJob::new(job, Vec::new(), None)), slice, None)
    }

    fn run(in_hand: &mut LaneInHand) {
        let date = in_hand.next_date().unwrap();
        let outcome = DayOutcome::Skipped(SkipReason::AlreadyCompleted);
        let day = NewModelDay { date, attempt: 0, outcome, events: Vec::new() };
        in_hand.add(EndedDay { day, effect: None, attempt: None });
    }

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_lane_that_was_taken_again_after_a_crash_and_an_agents_lane_go_day_by_day() {
        for (crashes, endpoint, full) in
            [(1, None, false), (2, None, true), (6, None, true), (1, Some("http://localhost"), true)]
        {
            let mut in_hand = in_hand(crashes, endpoint, LONG);
            // The clock does not fill it.
            run(&mut in_hand);
            in_hand.batch_ends = Some(Instant::now() + LONG);

            assert_eq!(in_hand.batch_is_full(false), full, "{crashes} {endpoint:?}");
        }
    }

    #[test]
    fn a_batch_ends_with_a_failed_day_with_the_lane_and_with_sixty_four_days() {
        let mut in_hand = in_hand(1, None, LONG);
        run(&mut in_hand);
        in_hand.batch_ends = Some(Instant::now() + LONG);
        assert!(in_hand.batch_is_full(true));

        for _ in 1..MAX_BATCH_DAYS {
            assert!(!in_hand.batch_is_full(false));
            run(&mut in_hand);
        }
        assert!(in_hand.batch_is_full(false));

        let commit = in_hand.take_commit(None);
        assert_eq!((commit.done, commit.days.len()), (0, 64));
        while in_hand.next_date().is_some() {
            run(&mut in_hand);
        }
        assert!(in_hand.batch_is_full(false));
        let commit = in_hand.take_commit(None);
        assert_eq!((commit.done, commit.days.len(), in_hand.rest().len()), (64, 16, 0));
    }

    #[test]
    fn a_turn_ends_with_its_slice_but_not_after_the_lanes_last_day() {
        let mut long = in_hand(1, None, LONG);
        run(&mut long);
        assert!(!long.turn_ends());

        let mut over = in_hand(1, None, Duration::ZERO);
        run(&mut over);
        assert!(over.turn_ends());
        while over.next_date().is_some() {
            run(&mut over);
        }
        assert!(!over.turn_ends(), "the lane ends instead");
    }
}
