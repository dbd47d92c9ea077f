//! One call of an agent's endpoint, bounded in time and size. What the answer means is up to the domain.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::Utc;
use domain::agent::{Delivery, Dialect, EndpointUrl, RawResponse};
use domain::job::AgentModel;
use reqwest::header::{HeaderMap, HeaderValue};
use runtime::outbound::address_refusal;
use runtime::telemetry;

use super::access::{CallAccess, EndpointAccess, NotCalled};
use super::signature;

/// Longest that one call may take, however slowly its response arrives.
const MAX_CALL_TIME: Duration = Duration::from_secs(300);

/// The version of the Messages API, which each request names.
const MESSAGES_VERSION: &str = "2023-06-01";

/// Names of headers that carry secrets.
const SECRET_HEADERS: [&str; 3] = ["authorization", "x-api-key", "webhook-signature"];

/// Calls endpoints. Clones share the keys.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    http: reqwest::Client,
    /// With the keys that were read last.
    access: Arc<RwLock<Arc<EndpointAccess>>>,
}

impl Endpoints {
    /// Prepares the client.
    pub(crate) fn new(access: EndpointAccess) -> reqwest::Result<Self> {
        let http = access.outbound.client()?.connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, access: Arc::new(RwLock::new(Arc::new(access))) })
    }

    /// The keys of this moment.
    pub(crate) fn keys(&self) -> Arc<EndpointAccess> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls from now on carry these keys.
    pub(crate) fn renew(&self, keys: EndpointAccess) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// What calls of this model's endpoint may carry.
    pub(crate) fn access(&self, agent: &AgentModel) -> Result<CallAccess, NotCalled> {
        self.keys().of(agent)
    }

    /// Sends `body` and reads the answer; `identity` is the same whenever the same call is sent again.
    pub(crate) async fn call(
        &self,
        agent: &AgentModel,
        access: &CallAccess,
        identity: &str,
        body: String,
    ) -> RawResponse {
        let headers = headers_of(agent, access, identity, &body);
        self.send(agent, headers, body).await.0
    }

    /// Sends a call with these headers. Answers beside the response what the network said when there is none.
    pub(crate) async fn send(
        &self,
        agent: &AgentModel,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> (RawResponse, Option<String>) {
        let mut request = self.http.post(agent.dialect.address(&agent.url));
        for (name, value) in headers {
            request = match HeaderValue::from_str(&value) {
                Ok(mut value) => {
                    value.set_sensitive(SECRET_HEADERS.contains(&name));
                    request.header(name, value)
                }
                // The request fails when it is sent.
                Err(_) => request.header(name, value),
            };
        }
        // A user's own agent is a part of the story; whether endpoints of others are is up to the operator.
        if agent.dialect == Dialect::Agent || self.keys().outbound.sends_trace_context.to_models {
            for (name, value) in telemetry::trace_headers() {
                request = request.header(name, value);
            }
        }
        let most = usize::try_from(agent.settings.limits.max_answer_bytes).unwrap_or(usize::MAX);
        let quiet = Duration::from_secs(agent.timeout_seconds);
        let read = read(request.body(body), quiet, most);
        tokio::time::timeout(MAX_CALL_TIME, read)
            .await
            .unwrap_or_else(|_| (RawResponse::none(Delivery::TimedOut, Utc::now()), None))
    }
}

/// The headers of a call.
pub(crate) fn headers_of(
    agent: &AgentModel,
    access: &CallAccess,
    identity: &str,
    body: &str,
) -> Vec<(&'static str, String)> {
    let mut headers =
        vec![("content-type", "application/json".to_owned()), ("idempotency-key", identity.to_owned())];
    if agent.dialect == Dialect::Agent {
        headers.extend(signature::headers(&access.signers, identity, Utc::now().timestamp(), body));
    }
    if agent.dialect == Dialect::Messages {
        headers.push(("anthropic-version", MESSAGES_VERSION.to_owned()));
    }
    if let Some(key) = &access.key {
        headers.extend(key_headers(agent, key));
    }
    headers
}

/// The headers as they may be shown.
pub(crate) fn shown(headers: &[(&'static str, String)]) -> BTreeMap<&'static str, String> {
    let shown = |(name, value): &(&'static str, String)| match SECRET_HEADERS.contains(name) {
        true => (*name, "[redacted]".to_owned()),
        false => (*name, value.clone()),
    };
    headers.iter().map(shown).collect()
}

/// The key as the endpoint reads it.
fn key_headers(agent: &AgentModel, key: &str) -> Vec<(&'static str, String)> {
    let bearer = || ("authorization", format!("Bearer {key}"));
    let of_messages = || ("x-api-key", key.to_owned());
    match agent.dialect {
        Dialect::ChatCompletions | Dialect::Responses | Dialect::Agent | Dialect::Mcp => vec![bearer()],
        // The host whose protocol it is takes a bearer for something else.
        Dialect::Messages if is_anthropic(&agent.url) => vec![of_messages()],
        Dialect::Messages => vec![of_messages(), bearer()],
    }
}

fn is_anthropic(url: &str) -> bool {
    url.parse().is_ok_and(|url: EndpointUrl| url.host() == "api.anthropic.com")
}

async fn read(
    request: reqwest::RequestBuilder,
    quiet: Duration,
    most: usize,
) -> (RawResponse, Option<String>) {
    let none = |delivery, cause| (RawResponse::none(delivery, Utc::now()), cause);
    let mut response = match tokio::time::timeout(quiet, request.send()).await {
        Err(_) => return none(Delivery::TimedOut, None),
        Ok(Err(error)) => return none(not_delivered(&error), Some(innermost(&error))),
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
    (RawResponse { delivery, status: Some(status), headers, body, received_at: Utc::now() }, None)
}

/// The innermost cause; the layers around it name the address again.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
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
