//! How often a download publishes its progress.

use std::time::{Duration, Instant};

/// Least time between two events; the last one is always published.
const INTERVAL: Duration = Duration::from_millis(100);

/// The count of finished symbols that was published last, and when.
#[derive(Debug, Default)]
pub(super) struct Progress {
    published: Option<(usize, Instant)>,
}

impl Progress {
    /// Whether `done` is to be published at `now`; if so, it counts as published.
    pub(super) fn is_due(&mut self, done: usize, now: Instant) -> bool {
        let is_due =
            self.published.is_none_or(|(last, at)| last != done && now.duration_since(at) >= INTERVAL);
        if is_due {
            self.published = Some((done, now));
        }
        is_due
    }

    /// Whether `done` has not been published yet.
    pub(super) fn is_unpublished(&self, done: usize) -> bool {
        self.published.is_none_or(|(last, _)| last != done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_a_second_at_most_and_the_last_always() {
        let (mut progress, start) = (Progress::default(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);

        assert!(progress.is_due(1, at(0)));
        assert!(!progress.is_due(2, at(50)));
        assert!(progress.is_due(3, at(100)));
        assert!(!progress.is_due(3, at(900)), "nothing new");
        assert!(progress.is_unpublished(4) && !progress.is_unpublished(3));
    }
}
