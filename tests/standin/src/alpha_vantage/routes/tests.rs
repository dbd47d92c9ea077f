use axum::http::Request;
use tower::ServiceExt;

use axum::body::Body;

use super::*;
use crate::alpha_vantage::prices::Prices;
use crate::alpha_vantage::settings::Settings;

struct Site {
    router: Router,
    _stop: watch::Sender<()>,
}

impl Site {
    fn new() -> Self {
        let control = Control::new(Prices::recorded().unwrap(), Settings::default());
        let (stop, stopping) = watch::channel(());
        Self { router: router(Arc::new(control), stopping), _stop: stop }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> String {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await.1
    }

    async fn post(&self, path: &str, json: &'static str) -> StatusCode {
        let request = Request::post(path).header("content-type", "application/json").body(Body::from(json));
        self.send(request.unwrap()).await.0
    }
}

const AAPL: &str =
    "/query?function=TIME_SERIES_DAILY&symbol=AAPL&outputsize=compact&datatype=json&apikey=secret";

#[tokio::test]
async fn a_real_body_is_served_byte_for_byte() {
    let site = Site::new();

    let body = site.get(AAPL).await;

    assert!(body == include_str!("../../../testdata/daily_prices_AAPL.json"), "{body:.200}");
}

#[tokio::test]
async fn calls_are_listed_without_their_key() {
    let site = Site::new();
    site.get(AAPL).await;

    let calls = site.get("/control/calls").await;

    assert!(!calls.contains("secret"), "{calls}");
    let calls: Value = serde_json::from_str(&calls).unwrap();
    assert_eq!((&calls["count"], &calls["calls"][0]["symbol"]), (&json!(1), &json!("AAPL")));
}

#[tokio::test]
async fn changes_apply_at_once_and_a_reset_reverts_them() {
    let site = Site::new();
    let change = r#"{"today": "2025-10-02", "rate_limit_after": 1, "faults": {"MSFT": "500"}}"#;

    assert_eq!(site.post("/control", change).await, StatusCode::NO_CONTENT);
    assert!(site.get(AAPL).await.contains(r#""3. Last Refreshed": "2025-10-02""#));
    assert!(site.get(AAPL).await.contains("25 requests per day"));
    assert_eq!(site.get(&AAPL.replace("AAPL", "MSFT")).await, "Internal Server Error");

    assert_eq!(site.post("/control/reset", "").await, StatusCode::NO_CONTENT);
    assert!(site.get(AAPL).await.contains(r#""3. Last Refreshed": "2025-10-30""#));
    assert!(site.get("/control/calls").await.starts_with(r#"{"calls":[{"#));
}

#[tokio::test]
async fn an_unknown_fault_or_field_changes_nothing() {
    let site = Site::new();

    let fault = site.post("/control", r#"{"today": "2025-10-02", "faults": {"MSFT": "504"}}"#).await;
    let field = site.post("/control", r#"{"todya": "2025-10-02"}"#).await;

    assert_eq!((fault, field), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
    assert!(site.get(AAPL).await.contains(r#""3. Last Refreshed": "2025-10-30""#));
}

#[tokio::test]
async fn responses_are_dated_late_in_the_evening_of_today() {
    let request = Request::get(AAPL).body(Body::empty()).unwrap();

    let response = Site::new().router.oneshot(request).await.unwrap();

    assert_eq!(
        response.headers()[header::DATE],
        "Fri, 31 Oct 2025 03:59:59 GMT",
        "10-30, 23:59:59 in New York"
    );
}
