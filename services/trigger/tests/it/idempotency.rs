//! The same request sent twice makes one job.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use test_support::eventually;

use crate::stage::Stage;

#[tokio::test]
async fn a_request_repeated_with_its_key_gets_the_same_response() {
    let stage = Stage::new().await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash", "cash"] });
    // The same request, written in another way.
    let again = json!({ "models": ["cash"], "replace_existing": "no", "end_date": "2025-10-02", "start_date": "2025-10-01", "note": 1 });

    let first = stage.post_with_key(&body, "key-1").await;
    let second = stage.post_with_key(&again, "key-1").await;
    let other = stage.post_with_key(&body, "key-2").await;

    assert_eq!((first.job(), &first.body), (second.job(), &second.body));
    assert_eq!(first.headers.get("Idempotency-Replayed"), None);
    assert_eq!(second.headers["Idempotency-Replayed"], "true");
    assert_eq!(second.headers["content-type"], "application/json");
    assert_ne!(first.job(), other.job());
    assert_eq!(stage.stored().await, (2, 2));
    stage.stop().await;
}

#[tokio::test]
async fn a_key_of_another_request_is_refused() {
    let stage = Stage::new().await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });
    let mut other = body.clone();
    other["replace_existing"] = json!(true);
    stage.post_with_key(&body, "key").await.job();

    let refused = stage.post_with_key(&other, "key").await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.detail(), "Idempotency-Key was used for another request; use a new key");
    assert_eq!(stage.stored().await, (1, 1));
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_with_one_key_at_once_make_one_job() {
    let stage = Stage::new().await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });

    for round in 0..5 {
        let key = format!("key-{round}");
        let answers = join_all((0..12).map(|_| stage.post_with_key(&body, &key))).await;
        assert!(answers.iter().all(|answer| answer.job() == answers[0].job()));
        let replayed = answers.iter().filter(|answer| answer.headers.contains_key("Idempotency-Replayed"));
        assert_eq!(replayed.count(), 11);
        assert_eq!(stage.stored().await, (round + 1, round + 1));
    }
    stage.stop().await;
}

#[tokio::test]
async fn only_acceptances_are_remembered_and_for_a_day() {
    let stage = Stage::with(&[("MAX_ACTIVE_JOBS", "1")]).await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });
    let first = stage.post_with_key(&body, "one").await;
    assert_eq!(stage.post_with_key(&body, "two").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(stage.post_with_key(&body, "one").await.job(), first.job(), "a replay needs no room");

    stage.database.execute("UPDATE trigger.jobs SET ended_at = now()").await;
    let second = stage.post_with_key(&body, "two").await;
    assert_eq!(second.headers.get("Idempotency-Replayed"), None, "the refusal was not remembered");
    stage.database.execute("UPDATE trigger.jobs SET ended_at = now()").await;
    stage
        .database
        .execute("UPDATE trigger.idempotency_keys SET created_at = now() - interval '25 h' WHERE key = 'one'")
        .await;
    let third = stage.post_with_key(&body, "one").await;

    assert_ne!(third.job(), first.job());
    assert_eq!(third.headers.get("Idempotency-Replayed"), None);
    stage.stop().await;
}

#[tokio::test]
async fn keys_of_yesterday_are_not_kept() {
    let stage = Stage::new().await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });
    for key in ["old", "young"] {
        stage.post_with_key(&body, key).await.job();
    }
    for (key, age) in [("old", "24 h 1 s"), ("young", "23 h 59 min")] {
        let age = format!(
            "UPDATE trigger.idempotency_keys SET created_at = now() - interval '{age}' WHERE key = '{key}'"
        );
        assert_eq!(stage.database.execute(&age).await, 1);
    }

    let stage = stage.restart().await;

    let kept = "SELECT string_agg(key, ',') FROM trigger.idempotency_keys";
    eventually("the old key is gone", async || (stage.database.text(kept).await == "young").then_some(()))
        .await;
    assert_eq!(stage.stored().await, (2, 2), "its job stays");
    stage.stop().await;
}

#[tokio::test]
async fn an_invalid_key_is_refused() {
    let stage = Stage::new().await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] });

    for key in ["", "  ", &"x".repeat(201), "\u{e9}"] {
        let refused = stage.post_with_key(&body, key).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{key:?}");
        assert_eq!(refused.body["errors"][0]["loc"], json!(["header", "Idempotency-Key"]), "{key:?}");
    }

    assert_eq!(stage.stored().await, (0, 0));
    stage.stop().await;
}
