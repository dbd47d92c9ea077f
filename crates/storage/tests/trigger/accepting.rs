//! The limit of active jobs and the idempotency keys, also when many come at once.

use std::sync::Arc;

use chrono::Utc;
use domain::values::ids::JobId;
use sqlx::Executor;
use storage::outbox::NewMessage;
use storage::trigger::{Acceptance, Admission, IdempotencyKey, accept};
use storage::{Owner, PgPool};
use test_support::{TestDatabase, eventually};
use uuid::Uuid;

const MANY: i64 = 1_000_000;

/// Between the count and the commit there is time for others to count.
const LINGER: &str = "CREATE FUNCTION trigger.linger() RETURNS trigger LANGUAGE plpgsql AS
     'BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END';
     CREATE TRIGGER linger AFTER INSERT ON trigger.jobs FOR EACH ROW EXECUTE FUNCTION trigger.linger()";

async fn request(pool: &PgPool, max_active: i64, key: Option<(&str, &[u8], &str)>) -> Admission {
    request_of(pool, "anonymous", (max_active, None), key).await
}

/// A request of a caller, within the limits of all active jobs and of the caller's.
async fn request_of(
    pool: &PgPool,
    requested_by: &str,
    (max_active, max_active_of_caller): (i64, Option<i64>),
    key: Option<(&str, &[u8], &str)>,
) -> Admission {
    let job = JobId(Uuid::now_v7());
    let message = NewMessage {
        event_id: Uuid::now_v7(),
        kind: "modelday.job.requested.v1",
        exchange: "modelday.events",
        routing_key: "modelday.job.requested.v1",
        job,
        traceparent: None,
        body: "{}".to_owned(),
    };
    let idempotency =
        key.map(|(key, request_hash, response)| IdempotencyKey { token: "", key, request_hash, response });
    let acceptance = Acceptance {
        job,
        accepted_at: Utc::now(),
        message,
        max_active,
        requested_by,
        max_active_of_caller,
        catalogue: None,
        idempotency,
    };
    accept(pool, acceptance).await.unwrap()
}

/// So many requests at once; answers how many were accepted.
async fn accepted(pool: &PgPool, requests: usize, max_active: i64) -> usize {
    let tasks: Vec<_> = (0..requests)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { request(&pool, max_active, None).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Admission::Accepted => accepted += 1,
            Admission::Full => {}
            other => panic!("{other:?}"),
        }
    }
    accepted
}

async fn stored(database: &TestDatabase) -> (i64, i64) {
    (
        database.count("SELECT count(*) FROM trigger.jobs").await,
        database.count("SELECT count(*) FROM trigger.outbox").await,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_as_many_jobs_are_accepted_as_may_be_active_however_far_the_limit_is() {
    for above in [-90, 10] {
        let database = TestDatabase::new().await;
        let pool = database.pool(Owner::Trigger).await;
        database.execute(LINGER).await;
        let connections = database.count("SELECT current_setting('max_connections')::bigint").await;
        let limit = connections + above;

        let count = accepted(&pool, usize::try_from(limit).unwrap() + 40, limit).await;

        assert_eq!(i64::try_from(count).unwrap(), limit);
        assert_eq!(stored(&database).await, (limit, limit));
        database.execute("UPDATE trigger.jobs SET ended_at = now() WHERE id = (SELECT max(id::text)::uuid FROM trigger.jobs)").await;
        assert_eq!(accepted(&pool, 5, limit).await, 1, "one has ended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_requests_with_one_key_at_once_one_is_accepted_and_the_others_get_its_answer() {
    for limit in [50, MANY] {
        let database = TestDatabase::new().await;
        let pool = database.pool(Owner::Trigger).await;
        database.execute(LINGER).await;
        // With all connections open, requests do come at once.
        assert_eq!(accepted(&pool, 20, limit).await, 20);

        let answers: Vec<_> = (0..16)
            .map(|number| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let answer = format!("answer {number}");
                    (request(&pool, limit, Some(("key", b"hash", &answer))).await, answer)
                })
            })
            .collect();
        let (mut first, mut replayed) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer.await.unwrap() {
                (Admission::Accepted, answer) => first.push(answer),
                (Admission::Replayed(answer), _) => replayed.push(answer),
                (other, _) => panic!("{other:?}"),
            }
        }

        assert_eq!((first.len(), replayed.len()), (1, 15), "limit {limit}");
        assert!(replayed.iter().all(|answer| *answer == first[0]), "limit {limit}: {replayed:?}");
        assert_eq!(stored(&database).await, (21, 21), "limit {limit}");
        let other = request(&pool, limit, Some(("key", b"other", ""))).await;
        assert_eq!(other, Admission::KeyReused);
    }
}

#[tokio::test]
async fn a_key_of_yesterday_counts_as_absent() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Trigger).await;
    request(&pool, MANY, Some(("key", b"hash", "yesterday"))).await;
    database.execute("UPDATE trigger.idempotency_keys SET created_at = now() - interval '24 h'").await;

    let again = request(&pool, MANY, Some(("key", b"another", "today"))).await;
    let replayed = request(&pool, MANY, Some(("key", b"another", ""))).await;

    assert_eq!((again, replayed), (Admission::Accepted, Admission::Replayed("today".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_accepted_in_one_statement() {
    let database = TestDatabase::new().await;
    let pool = Arc::new(database.pool(Owner::Trigger).await);
    let mut blocker = database.admin.begin().await.unwrap();
    blocker.execute("SELECT pg_advisory_xact_lock(7243001)").await.unwrap();

    let request = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { request(&pool, MANY, None).await }
    });
    // Whatever was sent before or would be sent after it is not what waits for the lock.
    let waiting = eventually("it waits for the lock", async || {
        let query = "SELECT string_agg(query, '; ') FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        Some(database.text(query).await).filter(|query| !query.is_empty())
    })
    .await;
    blocker.rollback().await.unwrap();

    assert!(
        waiting.starts_with("-- acceptance::accept") && waiting.contains("FROM trigger.accept("),
        "{waiting}"
    );
    assert_eq!(request.await.unwrap(), Admission::Accepted);
    assert_eq!(stored(&database).await, (1, 1));
}

#[tokio::test]
async fn a_caller_who_has_as_many_jobs_as_allowed_is_refused_and_another_is_accepted() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Trigger).await;
    // Both below and above the number of connections, which decides whether acceptances run side by side.
    for (caller, max_active) in [("one", 10), ("two", 100_000)] {
        let limits = (max_active, Some(2));
        let request = async |by: &str| request_of(&pool, by, limits, None).await;

        assert_eq!(request(caller).await, Admission::Accepted);
        assert_eq!(request(caller).await, Admission::Accepted);
        assert_eq!(request(caller).await, Admission::CallerFull);
        assert_eq!(request(&format!("not {caller}")).await, Admission::Accepted);
    }
}

#[tokio::test]
async fn of_many_requests_of_one_caller_at_once_exactly_as_many_are_accepted_as_it_may_have() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Trigger).await;
    let tasks = (0..40).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { request_of(&pool, "ci", (100_000, Some(7)), None).await })
    });
    let mut accepted = 0;
    for task in tasks.collect::<Vec<_>>() {
        accepted += usize::from(task.await.unwrap() == Admission::Accepted);
    }

    assert_eq!(accepted, 7);
}
