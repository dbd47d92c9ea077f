//! Projections: any order, any repetition, any number of projectors.

use storage::Owner;
use storage::status::{
    LoggedEvent, Upstream, job_view, missing_events, project, rebuild_all, refuses_content,
};

use crate::sample::{SentEvent, accept, dump, job_id, life, projected, sent_events, shuffled};
use test_support::TestDatabase;

const READ_MODEL: [&str; 3] = [
    "SELECT * FROM status.jobs ORDER BY id",
    "SELECT * FROM status.model_days ORDER BY job_id, trading_date, model, trial",
    "SELECT * FROM status.chains ORDER BY experiment, model, trial",
];

async fn read_model(database: &TestDatabase) -> Vec<String> {
    let mut dumps = Vec::new();
    for query in READ_MODEL {
        dumps.push(dump(database, query).await);
    }
    dumps
}

async fn accept_all(database: &TestDatabase) {
    for number in 1..=3 {
        accept(database, job_id(number), "{}").await;
    }
}

fn three_jobs() -> Vec<SentEvent> {
    sent_events((1..=3).flat_map(|number| life(job_id(number))))
}

async fn project_in_batches(pool: &storage::PgPool, sent: &[SentEvent], size: usize) -> Vec<LoggedEvent> {
    let mut logged = Vec::new();
    for batch in sent.chunks(size) {
        logged.extend(projected(pool, batch).await.unwrap().logged);
    }
    logged
}

#[tokio::test]
async fn two_projectors_with_shuffled_duplicates_come_to_what_one_in_order_does() {
    let sent = three_jobs();
    let reference = TestDatabase::new().await;
    accept_all(&reference).await;
    let logged = project_in_batches(&reference.pool(Owner::Status).await, &sent, 500).await;
    assert_eq!(logged.len(), sent.len());

    let database = TestDatabase::new().await;
    accept_all(&database).await;
    let (one, other) = (database.pool(Owner::Status).await, database.pool(Owner::Status).await);
    let twice: Vec<SentEvent> = shuffled(&sent, 1).into_iter().chain(shuffled(&sent, 2)).collect();
    let otherwise = shuffled(&twice, 3);
    let (first, second) =
        tokio::join!(project_in_batches(&one, &twice, 17), project_in_batches(&other, &otherwise, 11));

    assert_eq!(read_model(&database).await, read_model(&reference).await);
    assert_eq!(first.len() + second.len(), sent.len(), "each event is new to one projector only");
    let gaps =
        "SELECT job_id FROM status.events GROUP BY job_id HAVING max(seq) <> count(*) OR min(seq) <> 1";
    assert_eq!(dump(&database, gaps).await, "");
    let ended = job_view(&one, job_id(2)).await.unwrap().unwrap();
    assert_eq!(ended.state().as_str(), "partial");
    assert_eq!((ended.counts.completed, ended.counts.failed, ended.counts.skipped), (12, 6, 6));
    assert_eq!(ended.view.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
}

#[tokio::test]
async fn the_read_model_is_rebuilt_from_the_log_alone() {
    let database = TestDatabase::new().await;
    accept_all(&database).await;
    let pool = database.pool(Owner::Status).await;
    let sent = three_jobs();
    project_in_batches(&pool, &shuffled(&sent, 4), 50).await;
    let before = read_model(&database).await;
    sqlx::raw_sql("UPDATE status.jobs SET view = '{}', completed = 99, state = 'failed'; DELETE FROM status.model_days WHERE model = 'a'")
        .execute(&database.admin)
        .await
        .unwrap();

    let rebuilt = rebuild_all(&pool, |_, body| {
        sent.iter().find(|sent| sent.body == body).map(|sent| sent.event.clone()).ok_or("unknown".to_owned())
    })
    .await
    .unwrap();

    assert_eq!(rebuilt, 3);
    assert_eq!(read_model(&database).await, before);
}

#[tokio::test]
async fn an_event_of_a_job_that_nobody_accepted_is_told_apart_and_not_stored() {
    let database = TestDatabase::new().await;
    accept(&database, job_id(1), "{}").await;
    let pool = database.pool(Owner::Status).await;
    let sent = sent_events([life(job_id(2))[0].clone(), life(job_id(1))[1].clone()]);

    let mixed = projected(&pool, &sent).await.unwrap();
    let alone = projected(&pool, &sent[..1]).await.unwrap();

    assert_eq!((mixed.unknown, mixed.logged.len()), (vec![0], 1));
    assert_eq!((alone.unknown, alone.logged.len()), (vec![0], 0));
    assert_eq!(job_view(&pool, job_id(2)).await.unwrap(), None);
    let stub = job_view(&pool, job_id(1)).await.unwrap().unwrap();
    assert_eq!((stub.accepted.as_deref(), stub.last_seq, stub.state().as_str()), (Some("{}"), 1, "running"));
}

#[tokio::test]
async fn content_that_postgres_cannot_hold_is_recognised() {
    let database = TestDatabase::new().await;
    accept(&database, job_id(1), "{}").await;
    let pool = database.pool(Owner::Status).await;
    let mut sent = sent_events(life(job_id(1)));
    sent[3].body = "\0".to_owned();

    let refused = projected(&pool, &sent).await.unwrap_err();

    assert!(refuses_content(&refused), "{refused}");
    assert_eq!(dump(&database, "SELECT * FROM status.events").await, "");
}

#[tokio::test]
async fn an_empty_batch_is_no_work() {
    let database = TestDatabase::new().await;

    let nothing = project(&database.pool(Owner::Status).await, &[]).await.unwrap();

    assert_eq!(nothing.logged.len() + nothing.unknown.len(), 0);
}

#[tokio::test]
async fn what_the_log_lacks_is_found_in_the_outboxes() {
    let database = TestDatabase::new().await;
    accept(&database, job_id(1), "{}").await;
    let pool = database.pool(Owner::Status).await;
    let sent = sent_events(life(job_id(1)));
    for (exchange, sent) in
        [("modelday.events", &sent[0]), ("modelday.commands", &sent[1]), ("modelday.events", &sent[2])]
    {
        sqlx::query(
            "INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, body) VALUES ($1, 'k', $2, 'k', $3, '')",
        )
        .bind(sent.id)
        .bind(exchange)
        .bind(job_id(1).0)
        .execute(&database.admin)
        .await
        .unwrap();
    }
    projected(&pool, &sent[2..3]).await.unwrap();

    let extents = storage::status::outbox_extents(&pool).await.unwrap();
    let found =
        missing_events(&pool, Upstream::Executor, "modelday.events", 0, extents[2].last).await.unwrap();

    assert_eq!((extents[2].first, extents[2].last, extents[0].last), (1, 3, 0));
    assert_eq!(found.iter().map(|row| row.event_id).collect::<Vec<_>>(), [sent[0].id]);
}
