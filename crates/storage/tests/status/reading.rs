//! Reading the read model: winners, pages, and who may write what.

use domain::events::event::Event;
use domain::events::job_view::days::DayState;
use domain::job::JobState;
use domain::simulation::model_day::DayRef;
use storage::Owner;
use storage::status::{
    DayFilter, JobDays, JobFilter, Portfolio, Span, WinnerKey, day_bodies, day_rows, days_of_job, job_views,
    portfolios, winners,
};

use crate::sample::{accept, completed, date, job, job_id, life, projected, sent_events};
use test_support::TestDatabase;

#[tokio::test]
async fn of_two_revisions_the_higher_wins_and_a_job_keeps_its_own() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    let base = Some(DayRef { date: date("2025-10-01"), revision: 1 });
    let days = [
        completed(job_id(1), "m", "2025-10-01", 1, None),
        completed(job_id(1), "m", "2025-10-02", 1, base),
        completed(job_id(2), "m", "2025-10-02", 2, base),
    ];
    for number in 1..=2 {
        accept(&database, job_id(number), "{}").await;
    }
    let sent = sent_events(days.map(|day| Event::ModelDayCompleted(Box::new(day))));
    projected(&pool, &sent).await.unwrap();

    let found = portfolios(&pool, "default", None).await.unwrap();
    let all = winners(&pool, "default", &found, Span::default()).await.unwrap();
    let later = Span { from: Some(date("2025-10-02")), to: Some(date("2025-10-02")) };
    let with_the_one_before = winners(&pool, "default", &found, later).await.unwrap();
    let of_one = days_of_job(&pool, job_id(1), &JobDays::default()).await.unwrap();
    let none = portfolios(&pool, "default", Some(&["x".to_owned()])).await.unwrap();

    let brief = |rows: &[storage::status::WinnerRow]| {
        rows.iter().map(|row| (row.key.day.date, row.key.day.revision, row.job)).collect::<Vec<_>>()
    };
    assert_eq!(brief(&all), [(date("2025-10-01"), 1, job_id(1)), (date("2025-10-02"), 2, job_id(2))]);
    assert_eq!(brief(&of_one), [(date("2025-10-01"), 1, job_id(1)), (date("2025-10-02"), 1, job_id(1))]);
    assert_eq!(with_the_one_before, all);
    assert_eq!(none, []);
    assert_eq!(found, [Portfolio { model: "m".to_owned(), trial: 0, stale_from: None }]);
    assert_eq!(all[1].figures.base, base);
    assert_eq!(all[1].figures.value_at_close.to_string(), "10000.7");

    let key = WinnerKey { day: DayRef { date: date("2025-10-02"), revision: 1 }, ..all[1].key.clone() };
    let missing = WinnerKey { model: "x".to_owned(), ..key.clone() };
    let bodies = day_bodies(&pool, &[missing, key.clone()]).await.unwrap();
    assert_eq!(bodies.into_iter().collect::<Vec<_>>(), [(key, sent[1].body.clone())]);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_those_not_projected_among_them() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    accept(&database, job_id(1), "{}").await;
    accept(&database, job_id(2), r#"{"job": {"models": [{"signature": "b"}]}}"#).await;
    accept(&database, job_id(3), r#"{"job": {"models": [{"signature": "c"}]}}"#).await;
    projected(&pool, &sent_events(life(job_id(1)))).await.unwrap();
    let list = async |filter: JobFilter<'_>, limit| {
        let jobs = job_views(&pool, &filter, limit).await.unwrap();
        jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let all = JobFilter::default();

    assert_eq!(list(all, 10).await, [job_id(3), job_id(2), job_id(1)]);
    assert_eq!(list(all, 1).await, [job_id(3)]);
    assert_eq!(list(JobFilter { before: Some(job_id(3)), ..all }, 1).await, [job_id(2)]);
    assert_eq!(list(JobFilter { model: Some("b"), ..all }, 10).await, [job_id(2), job_id(1)]);
    assert_eq!(list(JobFilter { state: Some(JobState::Partial), ..all }, 10).await, [job_id(1)]);
    assert_eq!(list(JobFilter { state: Some(JobState::Pending), ..all }, 10).await, [job_id(3), job_id(2)]);
}

#[tokio::test]
async fn model_days_are_paged_by_date_then_model() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    accept(&database, job_id(1), "{}").await;
    projected(&pool, &sent_events(life(job_id(1)))).await.unwrap();
    let rows = async |filter: DayFilter<'_>, limit| day_rows(&pool, job_id(1), &filter, limit).await.unwrap();
    let request = job(job_id(1), &["a", "b"], "2025-10-16");
    let days: Vec<_> = domain::events::job_view::JobRequest::from(&request).model_days(None, None).collect();

    let all = rows(DayFilter::default(), 100).await;
    let part =
        rows(DayFilter { after: Some(&days[2]), until: Some(&days[20]), ..DayFilter::default() }, 10).await;
    let failed =
        rows(DayFilter { model: Some("b"), state: Some(DayState::Failed), ..DayFilter::default() }, 100)
            .await;

    assert_eq!(all.iter().map(|row| row.day.clone()).collect::<Vec<_>>(), days);
    assert_eq!(part, all[3..13]);
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|row| row.detail.as_deref() == Some("boom") && row.day.model == "b"));
}

#[tokio::test]
async fn the_status_role_writes_its_own_schema_only() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    let foreign = [
        "INSERT INTO execution.portfolios (id, experiment, model, trial) VALUES (gen_random_uuid(), 'e', 'm', 0)",
        "UPDATE execution.model_days SET detail = 'x'",
        "DELETE FROM execution.outbox",
        "UPDATE trigger.jobs SET ended_at = now()",
        "DELETE FROM market.bars",
        "CREATE TABLE status.more (id int)",
        "TRUNCATE status.events",
    ];

    for statement in foreign {
        let refused = sqlx::query(statement).execute(&pool).await.unwrap_err();

        let code =
            refused.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        assert_eq!(code, "42501", "{statement}: {refused}");
    }
}
