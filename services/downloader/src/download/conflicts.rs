//! Which calls of a plan must not run concurrently.
//!
//! The provider may start to refuse after any call. If calls for later dates ran beside the last calls of earlier
//! dates, they could use up the last allowed calls, and no date would be complete.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::ingest::coverage::Need;
use domain::ingest::fetch_plan::Request;

/// The calls of a plan in groups; a group ends with a call that completes a date.
#[derive(Debug, Default)]
pub(super) struct Conflicts {
    group_of: HashMap<Request, usize>,
    sizes: Vec<usize>,
}

impl Conflicts {
    /// Groups the calls of `plan`, which was made for `need`: calls in progress, then the most useful first.
    pub(super) fn of_plan<'a>(need: &Need, plan: impl IntoIterator<Item = &'a Request>) -> Self {
        let mut lacking: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        for date in need.missing.values().flatten() {
            *lacking.entry(*date).or_default() += 1;
        }
        let mut conflicts = Self { group_of: HashMap::new(), sizes: vec![0] };
        for request in plan {
            let last = conflicts.sizes.len() - 1;
            if conflicts.group_of.insert(request.clone(), last).is_some() {
                continue;
            }
            conflicts.sizes[last] += 1;
            let is_complete = match request {
                Request::Symbol(symbol) => completes_a_date(need.missing.get(symbol), &mut lacking),
                Request::Date(_) => true,
            };
            if is_complete {
                conflicts.sizes.push(0);
            }
        }
        conflicts
    }

    /// Whether a call may run beside those in `in_progress`: when they are in the same group, or when
    /// each completes its dates alone.
    pub(super) fn allow(&self, request: &Request, in_progress: &BTreeSet<Request>) -> bool {
        let group = self.group_of.get(request);
        let is_single = |group: Option<&usize>| group.and_then(|group| self.sizes.get(*group)) == Some(&1);
        in_progress.iter().all(|other| {
            let other = self.group_of.get(other);
            other == group || (is_single(other) && is_single(group))
        })
    }
}

/// Counts down the symbols that each date lacks; true when a date lacks no more.
fn completes_a_date(dates: Option<&BTreeSet<NaiveDate>>, lacking: &mut BTreeMap<NaiveDate, usize>) -> bool {
    let mut is_complete = false;
    for date in dates.into_iter().flatten() {
        if let Some(count) = lacking.get_mut(date) {
            *count = count.saturating_sub(1);
            is_complete |= *count == 0;
        }
    }
    is_complete
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dates, symbol};

    fn conflicts(missing: &[(&str, &[&str])]) -> Conflicts {
        let order: Vec<Request> = missing.iter().map(|(name, _)| Request::Symbol(symbol(name))).collect();
        let missing = missing.iter().map(|(name, days)| (symbol(name), dates(days))).collect();
        Conflicts::of_plan(&Need { missing, ..Need::default() }, &order)
    }

    fn beside(conflicts: &Conflicts, name: &str, in_progress: &[&str]) -> bool {
        let request = |name: &str| Request::Symbol(symbol(name));
        conflicts.allow(&request(name), &in_progress.iter().map(|name| request(name)).collect())
    }

    #[test]
    fn symbols_that_complete_dates_together_go_together() {
        let both = ["2025-10-01", "2025-10-02"];
        let conflicts =
            conflicts(&[("A", &both), ("B", &both), ("C", &["2025-10-02"]), ("D", &["2025-10-02"])]);

        assert!(beside(&conflicts, "B", &["A"]));
        assert!(!beside(&conflicts, "C", &["A", "B"]), "10-01 must be complete first");
        assert!(beside(&conflicts, "D", &["C"]));
        assert!(beside(&conflicts, "C", &[]));
    }

    #[test]
    fn symbols_that_complete_dates_alone_need_not_wait_for_each_other() {
        let conflicts = conflicts(&[("A", &["2025-10-01"]), ("B", &["2025-10-02"]), ("C", &["2025-10-03"])]);

        assert!(beside(&conflicts, "C", &["A", "B"]));
    }
}
