//! What holds for every path: health, unknown paths, wrong methods, and the form of an error.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Api, assert_has, assert_instant, recorded};

#[tokio::test]
async fn health_tells_of_the_database_the_broker_and_the_deployment() {
    let api = Api::of(recorded()).await;

    let health = api.get("/health").await;

    assert_eq!(health.status, 200);
    assert_has(
        &health.body,
        &json!({ "status": "healthy", "database": "connected", "broker": "connected",
            "deployment_mode": "PROD", "is_dev_mode": false, "preserve_dev_data": null }),
    );
    assert_instant(&health.body["timestamp"]);
}

#[tokio::test]
async fn a_path_that_is_none_and_a_method_that_is_wrong_are_told_in_the_words_of_the_original() {
    let api = Api::of(recorded()).await;

    for (method, path, told) in [
        (Method::GET, "/nowhere", (404, "Not Found")),
        (Method::POST, "/simulate", (404, "Not Found")),
        (Method::GET, "/simulate/status", (404, "Not Found")),
        (Method::GET, "/simulate/trigger", (405, "Method Not Allowed")),
        (Method::DELETE, "/results", (405, "Method Not Allowed")),
        (Method::POST, "/health", (405, "Method Not Allowed")),
        (Method::PUT, "/simulate/status/a", (405, "Method Not Allowed")),
    ] {
        let answer = api.call(method.clone(), path).await;

        assert_eq!(answer.told(), told, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let title = if told.0 == 404 { "Not Found" } else { "Method Not Allowed" };
        assert_has(
            &answer.body,
            &json!({ "type": "about:blank", "title": title, "status": told.0, "instance": path }),
        );
        assert!(answer.body["trace_id"].as_str().is_some_and(|id| id.len() == 32), "{}", answer.text);
        assert_eq!(told.0 == 405, answer.headers.contains_key("allow"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let api = Api::of(recorded()).await;
    let body = format!("{{\"end_date\": \"2025-10-06\", \"more\": \"{}\"}}", "x".repeat(1 << 20));

    let answer = api.post_text(&body).await;

    assert_eq!(answer.told(), (413, "Request body is larger than 1 MiB; send a smaller one"));
}
