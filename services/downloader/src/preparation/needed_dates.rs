//! Which sessions of a job need prices: those that at least one of its portfolios has not completed.

use std::collections::{BTreeSet, HashSet};

use chrono::NaiveDate;
use domain::job::{Job, Model};
use domain::market::calendar::{Calendar, weekdays};

/// The dates for which a job needs prices, and those on which the exchange is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NeededDates {
    /// Sessions that at least one portfolio has not completed.
    pub(super) sessions: BTreeSet<NaiveDate>,
    /// Weekdays without a session, with the closure's name, oldest first.
    pub(super) closed: Vec<(NaiveDate, String)>,
}

impl NeededDates {
    /// The dates of `job`; `completed` are the days (model, trial, date) that portfolios have completed.
    pub(super) fn of(job: &Job, calendar: &Calendar, completed: &[(String, u32, NaiveDate)]) -> Self {
        let first = job.first_date();
        let again = job.options.replace_existing || job.options.reprocess_stale;
        let done: HashSet<(&str, u32, NaiveDate)> =
            completed.iter().map(|(model, trial, date)| (model.as_str(), *trial, *date)).collect();
        let is_needed = |date: &NaiveDate| {
            job.models.iter().any(|model| {
                let open = |trial: u32| !done.contains(&(model.signature.as_str(), trial, *date));
                model.requested_trials().any(|trial| model.requests(trial, *date) && (again || open(trial)))
            })
        };
        let is_requested = |date: &NaiveDate| {
            let by = |model: &Model| model.requested_trials().any(|trial| model.requests(trial, *date));
            job.models.iter().any(by)
        };
        let closed = |date: NaiveDate| {
            let name = calendar.closure_name(date).unwrap_or("no session");
            (!calendar.is_session(date)).then(|| (date, name.to_owned()))
        };
        Self {
            sessions: calendar.sessions(first, job.end).into_iter().filter(is_needed).collect(),
            closed: weekdays(first, job.end).into_iter().filter(is_requested).filter_map(closed).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{date, dates, job};

    fn done(model: &str, trial: u32, day: &str) -> (String, u32, NaiveDate) {
        (model.to_owned(), trial, date(day))
    }

    #[test]
    fn a_holiday_is_closed_and_never_needed() {
        let job_dates = NeededDates::of(&job("2025-11-26", "2025-11-28"), &Calendar::nyse(), &[]);

        assert_eq!(job_dates.sessions, dates(&["2025-11-26", "2025-11-28"]));
        assert_eq!(job_dates.closed, [(date("2025-11-27"), "Thanksgiving".to_owned())]);
    }

    #[test]
    fn a_date_is_needed_until_every_portfolio_has_completed_it() {
        let mut job = job("2025-10-01", "2025-10-02");
        job.models[0].trials = 2;
        let first = [done("m", 0, "2025-10-01")];
        let both = [done("m", 0, "2025-10-01"), done("m", 1, "2025-10-01")];

        let needed = |completed| NeededDates::of(&job, &Calendar::nyse(), completed).sessions;

        assert_eq!(needed(&first), dates(&["2025-10-01", "2025-10-02"]));
        assert_eq!(needed(&both), dates(&["2025-10-02"]));
    }

    #[test]
    fn completed_dates_are_needed_when_they_are_replaced() {
        let mut job = job("2025-10-01", "2025-10-01");
        job.options.replace_existing = true;

        let job_dates = NeededDates::of(&job, &Calendar::nyse(), &[done("m", 0, "2025-10-01")]);

        assert_eq!(job_dates.sessions, dates(&["2025-10-01"]));
    }

    #[test]
    fn a_model_needs_nothing_before_its_own_start() {
        let mut job = job("2025-10-01", "2025-10-03");
        job.models[0].start = date("2025-10-03");

        assert_eq!(NeededDates::of(&job, &Calendar::nyse(), &[]).sessions, dates(&["2025-10-03"]));
    }
}
