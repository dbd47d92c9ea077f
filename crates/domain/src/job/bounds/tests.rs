//! A job at each bound is allowed, and the next larger one is not.

use chrono::{DateTime, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::accounting::costs::Costs;
use crate::agent::{AgentSettings, Dialect};
use crate::job::Options;
use crate::market::instruments::Universe;
use crate::strategy::policy::Policy;
use crate::values::ids::JobId;

fn model(number: usize, trials: u32) -> Model {
    Model {
        signature: format!("model-{number}"),
        config_hash: "hash".to_owned(),
        initial_cash: Decimal::from(10_000),
        trials,
        start: start(),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    }
}

fn start() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 3).unwrap()
}

fn job(models: usize, trials: u32, days: i64) -> Job {
    Job {
        id: JobId(Uuid::from_u128(1)),
        experiment: "default".to_owned(),
        models: (0..models).map(|number| model(number, trials)).collect(),
        universe: Universe { name: "none".to_owned(), symbols: Vec::new(), benchmark: None },
        start: start(),
        end: start() + TimeDelta::days(days - 1),
        options: Options::default(),
        accepted_at: DateTime::UNIX_EPOCH,
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

fn verdict(models: usize, trials: u32, days: i64) -> Result<(), (&'static str, u64)> {
    check_job(&job(models, trials, days)).map_err(|bound| (bound.field, bound.found))
}

#[test]
fn a_job_may_be_as_large_as_each_bound_and_no_larger() {
    assert_eq!(verdict(1_000, 1, 1), Ok(()));
    assert_eq!(verdict(1_001, 1, 1), Err(("models", 1_001)));
    assert_eq!(verdict(1, 1_000, 1), Ok(()));
    assert_eq!(verdict(1, 1_001, 1), Err(("models.trials", 1_001)));
    assert_eq!(verdict(1, u32::MAX, 1), Err(("models.trials", u32::MAX.into())));
    assert_eq!(verdict(1, 1, 10_000), Ok(()));
    assert_eq!(verdict(1, 1, 10_001), Err(("dates", 10_001)));
    assert_eq!(verdict(100, 1_000, 1), Ok(()));
    assert_eq!(verdict(101, 1_000, 1), Err(("lanes", 101_000)));
    // Ten weeks have fifty weekdays.
    assert_eq!(verdict(1_000, 200, 70), Err(("lanes", 200_000)));
    assert_eq!(verdict(100, 1_000, 140), Ok(()), "10,000,000 model-days");
    assert_eq!(verdict(100, 1_000, 141), Err(("model-days", 10_100_000)));
}

#[test]
fn texts_and_lists_have_bounds_too() {
    let with = |change: fn(&mut Job)| {
        let mut job = job(1, 1, 1);
        change(&mut job);
        check_job(&job).map_err(|bound| bound.field)
    };

    assert_eq!(with(|job| job.experiment = "x".repeat(101)), Err("experiment"));
    assert_eq!(with(|job| job.models[0].signature = "x".repeat(101)), Err("models.signature"));
    assert_eq!(with(|job| job.models[0].start = NaiveDate::MIN), Err("dates"));
    assert_eq!(
        with(|job| job.universe.symbols = vec!["A".parse().unwrap(); 10_001]),
        Err("universe.symbols")
    );
}

#[test]
fn an_agent_has_limits_of_its_limits() {
    let agent = |change: fn(&mut AgentModel)| {
        let mut agent = AgentModel {
            dialect: Dialect::ChatCompletions,
            url: "https://api.example".to_owned(),
            key_variable: None,
            settings: AgentSettings {
                basemodel: "m".to_owned(),
                limits: Default::default(),
                sampling: Default::default(),
                prompt: Default::default(),
                search: false,
                prices: None,
                cost_basis: Default::default(),
            },
            concurrency: 1,
            tokens_per_minute: None,
            timeout_seconds: 300,
        };
        change(&mut agent);
        check_agent(&agent).map_err(|bound| bound.to_string())
    };

    assert_eq!(agent(|_| {}), Ok(()));
    assert_eq!(
        agent(|agent| agent.timeout_seconds = 301),
        Err("301 is more than the 300 that are allowed".to_owned())
    );
    assert!(agent(|agent| agent.settings.limits.max_answer_bytes = u64::MAX).is_err());
    assert!(agent(|agent| agent.settings.limits.max_steps = 10_001).is_err());
    assert!(agent(|agent| agent.url = "x".repeat(2_001)).is_err());
}
