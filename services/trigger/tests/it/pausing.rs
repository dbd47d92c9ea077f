//! What operators pause over HTTP, and what they are answered when they mistake a name.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Kinds and names of what is paused, in the order of the answer.
async fn paused(stage: &Stage) -> Vec<(String, String)> {
    let reply = stage.get("/pauses").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pauses = reply.body["pauses"].as_array().unwrap();
    pauses.iter().map(|pause| (text(&pause["kind"]), text(&pause["name"]))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect()
}

#[tokio::test]
async fn a_pause_lasts_over_a_restart_until_it_is_resumed() {
    let stage = Stage::new().await;

    let first = stage.put("/pauses/model/cash", &json!({ "reason": "its prices are wrong" })).await;
    let again = stage.put("/pauses/model/cash", &json!({})).await;
    let other = stage.put("/pauses/queue/executor", &json!({ "reason": null })).await;
    let corrected = stage.put("/pauses/model/cash", &json!({ "reason": "its splits are wrong" })).await;
    let stage = stage.restart().await;
    let after = paused(&stage).await;
    let resumed = stage.delete("/pauses/model/cash").await;
    let resumed_again = stage.delete("/pauses/model/cash").await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let counts = ["in_hand", "waiting_lanes", "waiting_jobs"].map(|name| first.body[name].as_u64().unwrap());
    assert_eq!(counts, [0; 3]);
    assert_eq!(
        (&first.body["paused_by"], &first.body["reason"]),
        (&json!("anonymous"), &json!("its prices are wrong"))
    );
    let message = first.body["message"].as_str().unwrap();
    assert!(message.starts_with("model cash is paused since 20"), "{message}");
    assert!(message.ends_with(" UTC by anonymous (its prices are wrong)"), "{message}");
    assert_eq!(again.body, first.body, "nothing changed");
    assert_eq!((other.status, &other.body["reason"]), (StatusCode::OK, &Value::Null));
    assert_eq!(corrected.body["reason"], "its splits are wrong");
    assert_eq!(corrected.body["paused_at"], first.body["paused_at"], "it is the same pause");
    assert_eq!(after, pairs(&[("model", "cash"), ("queue", "executor")]));
    assert_eq!((resumed.status, resumed_again.status), (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
    assert_eq!(paused(&stage).await, pairs(&[("queue", "executor")]));
    stage.stop().await;
}

#[tokio::test]
async fn a_name_that_nothing_has_is_answered_with_those_that_are_known() {
    let stage = Stage::new().await;
    stage
        .database
        .execute(
            "INSERT INTO market.sources (position, name, quota_key, windows, max_wait_seconds, shape)
             VALUES (0, 'tiingo', 'k', '[]', 0, 'by_symbol')",
        )
        .await;

    for (path, detail) in [
        ("/pauses/model/csh", "There is no model csh. Known models: deepseek"),
        ("/pauses/source/tingo", "There is no source tingo. Known sources: tiingo"),
        ("/pauses/queue/status", "There is no queue status. Known queues: executor, downloader"),
        ("/pauses/lane/cash", "what can be paused is a model, a source or a queue"),
    ] {
        for reply in [stage.put(path, &json!({})).await, stage.delete(path).await] {
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {}", reply.body);
            assert!(reply.detail().starts_with(detail), "{path}: {}", reply.detail());
        }
    }
    let long = stage.put("/pauses/model/cash", &json!({ "reason": "x".repeat(501) })).await;
    let lines = stage.put("/pauses/model/cash", &json!({ "reason": "a\nb" })).await;
    let source = stage.put("/pauses/source/tiingo", &json!({})).await;

    for refused in [long, lines] {
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        assert!(refused.detail().contains("at most 500 characters"), "{}", refused.detail());
    }
    assert_eq!(source.status, StatusCode::OK, "{}", source.body);
    assert_eq!(paused(&stage).await, pairs(&[("source", "tiingo")]));
    stage.stop().await;
}

#[tokio::test]
async fn a_model_that_was_removed_while_it_is_paused_can_be_resumed() {
    let stage = Stage::new().await;
    let cash = json!({ "kind": "policy", "policy": { "policy": "cash" } });
    stage.put("/models/mine%2Fcash:1", &cash).await;

    let paused = stage.put("/pauses/model/mine%2Fcash:1", &json!({})).await;
    stage.delete("/models/mine%2Fcash:1").await;
    let resumed = stage.delete("/pauses/model/mine%2Fcash:1").await;
    let unknown = stage.delete("/pauses/model/mine%2Fcash:1").await;

    assert_eq!((paused.status, &paused.body["name"]), (StatusCode::OK, &json!("mine/cash:1")));
    assert_eq!((resumed.status, unknown.status), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    stage.stop().await;
}
