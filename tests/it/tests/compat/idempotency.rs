//! `Idempotency-Key`, which the original did not have.

use serde_json::json;

use crate::stage::{Api, recorded};

#[tokio::test]
async fn the_same_request_under_the_same_key_is_one_job_however_it_is_written() {
    let api = Api::of(recorded()).await;

    let first = api.post_under("nightly", &json!({ "end_date": "2025-10-06", "models": ["idle"] })).await;
    let same = json!({ "models": ["idle", "idle"], "end_date": "2025-10-06", "start_date": "", "replace_existing": "no" });
    let again = api.post_under("nightly", &same).await;
    let other = api.post_under("nightly", &json!({ "end_date": "2025-10-07", "models": ["idle"] })).await;
    let without = api.post(&json!({ "end_date": "2025-10-06", "models": ["idle"] })).await;

    assert_eq!((first.status, again.status), (200, 200), "{} {}", first.text, again.text);
    assert_eq!(first.text, again.text);
    assert_eq!(first.headers.get("idempotency-replayed"), None);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(other.refusal(), (422, "Idempotency-Key was used for another request; use a new key"));
    assert_ne!(without.job(), first.job());
    assert_eq!(api.system.database.count("SELECT count(*) FROM trigger.jobs").await, 2);
}

#[tokio::test]
async fn of_concurrent_requests_one_makes_the_job_and_the_others_get_its_response() {
    let api = Api::of(recorded()).await;
    let body = json!({ "end_date": "2025-10-06", "models": ["idle"] });

    let responses = futures::future::join_all((0..8).map(|_| api.post_under("at-once", &body))).await;

    let replayed =
        responses.iter().filter(|response| response.headers.contains_key("idempotency-replayed")).count();
    assert_eq!(replayed, 7);
    assert!(responses.iter().all(|response| response.job() == responses[0].job()));
    assert_eq!(api.system.database.count("SELECT count(*) FROM trigger.jobs").await, 1);
}

#[tokio::test]
async fn a_refusal_is_not_stored_under_its_key() {
    let api = Api::of(recorded()).await;

    let refused = api.post_under("late", &json!({ "end_date": "2025-11-06" })).await;
    let accepted = api.post_under("late", &json!({ "end_date": "2025-10-06" })).await;
    let empty = api.post_under(" ", &json!({ "end_date": "2025-10-06" })).await;

    assert_eq!((refused.status, accepted.status), (400, 200), "{}", accepted.text);
    assert_eq!(empty.status, 422);
    assert_eq!(empty.body["errors"][0]["loc"], json!(["header", "Idempotency-Key"]));
}
