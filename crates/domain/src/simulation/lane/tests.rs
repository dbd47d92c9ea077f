//! Which dates run, and which are stale.

use proptest::prelude::*;
use proptest::sample::subsequence;
use rust_decimal::Decimal;

use super::*;
use crate::accounting::costs::Costs;
use crate::job::{ModelKind, Options};
use crate::market::calendar::weekdays;
use crate::market::instruments::Universe;
use crate::simulation::model_day::Winner;
use crate::simulation::staleness::stale_dates;
use crate::strategy::policy::Policy;
use crate::values::ids::JobId;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(date: &str, revision: u32) -> Option<DayRef> {
    Some(DayRef { date: day(date), revision })
}

#[test]
fn a_day_whose_prices_were_replaced_is_stale_with_those_after_it_and_is_run_again() {
    let winner = |base, repriced| Winner { revision: 1, base, config_hash: "h".to_owned(), repriced };
    let winners: Winners = [
        (day("2025-10-01"), winner(None, false)),
        (day("2025-10-02"), winner(at("2025-10-01", 1), true)),
        (day("2025-10-03"), winner(at("2025-10-02", 1), false)),
    ]
    .into();
    let job = october(Options { reprocess_stale: true, ..Options::default() });

    assert_eq!(stale_dates(&winners), [day("2025-10-02"), day("2025-10-03")]);
    assert_eq!(day_action(&job, day("2025-10-01"), &winners), DayAction::Keep);
    let again = DayAction::Run { base: at("2025-10-01", 1), revision: 2 };
    assert_eq!(day_action(&job, day("2025-10-02"), &winners), again);
}

fn any_dates() -> impl Strategy<Value = BTreeSet<NaiveDate>> {
    let weekdays = weekdays(day("2025-10-01"), day("2025-10-31"));
    let count = weekdays.len();
    subsequence(weekdays, 0..=count).prop_map(|dates| dates.into_iter().collect())
}

fn any_options() -> impl Strategy<Value = Options> {
    (any::<bool>(), any::<bool>()).prop_map(|(replace_existing, reprocess_stale)| Options {
        replace_existing,
        reprocess_stale,
        ..Options::default()
    })
}

fn october(options: Options) -> Job {
    Job {
        id: JobId("01890000-0000-7000-8000-000000000001".parse().unwrap()),
        experiment: "default".to_owned(),
        models: vec![Model {
            signature: "m".to_owned(),
            config_hash: "h".to_owned(),
            initial_cash: Decimal::from(10_000),
            trials: 1,
            start: day("2025-10-01"),
            requested_dates: None,
            costs: Costs::NONE,
            training_cutoff: None,
            kind: ModelKind::Policy(Policy::Cash),
        }],
        universe: Universe { name: "none".to_owned(), symbols: Vec::new(), benchmark: None },
        start: day("2025-10-01"),
        end: day("2025-10-31"),
        options,
        accepted_at: chrono::DateTime::UNIX_EPOCH,
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

fn won(dates: &BTreeSet<NaiveDate>) -> Winners {
    let winner = || Winner { revision: 1, base: None, config_hash: "h".to_owned(), repriced: false };
    dates.iter().map(|date| (*date, winner())).collect()
}

proptest! {
    #[test]
    fn a_lane_that_was_cancelled_before_its_plan_runs_nothing_and_gives_each_date_its_first_reason(
        closed in any_dates(),
        incomplete in any_dates(),
        completed in any_dates(),
        options in any_options(),
    ) {
        let job = october(options);
        let all = weekdays(job.start, job.end);
        let runnable = all.iter().copied().filter(|date| !incomplete.contains(date)).collect();
        let winners = won(&completed);

        let cancelled = cancelled_lane(&job, &job.models[0], 0, &closed, &incomplete, &winners);

        prop_assert!(cancelled.dates.is_empty());
        prop_assert_eq!(cancelled.skipped.iter().map(|skipped| skipped.date).collect::<Vec<_>>(), all);
        let planned = plan_lane(&job, &job.models[0], 0, &closed, &runnable, &winners);
        let (would_run, others): (Vec<SkippedDate>, Vec<SkippedDate>) =
            cancelled.skipped.into_iter().partition(|skipped| skipped.reason == SkipReason::Cancelled);
        prop_assert_eq!(would_run.into_iter().map(|skipped| skipped.date).collect::<Vec<_>>(), planned.dates);
        prop_assert_eq!(others, planned.skipped);
    }
}

/// Runs a job over a portfolio as its lane does; dates of `failing` fail.
fn run(job: &Job, failing: &BTreeSet<NaiveDate>, winners: &mut Winners) {
    let weekdays = weekdays(job.start, job.end).into_iter().collect();
    for date in plan_lane(job, &job.models[0], 0, &BTreeSet::new(), &weekdays, winners).dates {
        match day_action(job, date, winners) {
            DayAction::Run { base, revision } if !failing.contains(&date) => {
                winners.insert(date, Winner { revision, base, config_hash: "h".to_owned(), repriced: false });
            }
            DayAction::Run { .. } | DayAction::Keep => {}
        }
    }
}

fn any_job() -> impl Strategy<Value = (Job, BTreeSet<NaiveDate>)> {
    let all = weekdays(day("2025-10-01"), day("2025-10-31"));
    let range =
        (0..all.len(), 0..all.len()).prop_map(move |(one, other)| (all[one.min(other)], all[one.max(other)]));
    (range, any_options(), any_dates(), proptest::option::of(any_dates())).prop_map(
        |((start, end), options, failing, only)| {
            let mut job = Job { start, end, ..october(options) };
            job.models[0].start = start;
            job.models[0].requested_dates =
                only.map(|dates| dates.into_iter().map(|date| (0, date)).collect());
            (job, failing)
        },
    )
}

proptest! {
    #[test]
    fn whatever_was_run_replaced_or_retried_a_day_that_is_not_stale_continues_from_the_one_before_it(
        jobs in proptest::collection::vec(any_job(), 0..6),
    ) {
        let mut winners = Winners::new();
        for (job, failing) in &jobs {
            run(job, failing, &mut winners);
        }

        let stale_days = stale_dates(&winners);
        let mut before = None;
        for (date, winner) in &winners {
            prop_assert!(winner.base == before || stale_days.contains(date), "{date} is a gap that is not reported as stale");
            before = Some(DayRef { date: *date, revision: winner.revision });
        }
        let repair = october(Options { reprocess_stale: true, ..Options::default() });
        let kept: Vec<_> = winners.iter().map(|(date, winner)| (*date, winner.revision)).collect();
        let failing_where_nothing_is = weekdays(repair.start, repair.end)
            .into_iter()
            .filter(|date| !winners.contains_key(date))
            .collect();
        run(&repair, &failing_where_nothing_is, &mut winners);

        prop_assert_eq!(stale_dates(&winners), Vec::<NaiveDate>::new(), "a repair leaves nothing stale");
        for (date, revision) in kept {
            let again = u32::from(stale_days.contains(&date));
            prop_assert_eq!(winners[&date].revision, revision + again, "exactly the stale days were run again");
        }
    }
}
