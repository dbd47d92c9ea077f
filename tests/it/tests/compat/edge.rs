//! What holds for every path: health, unknown paths, wrong methods, and the format of an error.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Api, assert_has, assert_instant, recorded};

#[tokio::test]
async fn health_shows_the_database_the_broker_and_the_deployment() {
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
async fn an_unknown_path_and_a_wrong_method_are_refused_in_the_words_of_the_original() {
    let api = Api::of(recorded()).await;

    for (method, path, expected) in [
        (Method::GET, "/nowhere", (404, "Not Found")),
        (Method::POST, "/simulate", (404, "Not Found")),
        (Method::GET, "/simulate/status", (404, "Not Found")),
        (Method::GET, "/simulate/trigger", (405, "Method Not Allowed")),
        (Method::DELETE, "/results", (405, "Method Not Allowed")),
        (Method::POST, "/health", (405, "Method Not Allowed")),
        (Method::PUT, "/simulate/status/a", (405, "Method Not Allowed")),
    ] {
        let response = api.call(method.clone(), path).await;

        assert_eq!(response.refusal(), expected, "{method} {path}");
        assert_eq!(response.headers["content-type"], "application/problem+json");
        let title = if expected.0 == 404 { "Not Found" } else { "Method Not Allowed" };
        assert_has(&response.body, &json!({ "type": "about:blank", "title": title, "instance": path }));
        // Clients of the original would take it for the status of a job.
        let status = (!path.starts_with("/simulate/status/")).then_some(expected.0);
        assert_eq!(response.body.get("status"), status.map(|status| json!(status)).as_ref(), "{path}");
        let is_traced = response.body["trace_id"].as_str().is_some_and(|id| id.len() == 32);
        assert_eq!(is_traced, path != "/health", "probes are not traced: {}", response.text);
        assert_eq!(expected.0 == 405, response.headers.contains_key("allow"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_leads_to_the_path_without_it() {
    let api = Api::of(recorded()).await;
    let base = &api.system.client.status_url;
    let follow = async |method: Method, path: &str| {
        let request = it::http().request(method, format!("{base}{path}"));
        let request = request.header("content-type", "application/json").body("{\"end_date\": \"x\"}");
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.url().path().to_owned())
    };

    assert_eq!(follow(Method::GET, "/health/").await, (200, "/health".to_owned()));
    assert_eq!(follow(Method::GET, "/jobs/?limit=1").await, (200, "/jobs".to_owned()));
    assert_eq!(follow(Method::POST, "/simulate/trigger/").await, (422, "/simulate/trigger".to_owned()));
    assert_eq!(follow(Method::GET, "/redoc").await, (200, "/docs/".to_owned()));
    assert_eq!(follow(Method::GET, "//elsewhere.example/").await.0, 404, "another host is never named");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let api = Api::of(recorded()).await;
    let body = format!("{{\"end_date\": \"2025-10-06\", \"more\": \"{}\"}}", "x".repeat(1 << 20));

    let response = api.post_text(&body).await;

    assert_eq!(response.refusal(), (413, "Request body is larger than 1 MiB; send a smaller one"));
}
