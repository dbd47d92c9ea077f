//! Which jobs can leave the database together, so that what stays comes to the same as before.

use std::collections::{BTreeMap, BTreeSet};

use crate::values::ids::{JobId, PortfolioId};

/// Jobs that go together, with all portfolios that they ran days of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobGroup {
    /// The jobs.
    pub jobs: BTreeSet<JobId>,
    /// Their portfolios. No other job ran days of these.
    pub portfolios: BTreeSet<PortfolioId>,
}

/// The groups of jobs that can go, of those that have `ended` long ago. `lanes` names, for each job, the portfolios that it
/// had days to run of.
///
/// A job goes with all portfolios that it ran days of, and a portfolio goes with all jobs that ran days of it: a part of a
/// portfolio's days, or of what they cost, would be another standing on the leaderboard. So one job that has not ended, or
/// not so long ago, keeps all that hang together with it; and so does a portfolio that is `kept`.
pub fn groups(
    ended: &BTreeSet<JobId>,
    lanes: &[(JobId, PortfolioId)],
    kept: &BTreeSet<PortfolioId>,
) -> Vec<JobGroup> {
    let mut portfolios_of: BTreeMap<JobId, Vec<PortfolioId>> = BTreeMap::new();
    let mut jobs_of: BTreeMap<PortfolioId, Vec<JobId>> = BTreeMap::new();
    for (job, portfolio) in lanes {
        portfolios_of.entry(*job).or_default().push(*portfolio);
        jobs_of.entry(*portfolio).or_default().push(*job);
    }
    let (mut seen, mut groups) = (BTreeSet::new(), Vec::new());
    for first in ended {
        if seen.contains(first) {
            continue;
        }
        let (mut group, mut goes, mut due) = (JobGroup::default(), true, vec![*first]);
        while let Some(job) = due.pop() {
            if !seen.insert(job) {
                continue;
            }
            goes &= ended.contains(&job);
            group.jobs.insert(job);
            for portfolio in portfolios_of.get(&job).into_iter().flatten() {
                if group.portfolios.insert(*portfolio) {
                    goes &= !kept.contains(portfolio);
                    due.extend(jobs_of.get(portfolio).into_iter().flatten());
                }
            }
        }
        if goes {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn job(number: u128) -> JobId {
        JobId(Uuid::from_u128(number))
    }

    fn portfolio(number: u128) -> PortfolioId {
        PortfolioId(Uuid::from_u128(100 + number))
    }

    /// The numbers of the jobs of each group.
    fn going(ended: &[u128], lanes: &[(u128, u128)], kept: &[u128]) -> Vec<Vec<u128>> {
        let lanes: Vec<_> = lanes.iter().map(|(of, holds)| (job(*of), portfolio(*holds))).collect();
        let ended = ended.iter().copied().map(job).collect();
        let kept = kept.iter().copied().map(portfolio).collect();
        let groups = groups(&ended, &lanes, &kept);
        groups.iter().map(|group| group.jobs.iter().map(|job| job.0.as_u128()).collect()).collect()
    }

    #[test]
    fn a_job_that_ran_no_day_goes_alone() {
        assert_eq!(going(&[1, 2], &[], &[]), [vec![1], vec![2]]);
    }

    #[test]
    fn jobs_go_with_the_portfolios_that_they_share() {
        let lanes = [(1, 1), (1, 2), (2, 2), (3, 3)];

        assert_eq!(going(&[1, 2, 3], &lanes, &[]), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn one_job_that_stays_keeps_all_that_hang_together_with_it() {
        let lanes = [(1, 1), (2, 1), (2, 2), (3, 2), (4, 4)];

        assert_eq!(going(&[1, 2, 4], &lanes, &[]), [vec![4]], "3 is of yesterday");
    }

    #[test]
    fn a_portfolio_that_is_kept_keeps_its_jobs() {
        assert_eq!(going(&[1, 2], &[(1, 1), (2, 2)], &[2]), [vec![1]]);
    }

    #[test]
    fn a_group_has_all_portfolios_of_its_jobs() {
        let lanes = [(job(1), portfolio(1)), (job(1), portfolio(2)), (job(2), portfolio(2))];

        let groups = groups(&BTreeSet::from([job(1), job(2)]), &lanes, &BTreeSet::new());

        assert_eq!(groups[0].portfolios, BTreeSet::from([portfolio(1), portfolio(2)]));
    }
}
