//! The settings of a stand-in, at its start and while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::NaiveDate;

use super::fault::ScriptedFault;

/// The last day of the recorded prices.
pub(crate) const RECORDED_TODAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 10, 30) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) today: NaiveDate,
    pub(crate) keys: Keys,
    /// After this many series no calls are left for the day, for any key.
    pub(crate) rate_limit_after: Option<u32>,
    /// `Retry-After` of throttled and quota responses, in seconds. The real service sends none.
    pub(crate) retry_after: Option<u64>,
    pub(crate) delay: Duration,
    /// By symbol; `*` stands for every symbol without a fault of its own.
    pub(crate) faults: BTreeMap<String, ScriptedFault>,
    /// The first and the last date of symbols that are not listed all the time.
    pub(crate) listed: BTreeMap<String, RangeInclusive<NaiveDate>>,
    /// By symbol: the split factors and dividends of its dates, as they are printed, however late the dates are.
    pub(crate) splits: BTreeMap<String, Vec<(NaiveDate, String)>>,
    pub(crate) dividends: BTreeMap<String, Vec<(NaiveDate, String)>>,
    /// After the open of this day every price is replaced.
    pub(crate) poisoned_after_open: Option<NaiveDate>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            today: RECORDED_TODAY,
            keys: Keys::default(),
            rate_limit_after: None,
            retry_after: None,
            delay: Duration::ZERO,
            faults: BTreeMap::new(),
            listed: BTreeMap::new(),
            splits: BTreeMap::new(),
            dividends: BTreeMap::new(),
            poisoned_after_open: None,
        }
    }
}

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Everything without limits.
    Paying,
    /// 25 calls a day, one a second, the last 100 sessions.
    Free,
    Demo,
    Invalid,
}

/// The keys by plan. As long as no paying key is listed, every key that is not listed elsewhere pays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    pub(crate) paying: BTreeSet<String>,
    pub(crate) free: BTreeSet<String>,
    pub(crate) bad: BTreeSet<String>,
}

impl Keys {
    pub(crate) fn plan(&self, key: &str) -> Plan {
        if key.is_empty() || self.bad.contains(key) {
            Plan::Invalid
        } else if self.paying.contains(key) {
            Plan::Paying
        } else if self.free.contains(key) {
            Plan::Free
        } else if key == "demo" {
            Plan::Demo
        } else if self.paying.is_empty() {
            Plan::Paying
        } else {
            Plan::Invalid
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(paying: &[&str]) -> Keys {
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Keys { paying: set(paying), free: set(&["free"]), bad: set(&["bad"]) }
    }

    #[test]
    fn without_a_list_every_other_key_pays() {
        let keys = keys(&[]);

        assert_eq!(
            ["any", "free", "bad", "demo", ""].map(|key| keys.plan(key)),
            [Plan::Paying, Plan::Free, Plan::Invalid, Plan::Demo, Plan::Invalid]
        );
    }

    #[test]
    fn with_a_list_only_the_listed_keys_are_known() {
        let keys = keys(&["gold"]);

        assert_eq!(
            ["gold", "any", "free"].map(|key| keys.plan(key)),
            [Plan::Paying, Plan::Invalid, Plan::Free]
        );
    }
}
