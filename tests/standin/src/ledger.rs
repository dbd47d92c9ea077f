//! What was asked so far, and what is left of each budget.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;

const FREE_CALLS_A_DAY: u32 = 25;
const FREE_PACE: Duration = Duration::from_secs(1);

/// One request as it came in, and the name of the answer it got.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// The `function` asked for.
    pub function: String,
    /// The `symbol` asked for.
    pub symbol: String,
    /// The `outputsize` asked for, `compact` when absent.
    pub outputsize: String,
    /// The key that was sent. Not shown by the control endpoint.
    #[serde(skip)]
    pub key: String,
    /// `series`, the name of a refusal (`throttled`, `quota used up`, ...), or `fault MODE`.
    pub answer: String,
}

/// Calls and the use of budgets since the start, the last reset or the last change of "today".
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) calls: Vec<Call>,
    series: u32,
    free: HashMap<String, FreeUse>,
}

#[derive(Debug, Default)]
struct FreeUse {
    today: u32,
    last: Option<Instant>,
}

/// Why a free key gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    TooFast,
    UsedUp,
}

impl Ledger {
    /// Debits one call of a free key. One that comes too fast costs nothing.
    pub(crate) fn debit_free(&mut self, key: &str, now: Instant) -> Result<(), Refused> {
        let used = self.free.entry(key.to_owned()).or_default();
        if used.last.is_some_and(|last| now.duration_since(last) < FREE_PACE) {
            return Err(Refused::TooFast);
        }
        if used.today >= FREE_CALLS_A_DAY {
            return Err(Refused::UsedUp);
        }
        used.today += 1;
        used.last = Some(now);
        Ok(())
    }

    /// Counts a series against `limit`; false when it was used up.
    pub(crate) fn debit_series(&mut self, limit: Option<u32>) -> bool {
        if limit.is_some_and(|limit| self.series >= limit) {
            return false;
        }
        self.series += 1;
        true
    }

    /// A new day: budgets begin anew, the calls stay listed.
    pub(crate) fn next_day(&mut self) {
        self.series = 0;
        self.free.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_key_has_one_call_a_second_and_25_a_day() {
        let mut ledger = Ledger::default();
        let start = Instant::now();

        for second in 0..25 {
            let now = start + Duration::from_secs(second);
            assert_eq!(ledger.debit_free("k", now), Ok(()), "second {second}");
            assert_eq!(ledger.debit_free("k", now + Duration::from_millis(999)), Err(Refused::TooFast));
        }

        assert_eq!(ledger.debit_free("k", start + Duration::from_secs(60)), Err(Refused::UsedUp));
        assert_eq!(ledger.debit_free("other", start), Ok(()));
    }

    #[test]
    fn a_new_day_brings_new_budgets() {
        let mut ledger = Ledger::default();
        assert_eq!([0, 1, 2].map(|_| ledger.debit_series(Some(2))), [true, true, false]);

        ledger.next_day();

        assert!(ledger.debit_series(Some(2)));
    }
}
