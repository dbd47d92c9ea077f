//! A lane in hand: its portfolio as it is after the days that were run, committed or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use domain::simulation::model_day::SkipReason;
use domain::simulation::run::PortfolioDay;
use storage::execution::{Lane, LaneCommit, PortfolioHistory};
use storage::outbox::NewMessage;

use super::batch::Batch;
use super::day_step::EndedDay;
use crate::job::cache::PlannedJob;
use crate::visit::Visit;

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
    /// Dates of the lane that have ended, as Postgres has it.
    committed: usize,
    batch: Batch,
    /// The client that decides in this turn, of a lane whose days a client decides.
    pub(super) visit: Option<Arc<Visit>>,
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
            visit: None,
            batch: Batch::new(lane.endpoint.is_some() || lane.crashes > 1),
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

    /// How many days have ended since the turn was taken.
    pub(super) fn ended(&self) -> usize {
        self.committed + self.batch.len() - self.lane.done
    }

    /// Whether no day was run since the turn was taken.
    pub(super) fn is_at_its_front(&self) -> bool {
        self.ended() == 0
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
        self.batch.add(day, attempt);
    }

    /// Ends the slice before its time.
    pub(super) fn end_slice(&mut self) {
        self.slice_ends = Instant::now();
    }

    /// Whether the turn ends with the last day that was run.
    pub(super) fn turn_ends(&self, now: Instant) -> bool {
        self.next_date().is_some() && now >= self.slice_ends
    }

    /// Whether the days that were run have to be committed before the next one is.
    pub(super) fn has_to_commit(&self, now: Instant) -> bool {
        self.next_date().is_none() || self.batch.is_full(now)
    }

    /// The days that were run, as one commit; the lane has none in hand then.
    pub(super) fn take_commit(&mut self, next_turn: Option<NewMessage>) -> LaneCommit {
        let done = self.committed;
        let (days, agent) = self.batch.take();
        self.committed += days.len();
        LaneCommit { lane: self.lane.id, epoch: self.lane.epoch, done, days, next_turn, agent }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use domain::job::{Job, Options};
    use domain::market::instruments::Universe;
    use domain::values::ids::{JobId, LaneId, PortfolioId};
    use storage::execution::{DayOutcome, NewModelDay};
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
            unknown_fields: Vec::new(),
            requested_by: String::new(),
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
            traceparent: None,
        };
        LaneInHand::new(lane, Arc::new(PlannedJob::new(job, Vec::new(), None)), slice, None)
    }

    fn run(in_hand: &mut LaneInHand) {
        let date = in_hand.next_date().unwrap();
        let outcome = DayOutcome::Skipped(SkipReason::AlreadyCompleted);
        let day = NewModelDay { date, attempt: 0, outcome, events: Vec::new() };
        in_hand.add(EndedDay { day, effect: None, attempt: None });
    }

    const SLICE: Duration = Duration::from_millis(250);

    #[test]
    fn a_lane_that_was_taken_again_after_a_crash_and_an_agents_lane_go_day_by_day() {
        for (crashes, endpoint, day_by_day) in
            [(1, None, false), (2, None, true), (6, None, true), (1, Some("http://localhost"), true)]
        {
            let began = Instant::now();
            let mut in_hand = in_hand(crashes, endpoint, SLICE);
            run(&mut in_hand);

            assert_eq!(in_hand.has_to_commit(began), day_by_day, "{crashes} {endpoint:?}");
        }
    }

    #[test]
    fn commits_follow_each_other_to_the_lanes_end() {
        let began = Instant::now();
        let mut in_hand = in_hand(1, None, SLICE);
        let mut commits = Vec::new();

        while in_hand.next_date().is_some() {
            run(&mut in_hand);
            if in_hand.has_to_commit(began) {
                let commit = in_hand.take_commit(None);
                commits.push((commit.done, commit.days.len(), in_hand.rest().len()));
            }
        }

        assert_eq!(commits, [(0, 64, 16), (64, 16, 0)]);
    }

    #[test]
    fn a_turn_ends_with_its_slice_but_not_after_the_lanes_last_day() {
        let began = Instant::now();
        let mut in_hand = in_hand(1, None, SLICE);
        run(&mut in_hand);
        assert!(!in_hand.turn_ends(began + SLICE - Duration::from_millis(1)));
        let over = Instant::now() + SLICE;
        assert!(in_hand.turn_ends(over));

        while in_hand.next_date().is_some() {
            run(&mut in_hand);
        }
        assert!(!in_hand.turn_ends(over), "the lane ends instead");
    }
}
