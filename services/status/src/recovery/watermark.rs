//! The watermark of an outbox: the id up to which it need not be searched again.
//!
//! Ids are assigned before the commit, so a row may appear below ids that were seen already. The watermark rises only to
//! an id that was the highest so long ago that every transaction of that time has ended.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use storage::status::OutboxExtent;
use uuid::Uuid;

/// Longer than any transaction that writes an outbox: statements end after 40 s, idle transactions after 5 s.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
pub(crate) struct Watermark {
    /// Everything up to this id is projected.
    floor: i64,
    /// When searches began, with the highest id of that time.
    marks: VecDeque<(Instant, i64)>,
    /// Events that can never be projected, and were logged as errors.
    pub(crate) unprojectable: HashSet<Uuid>,
}

impl Watermark {
    /// The range of ids to search: above the first, up to the last. `None` when it is empty.
    pub(crate) fn due(&self, extent: OutboxExtent) -> Option<(i64, i64)> {
        let from = self.floor.max(extent.first - 1);
        (from < extent.last).then_some((from, extent.last))
    }

    /// Records that a search has projected everything; it began at `begun`, when `last` was the highest id.
    pub(crate) fn scanned(&mut self, last: i64, begun: Instant) {
        while let Some((at, highest)) = self.marks.front().copied() {
            if begun.saturating_duration_since(at) < LONGEST_TRANSACTION {
                break;
            }
            self.floor = self.floor.max(highest);
            self.marks.pop_front();
        }
        if self.marks.back().is_none_or(|(_, highest)| *highest != last) && self.floor < last {
            self.marks.push_back((begun, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn ids_are_searched_again_until_every_transaction_of_that_time_has_ended() {
        let begun = Instant::now();
        let mut watermark = Watermark::default();
        let extent = OutboxExtent { first: 11, last: 20 };

        assert_eq!(watermark.due(extent), Some((10, 20)));
        watermark.scanned(20, begun);
        assert_eq!(watermark.due(extent), Some((10, 20)), "a row below 20 may still be committed");
        watermark.scanned(20, begun + MINUTE);
        assert_eq!(watermark.due(extent), Some((10, 20)));
        watermark.scanned(20, begun + 3 * MINUTE);
        assert_eq!(watermark.due(extent), None);
    }

    #[test]
    fn new_rows_are_due_from_the_floor_on() {
        let begun = Instant::now();
        let mut watermark = Watermark::default();
        watermark.scanned(20, begun);
        watermark.scanned(25, begun + MINUTE);
        watermark.scanned(25, begun + 2 * MINUTE);

        assert_eq!(watermark.due(OutboxExtent { first: 1, last: 25 }), Some((20, 25)));
        watermark.scanned(25, begun + 4 * MINUTE);
        assert_eq!(watermark.due(OutboxExtent { first: 1, last: 25 }), None);
        assert_eq!(watermark.due(OutboxExtent { first: 1, last: 26 }), Some((25, 26)));
    }

    #[test]
    fn an_empty_outbox_is_not_due() {
        assert_eq!(Watermark::default().due(OutboxExtent::default()), None);
    }
}
