//! The outbox: one relay at a time, in order, until confirmed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::values::ids::JobId;
use storage::outbox::{self, NewMessage, Part, RelayConnection, StoredMessage};
use storage::{Owner, PgPool, Pruned};
use test_support::{TestDatabase, eventually};
use uuid::Uuid;

use crate::world::message;

const COMMANDS: Part = Part::To("commands");
const EVENTS: Part = Part::Except("commands");

/// Writes so many messages, each in a transaction of its own; answers their ids.
async fn write(pool: &PgPool, count: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let message = message("modelday.job.started.v1", JobId(Uuid::now_v7()));
        ids.push(message.event_id);
        outbox::write(&mut pool.acquire().await.unwrap(), &[message]).await.unwrap();
    }
    ids
}

async fn line(pool: &PgPool, part: Part) -> RelayConnection {
    RelayConnection::open(pool, part).await.unwrap()
}

fn ids(messages: &[StoredMessage]) -> Vec<i64> {
    messages.iter().map(|message| message.id).collect()
}

/// Field case: in a long transaction the time was that of its beginning, 30 s too early.
#[tokio::test]
async fn the_time_of_a_message_is_when_it_was_written() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    let clock = "SELECT clock_timestamp()";
    let message = message("modelday.job.started.v1", JobId(Uuid::now_v7()));

    let mut transaction = pool.begin().await.unwrap();
    let (before,): (DateTime<Utc>,) = sqlx::query_as(clock).fetch_one(&mut *transaction).await.unwrap();
    outbox::write(&mut transaction, &[message]).await.unwrap();
    let (after,): (DateTime<Utc>,) = sqlx::query_as(clock).fetch_one(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();

    let written = line(&pool, EVENTS).await.take(1).await.unwrap()[0].created_at;
    assert!(before < written && written < after, "{before} {written} {after}");
}

#[tokio::test]
async fn one_relay_works_at_a_time_in_order_and_marks_what_was_confirmed() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    let written = write(&pool, 5).await;
    let (mut one, mut other) = (line(&pool, EVENTS).await, line(&pool, EVENTS).await);

    let unsent = one.take(3).await.unwrap();
    assert!(other.take(3).await.unwrap().is_empty(), "another relay has the lock");
    assert!(other.is_waiting().await.unwrap(), "which is how it differs from an empty outbox");
    let taken: Vec<Uuid> = unsent.iter().map(|message| message.event_id).collect();
    assert_eq!(taken, written[..3]);
    // The broker confirmed the first and the third.
    one.mark_sent(&[unsent[0].id, unsent[2].id]).await.unwrap();

    let rest = other.take(10).await.unwrap();
    let taken: Vec<Uuid> = rest.iter().map(|message| message.event_id).collect();
    assert_eq!(taken, [written[1], written[3], written[4]], "the lock was let go");
    drop(other);
    let again = eventually("the lock of a relay that is gone", async || {
        let messages = one.take(10).await.unwrap();
        (!messages.is_empty()).then_some(messages)
    });
    assert_eq!(again.await.len(), 3, "what is given up is not marked");
    assert_eq!(outbox::backlog(&pool).await.unwrap().depth, 3);
}

#[tokio::test]
async fn a_relay_that_stopped_gives_way_to_another() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool, 1).await;
    let (mut stopped, mut other) = (line(&pool, EVENTS).await, line(&pool, EVENTS).await);

    let taken = stopped.take(10).await.unwrap();
    let next = eventually("another relay's turn", async || {
        let messages = other.take(10).await.unwrap();
        (!messages.is_empty()).then_some(messages)
    });

    assert_eq!(ids(&next.await), ids(&taken));
    assert!(stopped.mark_sent(&ids(&taken)).await.is_err(), "its connection was closed");
}

#[tokio::test]
async fn a_message_that_commits_late_is_sent_although_later_ones_were() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    let mut late = pool.begin().await.unwrap();
    outbox::write(&mut late, &[message("modelday.job.started.v1", JobId(Uuid::now_v7()))]).await.unwrap();
    write(&pool, 1).await;
    let mut relay = line(&pool, EVENTS).await;

    let sent = ids(&relay.take(10).await.unwrap());
    relay.mark_sent(&sent).await.unwrap();
    assert!(relay.take(10).await.unwrap().is_empty());
    assert!(!relay.is_waiting().await.unwrap());
    late.commit().await.unwrap();

    let unsent = ids(&relay.take(10).await.unwrap());
    assert_eq!(unsent.len(), 1);
    assert!(unsent[0] < sent[0], "its id is the lower one");
}

