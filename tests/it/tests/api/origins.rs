//! Requests that other sites' pages make in somebody's browser, and requests under names that are not the API's.

use it::{Shape, System, http};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::token::make_token;

const EVIL: &str = "https://evil.example";
const BARS: &str = "symbol,date,open,high,low,close,volume\nAAPL,2025-10-01,1,2,1,2,10\n";

/// A system whose operator said that a gateway authenticates.
async fn behind_a_gateway() -> System {
    System::builder(Shape::OneProcess)
        .env("LISTEN_TRUSTED_NETWORK", "true")
        .env("ALLOWED_HOSTS", "modelday.example")
        .start()
        .await
}

fn to(system: &System, method: Method, path: &str) -> RequestBuilder {
    http().request(method, format!("{}{path}", system.client.status_url))
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_page_of_another_site_can_neither_trigger_nor_import_nor_read_behind_a_gateway() {
    let system = behind_a_gateway().await;
    let trigger =
        || to(&system, Method::POST, "/simulate/trigger").json(&json!({ "end_date": "2025-10-01" }));
    let import = || to(&system, Method::POST, "/prices/import").header("Content-Type", "text/csv").body(BARS);

    assert_eq!(status(trigger().header("Origin", EVIL)).await, StatusCode::FORBIDDEN);
    assert_eq!(status(trigger().header("Sec-Fetch-Site", "cross-site")).await, StatusCode::FORBIDDEN);
    assert_eq!(status(import().header("Origin", EVIL)).await, StatusCode::FORBIDDEN);
    for path in ["/jobs", "/", "/openapi.json", "/nowhere"] {
        let foreign = || to(&system, Method::GET, path).header("Host", "evil.example");
        assert_eq!(status(foreign()).await, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(status(foreign().header("Origin", "http://evil.example")).await, StatusCode::FORBIDDEN);
    }

    let jobs = system.client.get_ok("/jobs").await;
    assert_eq!(jobs["count"], 0, "{jobs}");
    let page = to(&system, Method::GET, "/jobs").header("Host", "modelday.example");
    assert_eq!(status(page.header("Origin", "https://modelday.example")).await, StatusCode::OK);
    for probe in ["/livez", "/readyz", "/health", "/metrics"] {
        let foreign = to(&system, Method::GET, probe).header("Host", "10.1.2.3:8080");
        assert_eq!(status(foreign).await, StatusCode::OK, "{probe}");
    }
}

#[tokio::test]
async fn a_token_does_not_help_a_page_of_another_site() {
    let owner = make_token("owner", &["read", "trigger"]);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &owner.entry).start().await;
    let jobs = || to(&system, Method::GET, "/jobs").bearer_auth(&owner.token);

    let refused = jobs().header("Origin", EVIL).send().await.unwrap();

    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let problem: Value = refused.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("ALLOWED_HOSTS"), "{problem}");
    assert_eq!(status(jobs().header("Host", "evil.example")).await, StatusCode::FORBIDDEN);
    assert_eq!(status(jobs()).await, StatusCode::OK);
}

#[tokio::test]
async fn what_a_form_of_another_site_can_send_is_not_read_even_without_an_origin() {
    let system = behind_a_gateway().await;
    let body = json!({ "end_date": "2025-10-01" }).to_string();

    for form in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        for path in ["/simulate/trigger", "/simulate/plan", "/prices/import", "/dead-letters/1/discard"] {
            let sent = to(&system, Method::POST, path).header("Content-Type", form).body(body.clone());
            assert_eq!(status(sent).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{form} to {path}");
        }
    }
    let without = to(&system, Method::POST, "/simulate/trigger").body(body.clone());
    assert_eq!(status(without).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let jobs = system.client.get_ok("/jobs").await;
    assert_eq!(jobs["count"], 0, "{jobs}");
}
