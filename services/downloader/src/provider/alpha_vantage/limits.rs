//! The call quota of an Alpha Vantage key, by its settings.

use std::num::NonZeroU32;
use std::str::FromStr;

use domain::ingest::call_quota::{Counts, Period, Window};

use crate::provider::limits::{fixed, rolling, with_refusals};

const FREE_CALLS_PER_DAY: NonZeroU32 = NonZeroU32::MIN.saturating_add(24);

/// The subscription of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyPlan {
    /// 25 calls a day and one a second, for the last 100 sessions.
    Free,
    /// A number of calls per minute, for the whole history.
    Paid,
}

impl KeyPlan {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Paid => "paid",
        }
    }
}

impl FromStr for KeyPlan {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "free" => Ok(Self::Free),
            "paid" => Ok(Self::Paid),
            _ => Err("is neither free nor paid"),
        }
    }
}

/// The quota windows of a key. The limits are calls; `None` is no limit, except that a free key has 25 a day.
pub(crate) fn quota_windows(
    plan: KeyPlan,
    per_minute: Option<NonZeroU32>,
    per_day: Option<NonZeroU32>,
) -> Vec<Window> {
    let per_day = match plan {
        KeyPlan::Free => Some(per_day.unwrap_or(FREE_CALLS_PER_DAY)),
        KeyPlan::Paid => per_day,
    };
    let pace = match plan {
        KeyPlan::Free => rolling("second", Period::Second, NonZeroU32::MIN),
        KeyPlan::Paid => None,
    };
    let minute = per_minute.and_then(|limit| rolling("minute", Period::Minute, limit));
    let day = per_day.and_then(|limit| fixed("day", Period::Day, limit, Counts::Calls));
    with_refusals([pace, minute, day].into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(plan: KeyPlan, per_minute: u32, per_day: u32) -> Vec<String> {
        let windows = quota_windows(plan, NonZeroU32::new(per_minute), NonZeroU32::new(per_day));
        windows.iter().map(|window| window.id().to_owned()).collect()
    }

    #[test]
    fn a_free_key_has_a_day_and_a_pace() {
        assert_eq!(ids(KeyPlan::Free, 0, 0), ["second", "day", "provider"]);
    }

    #[test]
    fn a_paying_key_has_the_windows_that_are_set() {
        assert_eq!(ids(KeyPlan::Paid, 75, 0), ["minute", "provider"]);
        assert_eq!(ids(KeyPlan::Paid, 75, 500), ["minute", "day", "provider"]);
        assert_eq!(ids(KeyPlan::Paid, 0, 0), ["provider"]);
    }

    #[test]
    fn a_free_day_has_25_calls() {
        let windows = quota_windows(KeyPlan::Free, None, None);
        let now = chrono::DateTime::UNIX_EPOCH;
        let state = domain::ingest::call_quota::WindowState::default();

        assert_eq!(windows[1].left(&state, now), 25);
    }
}
