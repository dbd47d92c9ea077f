//! What the retry of a job requests.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::accounting::costs::Costs;
use crate::job::{ModelKind, OnFailure, Options};
use crate::market::calendar::weekdays;
use crate::market::instruments::Universe;
use crate::simulation::lane::plan_lane;
use crate::simulation::model_day::Winners;
use crate::strategy::policy::Policy;

const TRIALS: u32 = 3;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn model(signature: &str) -> Model {
    Model {
        signature: signature.to_owned(),
        config_hash: format!("hash of {signature}"),
        initial_cash: Decimal::from(10_000),
        trials: TRIALS,
        start: date("2025-10-01"),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    }
}

fn job() -> Job {
    Job {
        id: JobId(Uuid::from_u128(1)),
        experiment: "an experiment".to_owned(),
        models: vec![model("a"), model("b"), model("c")],
        universe: Universe { name: "none".to_owned(), symbols: Vec::new(), benchmark: None },
        start: date("2025-10-01"),
        end: date("2025-10-31"),
        options: Options { on_failure: OnFailure::Stop, replace_existing: true, ..Options::default() },
        accepted_at: DateTime::UNIX_EPOCH,
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

fn retried(job: &Job, failed: &[FailedModelDay]) -> Option<Job> {
    retry(job, failed, JobId(Uuid::from_u128(2)), DateTime::UNIX_EPOCH)
}

fn failed_day(model: &str, trial: u32, day: &str) -> FailedModelDay {
    FailedModelDay { model: model.to_owned(), trial, date: date(day) }
}

/// The model-days that the lanes of a job run when all prices are there.
fn run(job: &Job) -> BTreeSet<FailedModelDay> {
    let weekdays = weekdays(job.start, job.end).into_iter().collect();
    let mut days = BTreeSet::new();
    for model in &job.models {
        for trial in model.requested_trials() {
            let plan = plan_lane(job, model, trial, &BTreeSet::new(), &weekdays, &Winners::new());
            assert_eq!(plan.skipped, [], "nothing else is so much as mentioned");
            let pair = |date| FailedModelDay { model: model.signature.clone(), trial, date };
            days.extend(plan.dates.into_iter().map(pair));
        }
    }
    days
}

fn any_failed() -> impl Strategy<Value = BTreeSet<FailedModelDay>> {
    let days = weekdays(date("2025-10-01"), date("2025-10-31"));
    let pair = (prop_oneof![Just("a"), Just("b"), Just("c")], 0..TRIALS, prop::sample::select(days));
    let pair = pair.prop_map(|(model, trial, date)| FailedModelDay { model: model.to_owned(), trial, date });
    prop::collection::btree_set(pair, 1..12)
}

proptest! {
    #[test]
    fn exactly_the_failed_model_days_are_run_again(failed in any_failed()) {
        let days: Vec<FailedModelDay> = failed.iter().cloned().collect();

        let again = retried(&job(), &days).unwrap();

        prop_assert_eq!(&run(&again), &failed);
        prop_assert_eq!(again.total_model_days(), days.len());
        prop_assert_eq!(again.start, days.iter().map(|day| day.date).min().unwrap());
        prop_assert_eq!(again.end, days.iter().map(|day| day.date).max().unwrap());
        let request = crate::events::job_view::JobRequest::from(&again);
        prop_assert_eq!(request.total_model_days() as usize, days.len());
        let requested: BTreeSet<FailedModelDay> = request
            .model_days(None, None)
            .map(|day| FailedModelDay { model: day.model, trial: day.trial, date: day.date })
            .collect();
        prop_assert_eq!(requested, failed);
        // A retry that fails in the same way requests the same again.
        let failed_again: Vec<FailedModelDay> = run(&again).into_iter().collect();
        prop_assert_eq!(run(&retried(&again, &failed_again).unwrap()), run(&again));
    }
}

#[test]
fn models_keep_their_configuration_and_the_job_its_options() {
    let original = job();

    let again = retried(&original, &[failed_day("b", 1, "2025-10-07")]).unwrap();

    assert_eq!(again.retry_of, Some(original.id));
    assert_eq!((&again.experiment, again.options), (&original.experiment, original.options));
    assert_eq!(again.models.len(), 1, "the others did not fail");
    let model = &again.models[0];
    let as_it_was = Model { start: original.models[1].start, requested_dates: None, ..model.clone() };
    assert_eq!(as_it_was, original.models[1]);
    assert_eq!(model.dates(1, again.end), [date("2025-10-07")]);
    assert_eq!(model.requested_trials().collect::<Vec<_>>(), [1]);
}

#[test]
fn nothing_that_failed_is_nothing_to_run() {
    assert_eq!(retried(&job(), &[]), None);
    let elsewhere = [
        failed_day("d", 0, "2025-10-07"),
        failed_day("a", TRIALS, "2025-10-07"),
        failed_day("a", 0, "2026-01-05"),
    ];
    assert_eq!(retried(&job(), &elsewhere), None, "what was not in the job is not retried");
}
