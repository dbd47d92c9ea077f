//! A fencing-token cache: what this process knows of a lane between two turns of its own.
//!
//! A lane's epoch grows whenever the lane is taken. A worker that takes epoch n + 1 after it held n knows that no
//! other worker held the lane between, so that the portfolio is as this process left it and need not be read again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use domain::simulation::run::PortfolioDay;
use domain::values::ids::LaneId;
use storage::execution::{Lane, PortfolioHistory};

/// Lanes in memory; the history of others is read again.
const MAX_LANES: usize = 256;

/// Lanes between turns, the one put last at the end.
#[derive(Default)]
pub(super) struct LaneCache(Mutex<VecDeque<CachedLane>>);

struct CachedLane {
    lane: LaneId,
    epoch: i64,
    dates: Arc<[NaiveDate]>,
    /// The lane's first date at the beginning of the turn.
    from: NaiveDate,
    history: PortfolioHistory,
    previous: Option<PortfolioDay>,
}

impl LaneCache {
    /// Puts what a turn of `lane` that has ended knew.
    pub(super) fn put(&self, lane: &Lane, history: PortfolioHistory, previous: Option<PortfolioDay>) {
        let Some(from) = lane.dates.get(lane.done).copied() else { return };
        let dates = lane.dates.clone();
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The lane's next turn may have been quicker than this, and found nothing.
        lanes.retain(|cached| cached.lane != lane.id);
        lanes.push_back(CachedLane { lane: lane.id, epoch: lane.epoch, dates, from, history, previous });
        if lanes.len() > MAX_LANES {
            lanes.pop_front();
        }
    }

    /// The dates of a lane, which never change.
    pub(super) fn dates(&self, lane: LaneId) -> Option<Arc<[NaiveDate]>> {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.iter().find(|cached| cached.lane == lane).map(|cached| cached.dates.clone())
    }

    /// Takes out what is known of a lane just taken, as of its next date.
    pub(super) fn take(
        &self,
        lane: &Lane,
        next: NaiveDate,
    ) -> Option<(PortfolioHistory, Option<PortfolioDay>)> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = lanes.iter().position(|cached| cached.lane == lane.id)?;
        let CachedLane { epoch, from, mut history, previous, .. } = lanes.remove(place)?;
        drop(lanes);
        if epoch + 1 != lane.epoch {
            return None;
        }
        let completed = history.winners.range(from..next).count();
        history.completed_before += u32::try_from(completed).unwrap_or(u32::MAX);
        // The day that the next one continues from, and what there is from then on.
        let base = history.winners.range(..next).next_back().map_or(next, |(date, _)| *date);
        history.winners = history.winners.split_off(&base);
        Some((history, previous))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::simulation::model_day::Winner;
    use domain::values::ids::{JobId, PortfolioId};
    use uuid::Uuid;

    use super::*;

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 10, day).unwrap()
    }

    fn lane(epoch: i64, done: usize) -> Lane {
        Lane {
            id: LaneId(Uuid::from_u128(1)),
            job: JobId(Uuid::from_u128(2)),
            portfolio: PortfolioId(Uuid::from_u128(3)),
            model: "m".to_owned(),
            trial: 0,
            routing_key: String::new(),
            dates: [date(2), date(6), date(7)].into(),
            done,
            turn: 0,
            epoch,
            crashes: 0,
            endpoint: None,
            traceparent: None,
        }
    }

    fn history(completed_before: u32, days: &[u32]) -> PortfolioHistory {
        let winner = || Winner { revision: 1, base: None, config_hash: String::new(), repriced: false };
        let winners: BTreeMap<_, _> = days.iter().map(|day| (date(*day), winner())).collect();
        PortfolioHistory { winners, completed_before }
    }

    #[test]
    fn the_next_turn_knows_what_the_one_before_it_knew() {
        let cache = LaneCache::default();
        cache.put(&lane(4, 0), history(7, &[1, 2, 3, 6]), None);

        let (history, _) = cache.take(&lane(5, 2), date(7)).unwrap();

        assert_eq!(history.completed_before, 10, "seven, and those of 2, 3 and 6 October");
        assert_eq!(history.winners.keys().copied().collect::<Vec<_>>(), [date(6)]);
        assert!(cache.take(&lane(5, 2), date(7)).is_none(), "it is known once");
    }

    #[test]
    fn a_lane_that_was_in_other_hands_is_not_known() {
        let cache = LaneCache::default();
        cache.put(&lane(4, 0), history(0, &[]), None);

        assert!(cache.take(&lane(6, 2), date(7)).is_none());
    }

    #[test]
    fn a_turn_that_was_cached_too_late_does_not_hide_the_one_after_it() {
        let cache = LaneCache::default();
        assert!(cache.take(&lane(5, 1), date(6)).is_none(), "the next turn was quicker");
        cache.put(&lane(4, 0), history(0, &[2]), None);
        cache.put(&lane(5, 1), history(0, &[2, 6]), None);

        let (history, _) = cache.take(&lane(6, 2), date(7)).unwrap();

        assert_eq!(history.winners.keys().copied().collect::<Vec<_>>(), [date(6)]);
    }

    #[test]
    fn the_lanes_cached_longest_are_forgotten_first() {
        let cache = LaneCache::default();
        let other = |number: u128| Lane { id: LaneId(Uuid::from_u128(number)), ..lane(4, 0) };
        for number in 0..=MAX_LANES as u128 {
            cache.put(&other(number + 10), history(0, &[]), None);
        }

        let next = |number: u128| Lane { epoch: 5, ..other(number) };
        assert!(cache.take(&next(10), date(2)).is_none());
        assert!(cache.take(&next(11), date(2)).is_some());
    }
}
