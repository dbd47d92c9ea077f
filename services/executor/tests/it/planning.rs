//! From data that are ready to the end of the job.

use domain::events::event::{DataFailed, DataReady, Event};
use domain::job::warning::{Warning, code};
use domain::job::{JobOutcome, Tally};
use domain::simulation::model_day::SkipReason;

use crate::scene::{assert_chain, completed, completed_by, dates, day, ends, job, ready, sessions, skipped};
use crate::stage::{Running, Stage, message};

#[tokio::test]
async fn a_job_runs_to_its_end_and_each_day_continues_from_the_one_before() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let models = ["equal", "momentum", "random", "hold"];
    let job = job(&models, "2025-10-01", "2025-11-28");

    stage.announce(&ready(&job)).await;
    let (events, end) = stage.end_of(job.id).await;
    stage.until_sent().await;
    executor.stop().await;

    let expected = sessions("2025-10-01", "2025-11-28");
    for model in models {
        let days = completed_by(&events, model);
        assert_eq!(dates(&days), expected, "{model}");
        assert_chain(&days);
        assert!(days.iter().any(|day| !day.trades.is_empty()), "{model} never trades");
    }
    assert!(
        matches!(&events[0], Event::ModelDaysSkipped(_)),
        "Thanksgiving is reported first: {:?}",
        events[0]
    );
    let started = events.iter().find_map(|event| match event {
        Event::JobStarted(started) => Some((started.lanes, started.model_days)),
        _ => None,
    });
    assert_eq!(started, Some((4, 4 * 42)));
    assert_eq!((end.outcome, end.tally.completed, end.tally.failed), (JobOutcome::Completed, 4 * 42, 0));
    assert_eq!(end.tally.skipped, 4, "Thanksgiving");
    assert_eq!(end.error, None);
    assert!(matches!(events.last(), Some(Event::JobEnded(_))));
    stage.assert_tidy().await;
}

#[tokio::test]
async fn the_same_message_twice_plans_once() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let job = job(&["equal", "cash"], "2025-10-01", "2025-10-10");
    let (first, again) = (message(&ready(&job)), message(&ready(&job)));

    stage.vhost.publish(&[first.clone(), again.clone(), first.clone()]).await;
    stage.end_of(job.id).await;
    stage.vhost.publish(&[first, again]).await;
    let other = crate::scene::job(&["cash"], "2025-10-13", "2025-10-13");
    stage.announce(&ready(&other)).await;
    stage.end_of(other.id).await;
    executor.stop().await;

    let events = stage.events(job.id).await;
    assert_eq!(completed(&events).len(), 2 * 8);
    assert_eq!(ends(&events).len(), 1);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::JobStarted(_))).count(), 1);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_job_that_the_broker_forgot_is_planned_from_the_downloaders_outbox() {
    let stage = Stage::new().await;
    let job = job(&["equal"], "2025-10-01", "2025-10-10");
    stage.announce_to_a_forgetful_broker(&ready(&job)).await;

    let executor = Running::start(stage.config()).await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!((end.outcome, completed(&events).len()), (JobOutcome::Completed, 8));
}

#[tokio::test]
async fn a_job_without_data_fails_with_its_error_and_its_warnings() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let job = job(&["equal", "hold"], "2025-11-26", "2025-11-28");
    let Event::DataReady(all) = ready(&job) else { unreachable!() };
    let warning = Warning::rate_limited(0, 4);
    let failed = Event::DataFailed(DataFailed {
        job: job.clone(),
        error: "the provider says that the key is invalid".to_owned(),
        skipped: all.skipped,
        warnings: vec![warning.clone()],
    });

    stage.announce(&failed).await;
    let (events, end) = stage.end_of(job.id).await;
    executor.stop().await;

    assert_eq!(end.outcome, JobOutcome::Failed);
    assert_eq!(end.error.as_deref(), Some("the provider says that the key is invalid"));
    assert_eq!(end.warnings, [warning]);
    assert_eq!((end.tally.skipped, end.tally.incomplete), (6, 4));
    let reasons: Vec<SkipReason> = skipped(&events).into_iter().map(|skipped| skipped.reason).collect();
    let (closed, missing) = (SkipReason::MarketClosed, SkipReason::IncompletePriceData);
    assert_eq!(reasons, [missing, closed, missing, missing, closed, missing]);
    stage.assert_tidy().await;
}

#[tokio::test]
async fn a_job_whose_days_are_all_done_completes_without_running_one() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let (first, second) =
        (job(&["equal"], "2025-10-01", "2025-10-10"), job(&["equal"], "2025-10-02", "2025-10-09"));

    stage.announce(&ready(&first)).await;
    stage.end_of(first.id).await;
    stage.announce(&ready(&second)).await;
    let (events, end) = stage.end_of(second.id).await;
    executor.stop().await;

    assert_eq!(end.outcome, JobOutcome::Completed);
    assert_eq!((end.tally.completed, end.tally.already_completed), (0, 6));
    assert_eq!(
        end.warnings.iter().map(|warning| warning.code.as_str()).collect::<Vec<_>>(),
        [code::ALREADY_COMPLETED]
    );
    assert!(completed(&events).is_empty());
}

#[tokio::test]
async fn a_job_whose_models_are_up_to_date_completes_and_says_so() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.config()).await;
    let mut done = job(&["equal", "hold"], "2025-10-10", "2025-10-10");
    let mut partly = job(&["cash", "hold"], "2025-10-10", "2025-10-10");
    for model in done.models.iter_mut().chain(&mut partly.models[1..]) {
        model.start = day("2025-10-11");
    }
    // The downloader needs nothing for them.
    let nothing = DataReady { job: done.clone(), runnable: vec![], skipped: vec![], warnings: vec![] };

    stage.announce(&Event::DataReady(nothing)).await;
    stage.announce(&ready(&partly)).await;
    let (of_done, end_of_done) = stage.end_of(done.id).await;
    let (of_partly, end_of_partly) = stage.end_of(partly.id).await;
    executor.stop().await;

    assert_eq!((end_of_done.outcome, end_of_done.tally), (JobOutcome::Completed, Tally::default()));
    assert_eq!(end_of_done.error, None);
    assert_eq!(end_of_done.warnings, [Warning::up_to_date("equal"), Warning::up_to_date("hold")]);
    assert_eq!(end_of_done.warnings[0].code, code::ALREADY_COMPLETED);
    assert!(matches!(of_done[..], [Event::JobEnded(_)]), "{of_done:?}");
    assert_eq!(dates(&completed(&of_partly)), [day("2025-10-10")]);
    assert_eq!(end_of_partly.warnings, [Warning::up_to_date("hold")]);
    stage.assert_tidy().await;
}
