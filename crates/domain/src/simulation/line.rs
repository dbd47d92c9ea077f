//! The line of a queue: how many turns of each job stand in it while more lanes are ready than have a place.

use crate::job::Priority;
use crate::values::ids::JobId;

/// A job with turns in line, or with lanes that wait for a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobInLine {
    /// The job.
    pub job: JobId,
    /// How important it is.
    pub priority: Priority,
    /// Whether it has more lanes than the line has places. Only such a job makes room for others.
    pub is_paced: bool,
    /// Turns that stand in line.
    pub standing: u32,
    /// Lanes whose turn waits for a place, at most as many as the line has places.
    pub parked: u32,
}

/// What changes about a job's turns in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The job.
    pub job: JobId,
    /// Parked lanes that get a place.
    pub fed: u32,
    /// Turns that do not come back into line once they have been run.
    pub leaving: u32,
}

/// Divides the `places` of a line among jobs, which are given in the order in which they were planned. Those of a higher
/// priority get what they can use before those of a lower one; within a priority each gets the same, and what one cannot use
/// goes to the others.
///
/// A job gets its share at once, also while others still have more than theirs: for that long the line is longer.
pub fn shares(places: u32, jobs: &[JobInLine]) -> Vec<Share> {
    let mut left = places;
    let mut shares = Vec::with_capacity(jobs.len());
    for priority in Priority::ALL.into_iter().rev() {
        let mut equals: Vec<&JobInLine> = jobs.iter().filter(|job| job.priority == priority).collect();
        // Who can use least comes first, so that the others get what is left of its part. What cannot be divided goes to
        // the last ones, among equals to the jobs that were planned first.
        equals.reverse();
        equals.sort_by_key(|job| job.standing.saturating_add(job.parked));
        let mut others = u32::try_from(equals.len()).unwrap_or(u32::MAX);
        for job in equals {
            let part = (left / others.max(1)).min(job.standing.saturating_add(job.parked));
            (left, others) = (left - part, others - 1);
            let leaves = job.is_paced && jobs.len() > 1;
            shares.push(Share {
                job: job.job,
                fed: part.saturating_sub(job.standing),
                leaving: if leaves { job.standing.saturating_sub(part) } else { 0 },
            });
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn job(number: u128, priority: Priority, standing: u32, parked: u32) -> JobInLine {
        JobInLine { job: JobId(Uuid::from_u128(number)), priority, is_paced: parked > 9, standing, parked }
    }

    /// Checks (fed, leaving) of each job, in the order of the jobs.
    fn check(places: u32, jobs: &[JobInLine], expected: &[(u32, u32)]) {
        let shares = shares(places, jobs);

        let of = |job: &JobInLine| shares.iter().find(|share| share.job == job.job);
        let found: Vec<_> = jobs.iter().filter_map(of).map(|share| (share.fed, share.leaving)).collect();
        assert_eq!(found, expected, "{jobs:?}");
    }

    const NORMAL: Priority = Priority::Normal;

    #[test]
    fn a_job_alone_has_the_whole_line_and_never_leaves_it() {
        check(10, &[job(1, NORMAL, 0, 10)], &[(10, 0)]);
        check(10, &[job(1, NORMAL, 4, 10)], &[(6, 0)]);
        check(10, &[job(1, NORMAL, 14, 10)], &[(0, 0)]);
        check(10, &[job(1, NORMAL, 0, 3)], &[(3, 0)]);
    }

    #[test]
    fn jobs_share_a_line_equally_and_use_what_others_cannot() {
        check(10, &[job(1, NORMAL, 10, 10), job(2, NORMAL, 0, 10)], &[(0, 5), (5, 0)]);
        check(10, &[job(1, NORMAL, 10, 10), job(2, NORMAL, 0, 2)], &[(0, 2), (2, 0)]);
        check(
            10,
            &[job(1, NORMAL, 3, 10), job(2, NORMAL, 0, 2), job(3, NORMAL, 4, 9)],
            &[(1, 0), (2, 0), (0, 0)],
        );
    }

    #[test]
    fn of_more_jobs_than_places_those_that_were_planned_first_have_one() {
        let jobs: Vec<_> = (1..=4).map(|number| job(number, NORMAL, 0, 5)).collect();

        check(2, &jobs, &[(1, 0), (1, 0), (0, 0), (0, 0)]);
    }

    #[test]
    fn a_higher_priority_gets_all_that_it_can_use_first() {
        check(
            10,
            &[job(1, Priority::Low, 10, 10), job(2, Priority::High, 0, 8), job(3, NORMAL, 0, 10)],
            &[(0, 10), (8, 0), (2, 0)],
        );
        check(10, &[job(1, Priority::Low, 0, 10), job(2, Priority::High, 0, 10)], &[(0, 0), (10, 0)]);
    }

    #[test]
    fn a_job_that_fits_into_the_line_makes_no_room() {
        let small = JobInLine { is_paced: false, ..job(1, Priority::Low, 6, 0) };

        check(10, &[small, job(2, Priority::High, 0, 10)], &[(0, 0), (10, 0)]);
    }
}
