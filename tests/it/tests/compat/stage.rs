//! A system with recorded prices, and a client that uses HTTP only.

use it::{Builder, Shape, System, http};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Response {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("a response");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
        Self { status, headers, text, body }
    }

    /// The status and the text that original clients show.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["detail"].as_str().unwrap_or_default())
    }

    /// The job that was accepted.
    pub(crate) fn job(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body["job_id"].as_str().expect("a job id").to_owned()
    }
}

/// The API of a system.
pub(crate) struct Api {
    pub(crate) system: System,
}

impl Api {
    pub(crate) async fn of(builder: Builder) -> Self {
        Self { system: builder.start().await }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        Response::of(http().get(format!("{}{path}", self.system.client.status_url))).await
    }

    /// `POST /simulate/trigger`.
    pub(crate) async fn post(&self, body: &Value) -> Response {
        self.post_text(&body.to_string()).await
    }

    /// The same with any text as body.
    pub(crate) async fn post_text(&self, body: &str) -> Response {
        Response::of(self.request().body(body.to_owned())).await
    }

    /// The same with an `Idempotency-Key`.
    pub(crate) async fn post_under(&self, key: &str, body: &Value) -> Response {
        Response::of(self.request().header("Idempotency-Key", key).body(body.to_string())).await
    }

    /// A call with any method.
    pub(crate) async fn call(&self, method: reqwest::Method, path: &str) -> Response {
        Response::of(http().request(method, format!("{}{path}", self.system.client.status_url))).await
    }

    /// Runs a job to its end; returns its status.
    pub(crate) async fn run(&self, body: &Value) -> Value {
        let job = self.post(body).await.job();
        self.system.client.ended(&job).await
    }

    fn request(&self) -> reqwest::RequestBuilder {
        let url = format!("{}/simulate/trigger", self.system.client.trigger_url);
        http().post(url).header("content-type", "application/json")
    }
}

/// Two symbols, and three models: a recorded trader and an idle one, and a disabled one. Today is 2025-10-30.
pub(crate) fn recorded() -> Builder {
    let decisions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compat/decisions.csv");
    let models = format!(
        "[[models]]\nsignature = \"trader\"\nkind = \"recorded\"\nenabled = true\ndecisions = \"{decisions}\"\n
         [[models]]\nsignature = \"idle\"\nkind = \"policy\"\nenabled = true\npolicy = {{ policy = \"cash\" }}\n
         [[models]]\nsignature = \"retired\"\nkind = \"policy\"\npolicy = {{ policy = \"cash\" }}\n"
    );
    System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT"], Some("QQQ"))
        .models(&models)
        .env("SIMULATED_TODAY", "2025-10-30")
}

/// A request for Wednesday 2025-10-01 to the following Monday.
pub(crate) fn first_days() -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-06" })
}

/// The fields of an object, in their order.
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Asserts that `value` has at least these fields with these values.
#[track_caller]
pub(crate) fn assert_has(value: &Value, expected: &Value) {
    for (name, expected) in expected.as_object().expect("an object") {
        assert_eq!(value.get(name), Some(expected), "{name} of {value}");
    }
}

/// Asserts that `value` is an instant in UTC, to the microsecond, in the format of the original API.
#[track_caller]
pub(crate) fn assert_instant(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no instant"));
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{text}");
}
