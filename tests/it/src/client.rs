//! The HTTP API as tests call it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

/// The longest wait for a job.
const JOB_TIMEOUT: Duration = Duration::from_secs(120);

/// An HTTP client with a timeout.
pub fn http() -> reqwest::Client {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("an HTTP client")
}

/// The API of the four services. In one process they have the same URL.
#[derive(Debug, Clone)]
pub struct Client {
    /// The URL of trigger.
    pub trigger_url: String,
    /// The URL of downloader.
    pub prices_url: String,
    /// The URL of executor.
    pub executor_url: String,
    /// The URL of status.
    pub status_url: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of the services at these URLs.
    pub fn new(trigger_url: String, prices_url: String, executor_url: String, status_url: String) -> Self {
        Self { trigger_url, prices_url, executor_url, status_url, http: http() }
    }

    /// Sends a trigger request.
    pub async fn post_trigger(&self, body: &Value) -> (StatusCode, Value) {
        json(self.http.post(format!("{}/simulate/trigger", self.trigger_url)).json(body)).await
    }

    /// Sends a trigger request as a dry run, which must succeed.
    pub async fn plan(&self, body: &Value) -> Value {
        ok(self.http.post(format!("{}/simulate/plan", self.trigger_url)).json(body)).await
    }

    /// Triggers a job, which must be accepted, and returns its id.
    pub async fn trigger(&self, body: &Value) -> String {
        let (status, body) = self.post_trigger(body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["job_id"].as_str().expect("a job id").to_owned()
    }

    /// Sends a POST without a body to trigger.
    pub async fn post(&self, path: &str) -> (StatusCode, Value) {
        json(self.http.post(format!("{}{path}", self.trigger_url))).await
    }

    /// Cancels a job, which must be active or cancelled.
    pub async fn cancel(&self, job: &str) {
        let (status, body) = self.post(&format!("/jobs/{job}/cancel")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["status"], "cancelled", "{body}");
    }

    /// Sends a GET to status.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        json(self.http.get(format!("{}{path}", self.status_url))).await
    }

    /// Sends a GET to status, which must succeed.
    pub async fn get_ok(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.status_url));
        // What can be a stream is a page.
        ok(request.header("Accept", "application/json")).await
    }

    /// Imports prices.
    pub async fn import_prices(&self, query: &str, csv: &str) -> (StatusCode, Value) {
        let url = format!("{}/prices/import{query}", self.prices_url);
        json(self.http.post(url).header("Content-Type", "text/csv").body(csv.to_owned())).await
    }

    /// Sends a GET to downloader, which must succeed.
    pub async fn prices(&self, path: &str) -> Value {
        ok(self.http.get(format!("{}{path}", self.prices_url))).await
    }

    /// A model-day with its transcript.
    pub async fn model_day(&self, job: &str, model: &str, date: &str) -> Value {
        ok(self.http.get(format!("{}/jobs/{job}/model-days/{model}/{date}", self.executor_url))).await
    }

    /// Requests the bundle of a job.
    pub async fn bundle(&self, job: &str) -> (StatusCode, Vec<u8>) {
        let url = format!("{}/jobs/{job}/bundle", self.executor_url);
        let response = self.http.get(&url).send().await.expect("a response");
        let status = response.status();
        (status, response.bytes().await.expect("a body").into())
    }

    /// The job's status.
    pub async fn job(&self, job: &str) -> Value {
        self.get_ok(&format!("/simulate/status/{job}")).await
    }

    /// Waits until the job has ended; its status.
    pub async fn ended(&self, job: &str) -> Value {
        // The details of a large job would keep its services from their work.
        self.poll(job, "?details=false", "end", |status| {
            matches!(status["status"].as_str(), Some("completed" | "partial" | "failed" | "cancelled"))
        })
        .await;
        self.job(job).await
    }

    /// Waits until `reached` is true of the job's status; that status. `what` stands in the message of a failure.
    pub async fn until(&self, job: &str, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        self.poll(job, "", what, reached).await
    }

    async fn poll(&self, job: &str, query: &str, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let url = format!("{}/simulate/status/{job}{query}", self.status_url);
        let deadline = Instant::now() + JOB_TIMEOUT;
        loop {
            if let Ok(response) = self.http.get(&url).send().await
                && let Ok(status) = response.json::<Value>().await
            {
                if reached(&status) {
                    return status;
                }
                assert!(Instant::now() < deadline, "job {job} did not {what}: {}", short(&status));
            }
            assert!(Instant::now() < deadline, "job {job} did not {what}: no response");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The return of each row of the leaderboard by name, in percent with two decimals.
    pub async fn returns(&self, query: &str) -> BTreeMap<String, String> {
        let board = self.get_ok(&format!("/leaderboard?{query}")).await;
        let rows = board["rows"].as_array().expect("rows").iter();
        rows.map(|row| {
            let percent =
                row["return"].as_f64().map_or("-".to_owned(), |value| format!("{:+.2}", value * 100.0));
            (row["model"].as_str().expect("a name").to_owned(), percent)
        })
        .collect()
    }
}

/// The response to the request; its body must be JSON.
async fn json(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("a response");
    let (url, status) = (response.url().clone(), response.status());
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{url}: {status}: {text}"));
    (status, body)
}

/// The body of the response, which must have status 200.
async fn ok(request: RequestBuilder) -> Value {
    let (status, body) = json(request).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

/// The status of a job without its longest fields.
fn short(status: &Value) -> String {
    let mut status = status.clone();
    if let Some(fields) = status.as_object_mut() {
        fields.remove("details");
        fields.remove("date_range");
    }
    status.to_string()
}
