//! One call of an agent's endpoint, bounded in time and size. What the answer means is up to the domain.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use domain::agent::{Delivery, Dialect, RawResponse, Secrets};
use domain::job::AgentModel;
use reqwest::header::HeaderMap;

use super::http::client;

/// Longest that one call may take, however slowly its response arrives.
const MAX_CALL_TIME: Duration = Duration::from_secs(300);

/// Calls endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    http: reqwest::Client,
}

/// Why an endpoint cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKey {
    /// The model names a variable that the executor does not have.
    #[error(
        "the executor's environment has no {0}, which this model's api_key_env names; set it and restart"
    )]
    Unset(String),
}

impl Endpoints {
    /// Prepares the client.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let http = client().connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http })
    }

    /// Sends `body` and reads the answer; `identity` is the same whenever the same call is sent again.
    pub(crate) async fn call(
        &self,
        agent: &AgentModel,
        key: Option<&str>,
        identity: &str,
        body: String,
    ) -> RawResponse {
        let url = match agent.dialect {
            Dialect::ChatCompletions => format!("{}/chat/completions", agent.url),
            Dialect::Agent => agent.url.clone(),
        };
        let mut request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("idempotency-key", identity)
            .body(body);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let most = usize::try_from(agent.settings.limits.max_answer_bytes).unwrap_or(usize::MAX);
        let quiet = Duration::from_secs(agent.timeout_seconds);
        let read = read(request, quiet, most);
        tokio::time::timeout(MAX_CALL_TIME, read)
            .await
            .unwrap_or_else(|_| RawResponse::none(Delivery::TimedOut, Utc::now()))
    }
}

async fn read(request: reqwest::RequestBuilder, quiet: Duration, most: usize) -> RawResponse {
    let mut response = match tokio::time::timeout(quiet, request.send()).await {
        Err(_) => return RawResponse::none(Delivery::TimedOut, Utc::now()),
        Ok(Err(error)) if error.is_connect() => return RawResponse::none(Delivery::Unreachable, Utc::now()),
        Ok(Err(error)) if error.is_timeout() => return RawResponse::none(Delivery::TimedOut, Utc::now()),
        Ok(Err(_)) => return RawResponse::none(Delivery::Cut, Utc::now()),
        Ok(Ok(response)) => response,
    };
    let (status, headers) = (response.status().as_u16(), headers(response.headers()));
    let mut body = Vec::new();
    let delivery = loop {
        match tokio::time::timeout(quiet, response.chunk()).await {
            Err(_) => break Delivery::TimedOut,
            Ok(Err(_)) => break Delivery::Cut,
            Ok(Ok(None)) => break Delivery::Whole,
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() > most => break Delivery::TooLarge,
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
        }
    };
    RawResponse { delivery, status: Some(status), headers, body, received_at: Utc::now() }
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// The key of an agent's endpoint, from the environment.
pub(crate) fn key(agent: &AgentModel) -> Result<Option<String>, NoKey> {
    let Some(variable) = &agent.key_variable else { return Ok(None) };
    let key = std::env::var(variable).ok().filter(|key| !key.is_empty());
    key.map(Some).ok_or_else(|| NoKey::Unset(variable.clone()))
}

/// What must never be written down.
pub(crate) fn secrets(key: Option<&str>) -> Secrets {
    Secrets::new(key.map(str::to_owned))
}
