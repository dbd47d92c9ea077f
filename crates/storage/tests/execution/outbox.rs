//! The outbox: one relay at a time, in order, until confirmed.

use domain::ids::JobId;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use storage::outbox::{self, Outgoing, Part, take_unsent};
use storage::{Owner, PgPool};
use test_support::TestDatabase;
use uuid::Uuid;

use crate::world::message;

const COMMANDS: Part = Part::To("commands");
const EVENTS: Part = Part::Beside("commands");

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

type Link = PoolConnection<Postgres>;

/// Connections of as many relays.
async fn relays<const COUNT: usize>(pool: &PgPool) -> [Link; COUNT] {
    let mut links = Vec::new();
    for _ in 0..COUNT {
        links.push(pool.acquire().await.unwrap());
    }
    links.try_into().unwrap()
}

#[tokio::test]
async fn one_relay_works_at_a_time_in_order_and_marks_what_was_confirmed() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    let written = write(&pool, 5).await;
    let [mut one, mut other] = relays(&pool).await;

    let unsent = take_unsent(&mut one, EVENTS, 3).await.unwrap().unwrap();
    assert!(take_unsent(&mut other, EVENTS, 3).await.unwrap().is_none(), "another relay has the lock");
    let taken: Vec<Uuid> = unsent.messages.iter().map(|message| message.event_id).collect();
    assert_eq!(taken, written[..3]);
    // The broker confirmed the first and the third.
    let confirmed = [unsent.messages[0].id, unsent.messages[2].id];
    unsent.mark_sent(&confirmed).await.unwrap();

    let rest = take_unsent(&mut one, EVENTS, 10).await.unwrap().unwrap();
    let taken: Vec<Uuid> = rest.messages.iter().map(|message| message.event_id).collect();
    assert_eq!(taken, [written[1], written[3], written[4]]);
    drop(rest);
    let again = take_unsent(&mut one, EVENTS, 10).await.unwrap().unwrap();
    assert_eq!(again.messages.len(), 3, "what is given up is not marked, and its lock is free");
    assert_eq!(outbox::backlog(&pool).await.unwrap().0, 3);
}

#[tokio::test]
async fn a_message_that_commits_late_is_sent_although_later_ones_were() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    let mut late = pool.begin().await.unwrap();
    outbox::write(&mut late, &[message("modelday.job.started.v1", JobId(Uuid::now_v7()))]).await.unwrap();
    write(&pool, 1).await;
    let [mut relay] = relays(&pool).await;

    let unsent = take_unsent(&mut relay, EVENTS, 10).await.unwrap().unwrap();
    let ids: Vec<i64> = unsent.messages.iter().map(|message| message.id).collect();
    unsent.mark_sent(&ids).await.unwrap();
    assert!(take_unsent(&mut relay, EVENTS, 10).await.unwrap().is_none());
    late.commit().await.unwrap();

    let unsent = take_unsent(&mut relay, EVENTS, 10).await.unwrap().unwrap();
    assert_eq!(unsent.messages.len(), 1);
    assert!(unsent.messages[0].id < ids[0], "its id is the lower one");
}

#[tokio::test]
async fn relays_of_different_services_do_not_wait_for_each_other() {
    let database = TestDatabase::new().await;
    let (executor, trigger) = (database.pool(Owner::Executor).await, database.pool(Owner::Trigger).await);
    write(&executor, 1).await;
    write(&trigger, 2).await;
    let ([mut one], [mut other]) = (relays(&executor).await, relays(&trigger).await);

    let _of_executor = take_unsent(&mut one, EVENTS, 10).await.unwrap().unwrap();
    let of_trigger = take_unsent(&mut other, EVENTS, 10).await.unwrap().unwrap();

    assert_eq!(of_trigger.messages.len(), 2);
}

#[tokio::test]
async fn a_command_does_not_wait_for_the_events_before_it() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool, 2).await;
    let event = message("modelday.job.started.v1", JobId(Uuid::now_v7()));
    let command = Outgoing { exchange: "commands", ..event };
    outbox::write(&mut pool.acquire().await.unwrap(), std::slice::from_ref(&command)).await.unwrap();
    let [mut one, mut other, mut third] = relays(&pool).await;
    let events = take_unsent(&mut one, EVENTS, 10).await.unwrap().unwrap();

    let commands = take_unsent(&mut other, COMMANDS, 10).await.unwrap().unwrap();

    assert_eq!(events.messages.len(), 2);
    assert_eq!(commands.messages.len(), 1);
    assert_eq!(commands.messages[0].event_id, command.event_id);
    assert!(take_unsent(&mut third, COMMANDS, 10).await.unwrap().is_none(), "another relay has the commands");
    commands.mark_sent(&[]).await.unwrap();
    assert!(outbox::is_waiting(&mut third, COMMANDS).await.unwrap(), "it was not confirmed");
}

#[tokio::test]
async fn only_messages_that_were_sent_a_week_ago_are_removed() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Executor).await;
    write(&pool, 3).await;
    for (id, change) in [
        (1, "sent_at = now() - interval '8 days'"),
        (2, "sent_at = now() - interval '6 days'"),
        (3, "created_at = now() - interval '9 days'"),
    ] {
        database.execute(&format!("UPDATE execution.outbox SET {change} WHERE id = {id}")).await;
    }

    assert_eq!(outbox::prune(&pool).await.unwrap(), 1);

    assert_eq!(database.count("SELECT count(*) FROM execution.outbox WHERE id = 1").await, 0);
    assert_eq!(outbox::backlog(&pool).await.unwrap().0, 1);
}
