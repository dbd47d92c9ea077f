//! Symbols whose call brought nothing for a reason that may pass: they are fetched again, after all others, a few times
//! and with growing waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::market::instruments::Symbol;

/// The wait before each further round of calls.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The symbols of a download that are in doubt.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    failures: BTreeMap<Symbol, usize>,
    open: BTreeSet<Symbol>,
    rounds: usize,
}

impl Doubts {
    /// Notes that a call for `symbol` brought nothing; false when it is not to be made again.
    pub(super) fn again(&mut self, symbol: &Symbol) -> bool {
        let failures = self.failures.entry(symbol.clone()).or_default();
        *failures += 1;
        let again = *failures <= WAITS.len();
        if again {
            self.open.insert(symbol.clone());
        }
        again
    }

    /// The symbols that wait for the next round.
    pub(super) fn open(&self) -> impl Iterator<Item = &Symbol> {
        self.open.iter()
    }

    /// Begins a round with the symbols that wait for it; returns how long to wait before, `None` when there are none.
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
    fn a_symbol_is_given_up_after_a_call_in_each_round() {
        let (mut doubts, symbol) = (Doubts::default(), symbol("A"));

        assert!(doubts.again(&symbol));
        assert_eq!(doubts.next_round(), Some(WAITS[0]));
        assert!(doubts.again(&symbol));
        assert_eq!(doubts.next_round(), Some(WAITS[1]));
        assert!(!doubts.again(&symbol));
        assert_eq!(doubts.next_round(), None);
    }
}
