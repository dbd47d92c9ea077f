//! One call of a provider over HTTP: bounded in time and size, without redirects, and with errors that hold no key.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ingest::fetch_plan::Request as Subject;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Request, RequestBuilder, Response, Url};
use runtime::outbound::Outbound;
use runtime::telemetry;
use tracing::Instrument as _;

use super::call_span::{record, span};
use super::secret::Secret;
use super::{FetchResult, Outcome};

/// The longest accepted body. A full history has about 1.5 MB, all symbols of a date about 2 MB.
const MAX_BODY_BYTES: usize = 16 << 20;

/// How to reach a provider.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The address before the paths of the provider, e.g. `https://www.alphavantage.co`.
    pub(crate) base_url: String,
    pub(crate) key: Secret,
    /// How long a call may take, its body included.
    pub(crate) timeout: Duration,
    pub(crate) outbound: Outbound,
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// The address is malformed. It is not printed, as people put keys into addresses.
    #[error("the base URL is not a plain http or https address")]
    BaseUrl,
    /// E.g. the system has no certificates.
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
}

/// A response as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    /// The `Retry-After` header.
    pub(crate) retry_after: Option<String>,
    /// Empty when the status says that the server failed.
    pub(crate) body: Vec<u8>,
}

/// A client of one provider.
#[derive(Debug)]
pub(crate) struct HttpClient {
    /// The provider's name.
    name: &'static str,
    http: Client,
    sends_trace_context: bool,
    base: Url,
    key: Secret,
    timeout: Duration,
    pub(super) max_body_bytes: usize,
}

impl HttpClient {
    pub(crate) fn new(name: &'static str, access: Access) -> Result<Self, SetupError> {
        let base = plain_address(&access.base_url).ok_or(SetupError::BaseUrl)?;
        let client = access.outbound.of_operator().client();
        let http = client.and_then(|client| client.timeout(access.timeout).build());
        let http = http.map_err(|error| SetupError::Client(error.without_url()))?;
        let sends_trace_context = access.outbound.sends_trace_context.to_providers;
        let Access { key, timeout, .. } = access;
        Ok(Self { name, http, sends_trace_context, base, key, timeout, max_body_bytes: MAX_BODY_BYTES })
    }

    pub(crate) fn key(&self) -> &Secret {
        &self.key
    }

    /// Begins a GET of a path below the base URL.
    pub(crate) fn get(&self, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        // Only an address that cannot be a base has no segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.http.get(url)
    }

    /// Makes one call for `subject`; `classify` decides what its response is.
    pub(crate) async fn call(
        &self,
        subject: &Subject,
        request: RequestBuilder,
        classify: impl FnOnce(&HttpResponse) -> Outcome,
    ) -> FetchResult {
        let failed = |error| FetchResult { outcome: self.unreachable(error), calls: 1, responded_at: None };
        let request = match request.build() {
            Ok(request) => request,
            Err(error) => return failed(error),
        };
        let span = span(self.name, subject, &request, |url| self.key.redact(url));
        let result = match self.send(request).instrument(span.clone()).await {
            Ok(response) => {
                span.record("http.response.status_code", i64::from(response.status().as_u16()));
                self.read(response, classify).instrument(span.clone()).await
            }
            Err(error) => failed(error),
        };
        record(&span, &result);
        result
    }

    async fn send(&self, mut request: Request) -> reqwest::Result<Response> {
        if self.sends_trace_context {
            for (name, value) in telemetry::trace_headers() {
                if let Ok(value) = value.parse() {
                    request.headers_mut().insert(name, value);
                }
            }
        }
        self.http.execute(request).await
    }

    async fn read(&self, response: Response, classify: impl FnOnce(&HttpResponse) -> Outcome) -> FetchResult {
        let responded_at = header(response.headers(), &DATE)
            .and_then(|text| DateTime::parse_from_rfc2822(text).ok())
            .map(|at| at.to_utc());
        let status = response.status().as_u16();
        let retry_after = header(response.headers(), &RETRY_AFTER).map(str::to_owned);
        let body = match status {
            500.. => Ok(Vec::new()),
            _ => self.body(response).await,
        };
        let outcome = match body {
            Ok(body) => classify(&HttpResponse { status, retry_after, body }),
            Err(outcome) => outcome,
        };
        FetchResult { outcome, calls: 1, responded_at }
    }

    /// The whole body, unless it is cut or too long.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Outcome> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_body_bytes => {
                    let reason = format!("a body of more than {} bytes", self.max_body_bytes);
                    return Err(Outcome::Malformed { reason });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(self.unreachable(error)),
                Err(_) => return Err(Outcome::Malformed { reason: "a cut body".to_owned() }),
            }
        }
    }

    /// The outcome of a call without a response. The error's own texts contain the address, and with it the key.
    fn unreachable(&self, error: reqwest::Error) -> Outcome {
        let reason = if error.is_timeout() {
            format!("no answer within {} s", self.timeout.as_secs_f64())
        } else {
            let error = error.without_url();
            let mut texts = vec![error.to_string()];
            let mut source = error.source();
            while let Some(cause) = source {
                texts.push(cause.to_string());
                source = cause.source();
            }
            self.key.redact(&texts.join(": "))
        };
        Outcome::Unreachable { reason, retry_after: None }
    }
}

impl HttpResponse {
    /// The wait that `Retry-After` requests: a number of seconds, or a date.
    pub(crate) fn wait(&self, now: DateTime<Utc>) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        match text.parse::<u32>() {
            Ok(seconds) => Some(Duration::from_secs(seconds.into())),
            Err(_) => {
                let until = DateTime::parse_from_rfc2822(text).ok()?;
                Some((until.to_utc() - now).to_std().unwrap_or_default())
            }
        }
    }

    /// The instant to which `Retry-After` asks to wait.
    pub(crate) fn wait_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        now.checked_add_signed(TimeDelta::from_std(self.wait(now)?).ok()?)
    }

    /// The class of a status that says the same of every provider; `None` of a status that has a body to be read.
    pub(crate) fn class_of_status(&self, now: DateTime<Utc>) -> Option<Outcome> {
        let status = self.status;
        match status {
            408 | 500.. => {
                let reason = format!("HTTP status {status}");
                Some(Outcome::Unreachable { reason, retry_after: self.wait(now) })
            }
            300..=399 => Some(Outcome::BugInRequest {
                reason: format!(
                    "HTTP status {status}: it redirects to another address, which is not followed"
                ),
            }),
            _ => None,
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether an address is one of the web, without user, password and query.
pub(crate) fn is_plain_address(base_url: &str) -> bool {
    plain_address(base_url).is_some()
}

/// The address, unless it is no web address or has user, password or query.
fn plain_address(base_url: &str) -> Option<Url> {
    let url: Url = base_url.parse().ok()?;
    let is_web = ["http", "https"].contains(&url.scheme());
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (is_web && is_plain).then_some(url)
}
