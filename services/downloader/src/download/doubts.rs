//! Calls that brought nothing for a reason that may pass: they are made again, after all others, a few times and with
//! growing waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::ingest::fetch_plan::Request;

/// The wait before each further round of calls.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The calls of a source that are in doubt.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    failures: BTreeMap<Request, usize>,
    open: BTreeSet<Request>,
    rounds: usize,
}

impl Doubts {
    /// Notes that a call brought nothing; false when it is not to be made again.
    pub(super) fn again(&mut self, request: &Request) -> bool {
        let failures = self.failures.entry(request.clone()).or_default();
        *failures += 1;
        let again = *failures <= WAITS.len();
        if again {
            self.open.insert(request.clone());
        }
        again
    }

    /// The calls that wait for the next round.
    pub(super) fn open(&self) -> impl Iterator<Item = &Request> {
        self.open.iter()
    }

    /// Begins a round with the calls that wait for it; returns how long to wait before, `None` when there are none.
    pub(super) fn next_round(&mut self) -> Option<Duration> {
        if self.open.is_empty() {
            return None;
        }
        self.open.clear();
        let wait = WAITS.get(self.rounds).or(WAITS.last()).copied();
        self.rounds += 1;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::symbol;

    #[test]
    fn a_call_is_given_up_after_one_in_each_round() {
        let (mut doubts, request) = (Doubts::default(), Request::Symbol(symbol("A")));

        assert!(doubts.again(&request));
        assert_eq!(doubts.next_round(), Some(WAITS[0]));
        assert!(doubts.again(&request));
        assert_eq!(doubts.next_round(), Some(WAITS[1]));
        assert!(!doubts.again(&request));
        assert_eq!(doubts.next_round(), None);
    }
}
