//! The event log by position: one order for all jobs, in which nothing appears below what was read.

use std::collections::{BTreeMap, BTreeSet};

use domain::values::ids::JobId;
use storage::status::{
    EventNotifications, FeedEvent, LogEnd, events_after, job_events_after, last_position, log_end,
};
use storage::{Owner, PgPool};
use test_support::TestDatabase;

use crate::sample::{SentEvent, accept, job_id, life, projected, sent_events, shuffled};

async fn world(jobs: u128) -> (TestDatabase, PgPool) {
    let database = TestDatabase::new().await;
    for number in 1..=jobs {
        accept(&database, job_id(number), "{}").await;
    }
    let pool = database.pool(Owner::Status).await;
    (database, pool)
}

async fn project_each(pool: PgPool, sent: Vec<SentEvent>, size: usize) {
    for batch in sent.chunks(size) {
        projected(&pool, batch).await.unwrap();
    }
}

/// Reads on from what was read last, until there are `count` events; each page joins the one before.
async fn read_along(pool: &PgPool, count: usize) -> Vec<FeedEvent> {
    let mut read: Vec<FeedEvent> = Vec::new();
    while read.len() < count {
        let after = read.last().map_or(0, |event| event.position);
        let page = events_after(pool, after, 7).await.unwrap();
        let positions: Vec<i64> = page.iter().map(|event| event.position).collect();
        assert_eq!(positions, (after + 1..).take(page.len()).collect::<Vec<_>>(), "read after {after}");
        read.extend(page);
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_on_while_many_project_misses_nothing() {
    let (database, pool) = world(12).await;
    let mut projectors = Vec::new();
    let mut count = 0;
    for (number, size) in (1..=12).zip([1, 2, 3, 5, 7, 11, 1, 2, 3, 5, 7, 11]) {
        // Each has a job of its own, so that no lock of a job keeps them apart.
        let sent = shuffled(&sent_events(life(job_id(number))), 7);
        count += sent.len();
        projectors.push(tokio::spawn(project_each(database.pool(Owner::Status).await, sent, size)));
    }

    let read = read_along(&pool, count).await;

    for projector in projectors {
        projector.await.unwrap();
    }
    let mut last = BTreeMap::new();
    for event in &read {
        let number = last.entry(event.job_id).or_insert(0);
        assert_eq!(event.seq, *number + 1, "numbers of a job ascend with positions");
        *number = event.seq;
    }
    assert_eq!(last_position(&pool).await.unwrap(), i64::try_from(count).unwrap());
}

#[tokio::test]
async fn the_last_event_of_a_job_that_is_shown_as_ended_says_so() {
    let (_database, pool) = world(2).await;
    let sent = sent_events(life(job_id(1)));
    let [rest @ .., days, end] = &sent[..] else { panic!("{} events", sent.len()) };
    let count = i64::try_from(sent.len()).unwrap();
    let ends = |events: Vec<FeedEvent>| -> BTreeSet<i64> {
        events.into_iter().filter(|event| event.ends_job).map(|event| event.seq).collect()
    };

    projected(&pool, std::slice::from_ref(end)).await.unwrap();
    projected(&pool, rest).await.unwrap();
    let uncounted = log_end(&pool, job_id(1)).await.unwrap().unwrap();
    let early = ends(events_after(&pool, 0, 100).await.unwrap());
    projected(&pool, std::slice::from_ref(days)).await.unwrap();
    let counted = log_end(&pool, job_id(1)).await.unwrap().unwrap();

    assert_eq!(uncounted, LogEnd { last_position: count - 1, last_seq: count - 1, ended: false });
    assert_eq!(early, BTreeSet::new(), "days are missing that the end has counted");
    assert_eq!(counted, LogEnd { last_position: count, last_seq: count, ended: true });
    assert_eq!(ends(events_after(&pool, 0, 100).await.unwrap()), BTreeSet::from([count]));
    assert_eq!(ends(job_events_after(&pool, job_id(1), 0, 100).await.unwrap()), BTreeSet::from([count]));
    let pending = LogEnd { last_position: count, last_seq: 0, ended: false };
    assert_eq!(log_end(&pool, job_id(2)).await.unwrap(), Some(pending), "accepted and not projected");
    assert_eq!(log_end(&pool, JobId(uuid::Uuid::nil())).await.unwrap(), None);
}

#[tokio::test]
async fn a_projection_is_announced_once_it_can_be_read() {
    let (database, pool) = world(1).await;
    let mut announcements = EventNotifications::listen(&database.settings(Owner::Status)).await.unwrap();
    let sent = sent_events(life(job_id(1)));

    projected(&pool, &sent[..1]).await.unwrap();
    announcements.next().await.unwrap();
    let seen = last_position(&pool).await.unwrap();
    projected(&pool, &sent[..1]).await.unwrap();
    projected(&pool, &sent[..2]).await.unwrap();
    announcements.next().await.unwrap();

    assert_eq!(
        (seen, last_position(&pool).await.unwrap()),
        (1, 2),
        "what was known already takes no position"
    );
}
