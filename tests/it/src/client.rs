//! The HTTP API as tests use it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

/// How long a job may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A plain HTTP client.
pub fn http() -> reqwest::Client {
    // An error means that there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("an HTTP client")
}

/// Where trigger and status answer; the same address when one process has both.
#[derive(Debug, Clone)]
pub struct Client {
    /// `POST /simulate/trigger`, `GET /models`.
    pub trigger_url: String,
    /// Imports, coverage, providers.
    pub prices_url: String,
    /// The conversations of model-days.
    pub executor_url: String,
    /// The rest.
    pub status_url: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of these addresses.
    pub fn new(trigger_url: String, prices_url: String, executor_url: String, status_url: String) -> Self {
        Self { trigger_url, prices_url, executor_url, status_url, http: http() }
    }

    /// The raw answer to a trigger request.
    pub async fn post_trigger(&self, body: &Value) -> (StatusCode, Value) {
        let response = self
            .http
            .post(format!("{}/simulate/trigger", self.trigger_url))
            .json(body)
            .send()
            .await
            .expect("trigger answers");
        (response.status(), response.json().await.expect("the answer is JSON"))
    }

    /// What a trigger request would do; it must be one that is accepted.
    pub async fn plan(&self, body: &Value) -> Value {
        let response = self
            .http
            .post(format!("{}/simulate/plan", self.trigger_url))
            .json(body)
            .send()
            .await
            .expect("trigger answers");
        let status = response.status();
        let answer = response.json().await.expect("the answer is JSON");
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Triggers a job that must be accepted; its id.
    pub async fn trigger(&self, body: &Value) -> String {
        let (status, answer) = self.post_trigger(body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["job_id"].as_str().expect("a job id").to_owned()
    }

    /// The raw answer to a POST without a body that trigger takes.
    pub async fn post(&self, path: &str) -> (StatusCode, Value) {
        let response =
            self.http.post(format!("{}{path}", self.trigger_url)).send().await.expect("trigger answers");
        (response.status(), response.json().await.expect("the answer is JSON"))
    }

    /// Cancels a job, which must be active or cancelled.
    pub async fn cancel(&self, job: &str) {
        let (status, answer) = self.post(&format!("/jobs/{job}/cancel")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["status"], "cancelled", "{answer}");
    }

    /// The raw answer to a GET of the status service.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response =
            self.http.get(format!("{}{path}", self.status_url)).send().await.expect("status answers");
        let status = response.status();
        let text = response.text().await.expect("the answer has a body");
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path} answered {status}: {text}"));
        (status, body)
    }

    /// The raw answer to an import of prices.
    pub async fn import_prices(&self, query: &str, csv: &str) -> (StatusCode, Value) {
        let url = format!("{}/prices/import{query}", self.prices_url);
        let request = self.http.post(url).header("Content-Type", "text/csv").body(csv.to_owned());
        let response = request.send().await.expect("downloader answers");
        let status = response.status();
        (status, response.json().await.expect("the answer is JSON"))
    }

    /// A GET of the downloader that must succeed.
    pub async fn prices(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.prices_url);
        let response = self.http.get(&url).send().await.expect("downloader answers");
        let status = response.status();
        let answer = response.json().await.expect("the answer is JSON");
        assert_eq!(status, StatusCode::OK, "{url}: {answer}");
        answer
    }

    /// A GET that must succeed.
    pub async fn get_ok(&self, path: &str) -> Value {
        let (status, answer) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// A model-day with its conversation.
    pub async fn model_day(&self, job: &str, model: &str, date: &str) -> Value {
        let url = format!("{}/jobs/{job}/model-days/{model}/{date}", self.executor_url);
        let response = self.http.get(&url).send().await.expect("executor answers");
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        response.json().await.expect("the answer is JSON")
    }

    /// The raw answer to a request for a job's bundle.
    pub async fn bundle(&self, job: &str) -> (StatusCode, Vec<u8>) {
        let url = format!("{}/jobs/{job}/bundle", self.executor_url);
        let response = self.http.get(&url).send().await.expect("executor answers");
        let status = response.status();
        (status, response.bytes().await.expect("the answer has a body").into())
    }

    /// The job's status.
    pub async fn job(&self, job: &str) -> Value {
        self.get_ok(&format!("/simulate/status/{job}")).await
    }

    /// The job's status once it has ended.
    pub async fn ended(&self, job: &str) -> Value {
        self.until(job, "end", |status| {
            matches!(status["status"].as_str(), Some("completed" | "partial" | "failed" | "cancelled"))
        })
        .await
    }

    /// The job's status once `reached` holds of it.
    pub async fn until(&self, job: &str, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(response) =
                self.http.get(format!("{}/simulate/status/{job}", self.status_url)).send().await
                && let Ok(status) = response.json::<Value>().await
            {
                if reached(&status) {
                    return status;
                }
                assert!(Instant::now() < deadline, "job {job} did not {what}: {}", short(&status));
            }
            assert!(Instant::now() < deadline, "job {job} did not {what}: no answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Return of each row of the leaderboard in percent, rounded to two places, by name.
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

fn short(status: &Value) -> String {
    let mut status = status.clone();
    if let Some(fields) = status.as_object_mut() {
        fields.remove("details");
        fields.remove("date_range");
    }
    status.to_string()
}
