//! Dead letters.

use serde_json::json;
use storage::Owner;
use storage::PgPool;
use storage::outbox::{OriginalEnvelope, Part, RelayConnection};
use storage::status::{
    LetterFilter, LetterState, NewDeadLetter, Replay, dead_letter, dead_letters, insert_dead_letter,
    lock_dead_letter,
};

use crate::sample::instant;
use test_support::TestDatabase;
use uuid::Uuid;

#[tokio::test]
async fn a_letter_that_comes_twice_is_one_and_the_newest_come_first() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    let headers = json!({ "x-modelday-time": "1" });
    let letter = NewDeadLetter {
        queue: Some("q"),
        reason: "unreadable",
        exchange: None,
        routing_key: "k",
        message_id: None,
        kind: None,
        headers: &headers,
        body: &[0, 255, 7],
        died_at: Some(instant(1)),
    };
    insert_dead_letter(&pool, &letter).await.unwrap();
    insert_dead_letter(&pool, &letter).await.unwrap();
    insert_dead_letter(&pool, &NewDeadLetter { body: b"other", died_at: None, ..letter }).await.unwrap();

    let all = dead_letters(&pool, LetterFilter::default(), 10, 2).await.unwrap();
    let older =
        dead_letters(&pool, LetterFilter { before: Some(all[0].id), state: None }, 10, 2).await.unwrap();

    assert_eq!(all.len(), 2);
    assert_eq!((all[0].body.as_slice(), all[0].body_bytes), (&b"ot"[..], 5));
    assert_eq!((all[1].body.as_slice(), all[1].body_bytes, all[1].died_at), (&[0, 255][..], 3, instant(1)));
    assert_eq!(older, all[1..]);
}

/// A letter with this body; its number.
async fn put_away(pool: &PgPool, body: &[u8]) -> i64 {
    let letter = NewDeadLetter {
        queue: Some("q"),
        reason: "unreadable",
        exchange: None,
        routing_key: "k",
        message_id: None,
        kind: None,
        headers: &json!({}),
        body,
        died_at: None,
    };
    insert_dead_letter(pool, &letter).await.unwrap();
    dead_letters(pool, LetterFilter::default(), 1, 0).await.unwrap()[0].id
}

fn replay() -> Replay {
    Replay {
        event_id: Uuid::from_u128(7),
        kind: "modelday.data.ready.v1".to_owned(),
        exchange: String::new(),
        routing_key: "executor.plans.v1".to_owned(),
        traceparent: None,
        body: "{}".to_owned(),
        original: OriginalEnvelope {
            source: "/modelday/downloader".to_owned(),
            subject: None,
            time: instant(3),
            sequence: 17,
            dataschema: "urn:x".to_owned(),
            job: None,
            tracestate: None,
            routing_key: "modelday.data.ready.v1".to_owned(),
            signature: Some("k1 00".to_owned()),
        },
    }
}

#[tokio::test]
async fn a_replay_and_what_the_letter_says_of_it_commit_together() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    let id = put_away(&pool, b"body").await;

    let mut impossible = replay();
    impossible.body = "\0".to_owned();
    let refused = lock_dead_letter(&pool, id).await.unwrap().unwrap().replay(&impossible, "ops").await;
    assert!(refused.is_err());
    assert_eq!(dead_letter(&pool, id, 9).await.unwrap().unwrap().state(), LetterState::Open);

    let held = lock_dead_letter(&pool, id).await.unwrap().unwrap();
    assert_eq!(held.letter.body, b"body");
    let resolved = held.replay(&replay(), "ops").await.unwrap();

    assert_eq!(resolved, dead_letter(&pool, id, 9).await.unwrap().unwrap());
    assert_eq!(resolved.state(), LetterState::Replayed);
    let unsent =
        RelayConnection::open(&pool, Part::Except("commands")).await.unwrap().take(10).await.unwrap();
    let [message] = &unsent[..] else { panic!("{} messages", unsent.len()) };
    assert_eq!((message.event_id, message.exchange.as_str()), (Uuid::from_u128(7), ""));
    assert_eq!(message.original, Some(replay().original));
}

#[tokio::test]
async fn letters_are_found_by_what_became_of_them() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Status).await;
    let (open, replayed, discarded) =
        (put_away(&pool, b"1").await, put_away(&pool, b"2").await, put_away(&pool, b"3").await);
    lock_dead_letter(&pool, replayed).await.unwrap().unwrap().replay(&replay(), "ops").await.unwrap();
    lock_dead_letter(&pool, discarded).await.unwrap().unwrap().discard("ops").await.unwrap();

    for (state, expected) in
        [(LetterState::Open, open), (LetterState::Replayed, replayed), (LetterState::Discarded, discarded)]
    {
        let filter = LetterFilter { before: None, state: Some(state) };
        let found = dead_letters(&pool, filter, 10, 0).await.unwrap();
        assert_eq!(found.iter().map(|letter| letter.id).collect::<Vec<_>>(), [expected], "{state:?}");
        assert_eq!(found[0].state(), state);
    }
    assert!(lock_dead_letter(&pool, 0).await.unwrap().is_none());
}
