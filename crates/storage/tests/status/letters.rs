//! Dead letters.

use serde_json::json;
use storage::Owner;
use storage::status::{NewDeadLetter, dead_letters, insert_dead_letter};

use crate::sample::instant;
use test_support::TestDatabase;

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

    let all = dead_letters(&pool, None, 10, 2).await.unwrap();
    let older = dead_letters(&pool, Some(all[0].id), 10, 2).await.unwrap();

    assert_eq!(all.len(), 2);
    assert_eq!((all[0].body.as_slice(), all[0].body_bytes), (&b"ot"[..], 5));
    assert_eq!((all[1].body.as_slice(), all[1].body_bytes, all[1].died_at), (&[0, 255][..], 3, instant(1)));
    assert_eq!(older, all[1..]);
}
