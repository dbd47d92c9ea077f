//! One call of an agent's endpoint, bounded in time and size. What the answer means is up to the domain.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use domain::agent::{Delivery, Dialect, EndpointUrl, RawResponse};
use domain::job::AgentModel;
use reqwest::header::HeaderMap;
use runtime::outbound::address_refusal;

use super::access::{CallAccess, EndpointAccess, NotCalled};
use super::signature;

/// Longest that one call may take, however slowly its response arrives.
const MAX_CALL_TIME: Duration = Duration::from_secs(300);

/// The version of the Messages API, which each request names.
const MESSAGES_VERSION: &str = "2023-06-01";

/// Calls endpoints.
#[derive(Debug)]
pub(crate) struct Endpoints {
    http: reqwest::Client,
    access: EndpointAccess,
}

impl Endpoints {
    /// Prepares the client.
    pub(crate) fn new(access: EndpointAccess) -> reqwest::Result<Self> {
        let http = access.outbound.client()?.connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, access })
    }

    /// What calls of this model's endpoint may carry.
    pub(crate) fn access(&self, agent: &AgentModel) -> Result<CallAccess, NotCalled> {
        self.access.of(agent)
    }

    /// Sends `body` and reads the answer; `identity` is the same whenever the same call is sent again.
    pub(crate) async fn call(
        &self,
        agent: &AgentModel,
        access: &CallAccess,
        identity: &str,
        body: String,
    ) -> RawResponse {
        let mut request = self
            .http
            .post(agent.dialect.address(&agent.url))
            .header("content-type", "application/json")
            .header("idempotency-key", identity);
        if agent.dialect == Dialect::Agent {
            let headers = signature::headers(&access.signers, identity, Utc::now().timestamp(), &body);
            request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        }
        if agent.dialect == Dialect::Messages {
            request = request.header("anthropic-version", MESSAGES_VERSION);
        }
        if let Some(key) = &access.key {
            request = with_key(request, agent, key);
        }
        let request = request.body(body);
        let most = usize::try_from(agent.settings.limits.max_answer_bytes).unwrap_or(usize::MAX);
        let quiet = Duration::from_secs(agent.timeout_seconds);
        let read = read(request, quiet, most);
        tokio::time::timeout(MAX_CALL_TIME, read)
            .await
            .unwrap_or_else(|_| RawResponse::none(Delivery::TimedOut, Utc::now()))
    }
}

/// Sends the key as the endpoint reads it.
fn with_key(request: reqwest::RequestBuilder, agent: &AgentModel, key: &str) -> reqwest::RequestBuilder {
    match agent.dialect {
        Dialect::ChatCompletions | Dialect::Responses | Dialect::Agent => request.bearer_auth(key),
        // The host whose protocol it is takes a bearer for something else.
        Dialect::Messages if is_anthropic(&agent.url) => request.header("x-api-key", key),
        Dialect::Messages => request.header("x-api-key", key).bearer_auth(key),
    }
}

fn is_anthropic(url: &str) -> bool {
    url.parse().is_ok_and(|url: EndpointUrl| url.host() == "api.anthropic.com")
}

async fn read(request: reqwest::RequestBuilder, quiet: Duration, most: usize) -> RawResponse {
    let mut response = match tokio::time::timeout(quiet, request.send()).await {
        Err(_) => return RawResponse::none(Delivery::TimedOut, Utc::now()),
        Ok(Err(error)) => return RawResponse::none(not_delivered(&error), Utc::now()),
        Ok(Ok(response)) => response,
    };
    let (status, headers) = (response.status().as_u16(), headers(response.headers()));
    let mut body = Vec::new();
    let delivery = loop {
        // What a redirect says is of no use.
        if response.status().is_redirection() {
            break Delivery::Whole;
        }
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

fn not_delivered(error: &reqwest::Error) -> Delivery {
    if let Some(refusal) = address_refusal(error) {
        tracing::warn!("a model's endpoint was not called: its host {refusal}");
        Delivery::NotAllowed
    } else if error.is_connect() {
        Delivery::Unreachable
    } else if error.is_timeout() {
        Delivery::TimedOut
    } else {
        Delivery::Cut
    }
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}
