//! Jobs that want the same portfolios at once.

use std::collections::BTreeSet;

use domain::job::JobOutcome;
use domain::job::warning::{Warning, code};
use domain::simulation::model_day::SkipReason;

use crate::scene::{assert_chain, completed, completed_by, ends, job, ready, sessions, skipped};
use crate::stage::{Running, Stage, message};

#[tokio::test]
async fn two_jobs_at_once_run_every_model_day_once() {
    let stage = Stage::new().await;
    let executors = [Running::start(stage.day_by_day()).await, Running::start(stage.config()).await];
    let models = ["equal", "momentum", "random"];
    let (first, second) =
        (job(&models, "2025-09-02", "2025-10-31"), job(&models, "2025-09-02", "2025-10-31"));

    stage.vhost.publish(&[message(&ready(&first)), message(&ready(&second))]).await;
    let (of_first, end_of_first) = stage.end_of(first.id).await;
    let (of_second, end_of_second) = stage.end_of(second.id).await;
    for executor in executors {
        executor.stop().await;
    }

    let days = sessions("2025-09-02", "2025-10-31").len();
    let all: Vec<_> = completed(&of_first).into_iter().chain(completed(&of_second)).collect();
    let distinct: BTreeSet<_> = all.iter().map(|day| (day.key.model.clone(), day.key.date)).collect();
    assert_eq!((all.len(), distinct.len()), (3 * days, 3 * days), "every model-day once");
    assert!(all.iter().all(|day| day.revision == 1));
    for model in models {
        let mut chain = completed_by(&of_first, model);
        chain.extend(completed_by(&of_second, model));
        chain.sort_by_key(|day| day.key.date);
        assert_chain(&chain);
    }
    let already_completed = |events: &[_]| {
        let skipped = skipped(events).into_iter();
        skipped.filter(|skipped| skipped.reason == SkipReason::AlreadyCompleted).count()
    };
    assert_eq!(
        already_completed(&of_first) + already_completed(&of_second),
        3 * days,
        "each day is skipped by the job that came later"
    );
    for end in [end_of_first, end_of_second] {
        assert_eq!(end.outcome, JobOutcome::Completed);
        assert_eq!((end.tally.days() as usize, end.tally.failed), (3 * days, 0));
    }
    stage.assert_tidy().await;
}

#[tokio::test]
async fn days_that_another_job_completes_meanwhile_under_another_configuration_are_warned_of() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let first = job(&["equal", "random"], "2025-09-02", "2025-10-31");
    let mut second = job(&["equal", "random"], "2025-09-02", "2025-10-31");
    second.models[0].config_hash = "another".to_owned();

    stage.vhost.publish(&[message(&ready(&first)), message(&ready(&second))]).await;
    let ends = [stage.end_of(first.id).await.1, stage.end_of(second.id).await.1];
    executor.stop().await;

    for end in ends {
        let days = usize::try_from(end.tally.already_completed).unwrap() / 2;
        let changed = end.warnings.iter().find(|warning| warning.code == code::CONFIG_CHANGED);
        let expected = (days > 0).then(|| Warning::config_changed("equal", days));
        assert_eq!(changed, expected.as_ref(), "{:?}", end.warnings);
    }
}

#[tokio::test]
async fn a_job_sees_the_prices_that_came_after_a_job_before_it_had_read_the_same_ones() {
    let stage = Stage::new().await;
    stage.database.execute("DELETE FROM market.bars WHERE trading_date > '2025-09-05'").await;
    let executor = Running::start(stage.config()).await;
    let mut before = job(&["hold"], "2025-09-02", "2025-09-05");
    before.experiment = "before".to_owned();
    let after = job(&["hold"], "2025-09-08", "2025-09-10");

    stage.vhost.publish(&[message(&ready(&before))]).await;
    stage.end_of(before.id).await;
    stage.store_prices().await;
    stage.vhost.publish(&[message(&ready(&after))]).await;
    let (events, end) = stage.end_of(after.id).await;
    executor.stop().await;

    assert_eq!(end.outcome, JobOutcome::Completed);
    let days = completed(&events);
    assert_eq!(days.len(), 3);
    assert!(days[0].ending_position.quantity(&"BBB".parse().unwrap()) > 0, "{:?}", days[0]);
}

#[tokio::test]
async fn many_jobs_over_the_same_portfolios_all_end_once() {
    let stage = Stage::new().await;
    let executor = Running::start(stage.day_by_day()).await;
    let orders = [["equal", "hold", "cash"], ["cash", "equal", "hold"], ["hold", "cash", "equal"]];
    let jobs: Vec<_> = (0..12).map(|index| job(&orders[index % 3], "2025-10-01", "2025-10-10")).collect();

    let messages: Vec<_> = jobs.iter().map(|job| message(&ready(job))).collect();
    stage.vhost.publish(&messages).await;
    let mut ran = 0;
    for job in &jobs {
        let (_, end) = stage.end_of(job.id).await;
        assert_eq!(end.outcome, JobOutcome::Completed);
        ran += end.tally.completed;
    }
    executor.stop().await;

    assert_eq!(ran, 3 * 8);
    for job in &jobs {
        assert_eq!(ends(&stage.events(job.id).await).len(), 1);
    }
    stage.assert_tidy().await;
}