#[tokio::test]
async fn relays_of_different_services_do_not_wait_for_each_other() {
    let database = TestDatabase::new().await;
    let (executor, trigger) = (database.pool(Owner::Executor).await, database.pool(Owner::Trigger).await);
    write(&executor, 1).await;
    write(&trigger, 2).await;
    let (mut one, mut other) = (line(&executor, EVENTS).await, line(&trigger, EVENTS).await);

    assert_eq!(one.take(10).await.unwrap().len(), 1);
    assert_eq!(other.take(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_command_does_not_wait_for_the_events_before_it() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool, 2).await;
    let event = message("modelday.job.started.v1", JobId(Uuid::now_v7()));
    let command = NewMessage { exchange: "commands", ..event };
    outbox::write(&mut pool.acquire().await.unwrap(), std::slice::from_ref(&command)).await.unwrap();
    let (mut one, mut other, mut third) =
        (line(&pool, EVENTS).await, line(&pool, COMMANDS).await, line(&pool, COMMANDS).await);
    let events = one.take(10).await.unwrap();

    let commands = other.take(10).await.unwrap();

    assert_eq!(events.len(), 2);
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].event_id, command.event_id);
    assert!(third.take(10).await.unwrap().is_empty(), "another relay has the commands");
    other.mark_sent(&[]).await.unwrap();
    assert!(third.is_waiting().await.unwrap(), "it was not confirmed");
}

#[tokio::test]
async fn a_message_that_its_writer_sends_is_left_to_him_for_a_while_and_not_for_ever() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool, 2).await;
    database.execute("UPDATE execution.outbox SET relay_from = now() + interval '1 hour' WHERE id = 1").await;
    let mut relay = line(&pool, EVENTS).await;

    let taken = ids(&relay.take(10).await.unwrap());
    relay.mark_sent(&taken).await.unwrap();
    assert_eq!(taken, [2]);
    assert!(!relay.is_waiting().await.unwrap(), "another relay sends the other one");
    database.execute("UPDATE execution.outbox SET relay_from = now() - interval '1 s' WHERE id = 1").await;

    assert!(relay.is_waiting().await.unwrap());
    assert_eq!(ids(&relay.take(10).await.unwrap()), [1]);
    relay.mark_sent(&[]).await.unwrap();
    outbox::mark_sent(&pool, &[1]).await.unwrap();
    assert!(relay.take(10).await.unwrap().is_empty(), "its writer has sent it");
}

#[tokio::test]
async fn only_messages_that_were_sent_long_ago_are_removed() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool, 3).await;
    for (id, change) in [
        (1, "created_at = now() - interval '9 days'"),
        (2, "sent_at = now() - interval '8 days'"),
        (3, "sent_at = now() - interval '6 days'"),
    ] {
        database.execute(&format!("UPDATE execution.outbox SET {change} WHERE id = {id}")).await;
    }

    let week = Duration::from_secs(7 * 24 * 3_600);
    assert_eq!(outbox::prune(&pool, week).await.unwrap(), Pruned { rows: 1, more: false });

    assert_eq!(database.count("SELECT count(*) FROM execution.outbox WHERE id = 2").await, 0);
    assert_eq!(outbox::backlog(&pool).await.unwrap().depth, 1);
}

#[tokio::test]
async fn old_messages_leave_batch_by_batch_whoever_removes_them_and_whatever_waits_in_front() {
    let database = TestDatabase::new().await;
    let (pool, other) = (database.pool(Owner::Executor).await, database.pool(Owner::Executor).await);
    let rows = "INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, body, sent_at)
        SELECT gen_random_uuid(), 'test', 'modelday.events', 'test', gen_random_uuid(), '{}',
            CASE WHEN number > 10 THEN now() - interval '2 hours' END
        FROM generate_series(1, 12010) AS number";
    database.execute(rows).await;

    let hour = Duration::from_secs(3_600);
    let (mut removed, mut batches) = (0, 0);
    loop {
        let (one, two) = tokio::join!(outbox::prune(&pool, hour), outbox::prune(&other, hour));
        let (one, two) = (one.unwrap(), two.unwrap());
        removed += one.rows + two.rows;
        batches += 1;
        if !one.more && !two.more {
            break;
        }
    }

    assert_eq!(removed, 12_000);
    assert!(batches <= 3, "{batches} rounds");
    assert_eq!(database.count("SELECT count(*) FROM execution.outbox").await, 10);
}
