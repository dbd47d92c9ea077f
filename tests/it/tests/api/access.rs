//! Access to the API: tokens, scopes, limits.

use it::{Shape, System, http};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::token::make_token;

/// The status, the `detail`, and `Retry-After` or `WWW-Authenticate` of a response.
async fn send(
    system: &System,
    method: Method,
    path: &str,
    token: Option<&str>,
) -> (StatusCode, String, String) {
    let mut request = http().request(method, format!("{}{path}", system.client.status_url));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let hint = header("retry-after").or_else(|| header("www-authenticate")).unwrap_or_default();
    let body: Value = response.json().await.unwrap_or_default();
    (status, body["detail"].as_str().unwrap_or_default().to_owned(), hint)
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_name_and_nothing_else() {
    let (reader, starter) = (make_token("reader", &["read"]), make_token("starter", &["trigger", "operate"]));
    let tokens = format!("{} {}", reader.entry, starter.entry);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &tokens).start().await;
    let status =
        async |method: Method, path: &str, token: Option<&str>| send(&system, method, path, token).await.0;

    for open in ["/health", "/readyz", "/livez", "/openapi.json", "/docs/"] {
        assert_eq!(status(Method::GET, open, None).await, StatusCode::OK, "{open} is for everybody");
    }
    for path in ["/jobs", "/models", "/metrics", "/dead-letters"] {
        let (status, detail, challenge) = send(&system, Method::GET, path, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(challenge, "Bearer");
        assert_eq!(detail, "Send a known API token as Authorization: Bearer TOKEN");
    }
    assert_eq!(status(Method::GET, "/jobs", Some("mdt_wrong")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(Method::GET, "/jobs", Some(&reader.token)).await, StatusCode::OK);
    assert_eq!(status(Method::HEAD, "/jobs", Some(&reader.token)).await, StatusCode::OK);
    let (refused, detail, _) = send(&system, Method::POST, "/simulate/trigger", Some(&reader.token)).await;
    assert_eq!((refused, &*detail), (StatusCode::FORBIDDEN, "Token reader lacks the scope trigger"));
    let (refused, detail, _) = send(&system, Method::GET, "/dead-letters", Some(&reader.token)).await;
    assert_eq!((refused, &*detail), (StatusCode::FORBIDDEN, "Token reader lacks the scope operate"));
    assert_eq!(status(Method::GET, "/dead-letters", Some(&starter.token)).await, StatusCode::OK);
    for method in [Method::PUT, Method::DELETE] {
        let (refused, detail, _) = send(&system, method, "/pauses/model/cash", Some(&reader.token)).await;
        assert_eq!((refused, &*detail), (StatusCode::FORBIDDEN, "Token reader lacks the scope operate"));
    }
    assert_eq!(status(Method::GET, "/pauses", Some(&reader.token)).await, StatusCode::OK);
    assert_eq!(status(Method::GET, "/jobs", Some(&starter.token)).await, StatusCode::FORBIDDEN);
    let log = system.logs();
    assert!(!log.contains(&reader.token) && !log.contains("mdt_wrong"), "a token is in the log");
}

#[tokio::test]
async fn a_token_with_too_many_requests_gets_a_retry_after_and_other_tokens_are_not_affected() {
    let (busy, other) = (make_token("busy", &["read"]), make_token("other", &["read"]));
    let system = System::builder(Shape::OneProcess)
        .env("API_TOKENS", &format!("{} {}", busy.entry, other.entry))
        .env("API_REQUESTS_PER_MINUTE", "3")
        .start()
        .await;

    for _ in 0..3 {
        assert_eq!(send(&system, Method::GET, "/models", Some(&busy.token)).await.0, StatusCode::OK);
    }
    let (status, detail, retry_after) = send(&system, Method::GET, "/models", Some(&busy.token)).await;

    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(detail, "Token busy has made more than 3 requests a minute");
    assert!((1..=21).contains(&retry_after.parse::<u32>().unwrap()), "{retry_after} s");
    assert_eq!(send(&system, Method::GET, "/models", Some(&other.token)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_the_token_that_brought_it() {
    let (one, two) = (make_token("one", &["trigger"]), make_token("two", &["trigger"]));
    let tokens = format!("{} {}", one.entry, two.entry);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &tokens).start().await;
    let job = async |token: &str, end: &str| {
        let url = format!("{}/simulate/trigger", system.client.trigger_url);
        let request = http().post(url).bearer_auth(token).header("Idempotency-Key", "nightly");
        let body = serde_json::json!({ "end_date": end, "models": ["cash"] });
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()["job_id"].clone()
    };

    let first = job(&one.token, "2025-10-01").await;
    let again = job(&one.token, "2025-10-01").await;
    let others = job(&two.token, "2025-10-02").await;

    assert_eq!(first, again);
    assert_ne!(first, others, "the key of another token stands for another request");
}

#[tokio::test]
async fn responses_restrict_browsers() {
    let system = System::builder(Shape::OneProcess).start().await;
    let url = format!("{}/jobs", system.client.status_url);

    let plain = http().get(&url).send().await.unwrap();

    assert_eq!(plain.status(), StatusCode::OK);
    for (name, value) in [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(plain.headers()[name], value, "{name}");
    }
}
