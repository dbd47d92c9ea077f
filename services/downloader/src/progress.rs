//! How often a download tells how far it is.

use std::time::{Duration, Instant};

/// Least time between two events; the last one is always told.
const PAUSE: Duration = Duration::from_millis(100);

/// What was told so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    told: Option<(usize, Instant)>,
}

impl Progress {
    /// Whether `done` is to be told at `now`; if so, it counts as told.
    pub(crate) fn is_due(&mut self, done: usize, now: Instant) -> bool {
        let is_due = self.told.is_none_or(|(told, at)| told != done && now.duration_since(at) >= PAUSE);
        if is_due {
            self.told = Some((done, now));
        }
        is_due
    }

    /// Whether `done` has not been told yet.
    pub(crate) fn is_untold(&self, done: usize) -> bool {
        self.told.is_none_or(|(told, _)| told != done)
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
        assert!(progress.is_untold(4) && !progress.is_untold(3));
    }
}
