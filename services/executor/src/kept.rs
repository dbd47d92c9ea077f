//! What this process knows of lanes between two turns of its own, so that it need not read it again.
//!
//! A lane's epoch grows with every taking. Whoever takes the one after his own knows that nobody had the
//! lane meanwhile, and that its portfolio is as he left it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use domain::simulation::run::PortfolioDay;
use domain::values::ids::LaneId;
use storage::execution::{Lane, PortfolioHistory};

/// Most lanes in memory; what is known of others is read again.
const MOST: usize = 256;

/// Lanes between turns.
#[derive(Default)]
pub(crate) struct Kept(Mutex<VecDeque<Known>>);

struct Known {
    lane: LaneId,
    epoch: i64,
    dates: Arc<[NaiveDate]>,
    /// The lane's first date at the beginning of the turn.
    from: NaiveDate,
    history: PortfolioHistory,
    previous: Option<PortfolioDay>,
}

impl Kept {
    /// Keeps what a turn of `lane` that has ended knew.
    pub(crate) fn keep(&self, lane: &Lane, history: PortfolioHistory, previous: Option<PortfolioDay>) {
        let Some(from) = lane.dates.get(lane.done).copied() else { return };
        let dates = lane.dates.clone();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The lane's next turn may have been quicker than this, and found nothing.
        known.retain(|known| known.lane != lane.id);
        known.push_back(Known { lane: lane.id, epoch: lane.epoch, dates, from, history, previous });
        if known.len() > MOST {
            known.pop_front();
        }
    }

    /// The dates of a lane, which never change.
    pub(crate) fn dates(&self, lane: LaneId) -> Option<Arc<[NaiveDate]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|known| known.lane == lane).map(|known| known.dates.clone())
    }

    /// What is known of a lane just taken, as of its next date.
    pub(crate) fn take(
        &self,
        lane: &Lane,
        next: NaiveDate,
    ) -> Option<(PortfolioHistory, Option<PortfolioDay>)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known.iter().position(|known| known.lane == lane.id)?;
        let Known { epoch, from, mut history, previous, .. } = known.remove(place)?;
        drop(known);
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

    use domain::simulation::lane::Winner;
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
        }
    }

    fn history(completed_before: u32, days: &[u32]) -> PortfolioHistory {
        let winner = || Winner { revision: 1, base: None, config_hash: String::new(), repriced: false };
        let winners: BTreeMap<_, _> = days.iter().map(|day| (date(*day), winner())).collect();
        PortfolioHistory { winners, completed_before }
    }

    #[test]
    fn the_next_taking_knows_what_the_turn_before_it_knew() {
        let kept = Kept::default();
        kept.keep(&lane(4, 0), history(7, &[1, 2, 3, 6]), None);

        let (history, _) = kept.take(&lane(5, 2), date(7)).unwrap();

        assert_eq!(history.completed_before, 10, "seven, and those of 2, 3 and 6 October");
        assert_eq!(history.winners.keys().copied().collect::<Vec<_>>(), [date(6)]);
        assert!(kept.take(&lane(5, 2), date(7)).is_none(), "it is known once");
    }

    #[test]
    fn a_lane_that_was_in_other_hands_is_not_known() {
        let kept = Kept::default();
        kept.keep(&lane(4, 0), history(0, &[]), None);

        assert!(kept.take(&lane(6, 2), date(7)).is_none());
    }

    #[test]
    fn a_turn_that_was_kept_too_late_does_not_hide_the_one_after_it() {
        let kept = Kept::default();
        assert!(kept.take(&lane(5, 1), date(6)).is_none(), "the next turn was quicker");
        kept.keep(&lane(4, 0), history(0, &[2]), None);
        kept.keep(&lane(5, 1), history(0, &[2, 6]), None);

        let (history, _) = kept.take(&lane(6, 2), date(7)).unwrap();

        assert_eq!(history.winners.keys().copied().collect::<Vec<_>>(), [date(6)]);
    }

    #[test]
    fn the_lanes_kept_longest_are_forgotten_first() {
        let kept = Kept::default();
        let other = |number: u128| Lane { id: LaneId(Uuid::from_u128(number)), ..lane(4, 0) };
        for number in 0..=MOST as u128 {
            kept.keep(&other(number + 10), history(0, &[]), None);
        }

        let next = |number: u128| Lane { epoch: 5, ..other(number) };
        assert!(kept.take(&next(10), date(2)).is_none());
        assert!(kept.take(&next(11), date(2)).is_some());
    }
}
