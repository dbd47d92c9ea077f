//! The calls so far, and what is left of each quota.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;

const FREE_CALLS_A_DAY: u32 = 25;
const FREE_PACE: Duration = Duration::from_secs(1);

/// A request, with the name of the response it got.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// The parameter `function`.
    pub function: String,
    /// The parameter `symbol`.
    pub symbol: String,
    /// The parameter `outputsize`, `compact` when it is missing.
    pub outputsize: String,
    /// The key. The control endpoint does not show it.
    #[serde(skip)]
    pub key: String,
    /// The header `traceparent`.
    #[serde(skip)]
    pub traceparent: Option<String>,
    /// `series`, the name of a refusal (`throttled`, `quota used up`, ...), or `fault MODE`.
    pub answer: String,
}

/// The calls, and the use of quotas since the start, the last reset or the last change of "today".
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) calls: Vec<Call>,
    series: u32,
    free: HashMap<String, FreeKeyUse>,
}

#[derive(Debug, Default)]
struct FreeKeyUse {
    today: u32,
    last: Option<Instant>,
}

/// Why a call of a free key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallRefused {
    TooFast,
    UsedUp,
}

impl Ledger {
    /// Counts a call of a free key, unless it is refused.
    pub(crate) fn debit_free(&mut self, key: &str, now: Instant) -> Result<(), CallRefused> {
        let used = self.free.entry(key.to_owned()).or_default();
        if used.last.is_some_and(|last| now.duration_since(last) < FREE_PACE) {
            return Err(CallRefused::TooFast);
        }
        if used.today >= FREE_CALLS_A_DAY {
            return Err(CallRefused::UsedUp);
        }
        used.today += 1;
        used.last = Some(now);
        Ok(())
    }

    /// Counts a series; false when `limit` series were counted before.
    pub(crate) fn debit_series(&mut self, limit: Option<u32>) -> bool {
        if limit.is_some_and(|limit| self.series >= limit) {
            return false;
        }
        self.series += 1;
        true
    }

    /// Renews the quotas for a new day. The calls stay listed.
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
            assert_eq!(ledger.debit_free("k", now + Duration::from_millis(999)), Err(CallRefused::TooFast));
        }

        assert_eq!(ledger.debit_free("k", start + Duration::from_secs(60)), Err(CallRefused::UsedUp));
        assert_eq!(ledger.debit_free("other", start), Ok(()));
    }

    #[test]
    fn a_new_day_has_new_quotas() {
        let mut ledger = Ledger::default();
        assert_eq!([0, 1, 2].map(|_| ledger.debit_series(Some(2))), [true, true, false]);

        ledger.next_day();

        assert!(ledger.debit_series(Some(2)));
    }
}
